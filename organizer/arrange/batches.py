"""How many steps of an arrangement are done at once, between two waits for the disk."""

from __future__ import annotations

from collections.abc import Sequence

from organizer.arrange.preflight import existing_folder, on_other_disks
from organizer.arrange.types import ArrangeMode, ArrangePlan, ArrangeStep

CONTENTS = 256
"""Steps of a batch that copies contents: after a kill, each of them is read again."""

NAMES = 32_768
"""Steps of a batch that only gives names: every folder that it changes is waited for once."""

SHOWN = 256
"""Steps between two reports of the progress."""


def batch_size(plan: ArrangePlan, steps: Sequence[ArrangeStep]) -> int:
    """The number of steps in a batch, for some of the steps of a plan."""
    if plan.mode in {ArrangeMode.LINK, ArrangeMode.SYMLINK}:
        return NAMES
    is_within_a_disk = plan.mode is ArrangeMode.MOVE and not on_other_disks(
        steps, existing_folder(plan.to)
    )
    return NAMES if is_within_a_disk else CONTENTS
