"""Whether a plan can be carried out at all, told before anything is done."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from organizer.arrange.disk import Disk
from organizer.arrange.types import ArrangeMode, ArrangePlan, ArrangeStep
from organizer.errors import SettingsError


def require_possible(plan: ArrangePlan, steps: Sequence[ArrangeStep], disk: Disk) -> None:
    """Make sure that a plan is not hopeless, before anything is done.

    Raises:
        SettingsError: It is.
    """
    folder = plan.to
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise SettingsError(f"{folder} is no folder", "choose another --to")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError(f"nothing can be written in {folder}", "choose another --to")
    elsewhere = _on_other_disks(steps, folder)
    if plan.mode is ArrangeMode.LINK and elsewhere:
        raise SettingsError(
            f"{plan.to} is on another disk than {elsewhere[0].source.parent}: no file can have "
            "names on two",
            "--mode copy or --mode symlink",
        )
    if plan.mode in {ArrangeMode.COPY, ArrangeMode.MOVE}:
        needed = sum(step.size for step in (steps if plan.mode is ArrangeMode.COPY else elsewhere))
        free = disk.free(str(folder))
        if needed > free:
            raise SettingsError(
                f"{plan.to} has room for {free:,} bytes, and {needed:,} are to go there",
                "make room, or choose another --to" + " or --mode link" * (not elsewhere),
            )


def _on_other_disks(steps: Sequence[ArrangeStep], folder: Path) -> list[ArrangeStep]:
    """The steps whose source lies on another disk; those whose folder is gone are left out."""
    device = folder.stat().st_dev
    devices: dict[Path, int | None] = {}
    for step in steps:
        parent = step.source.parent
        if parent not in devices:
            try:
                devices[parent] = parent.stat().st_dev
            except OSError:
                devices[parent] = None
    return [step for step in steps if devices[step.source.parent] not in {None, device}]
