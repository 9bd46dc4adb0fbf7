"""Places the file of a step, and tells whether what a step placed may be removed again."""

from __future__ import annotations

import os

from organizer.arrange.checks import (
    holds_the_content,
    is_about_as_planned,
    is_as_planned,
    is_link_to,
    is_one_name,
)
from organizer.arrange.copying import copy_whole
from organizer.arrange.disk import Disk, hash_of
from organizer.arrange.types import ArrangeMode, ArrangeStep, StepResult

Refusal = tuple[StepResult, str]
"""Why something is not done: the result, and the reason as a message to the user."""

HAS_CHANGED = "it changed since it was arranged"
_LAST_COPY = "its source is gone or has changed: this may be the last copy"


def place_file(disk: Disk, mode: ArrangeMode, step: ArrangeStep) -> None:
    """Link or copy the source of a step to its target.

    Raises:
        ChangedError: The source is not what was planned.
        OSError: It cannot be done; `FileExistsError` where something is at the target.
    """
    source, target = str(step.source), str(step.target)
    if mode is ArrangeMode.LINK:
        disk.link(source, target)
    elif mode is ArrangeMode.SYMLINK:
        disk.symlink(source, target)
    else:
        copy_whole(disk, step, step.source, step.target, check=False)


def why_not_removed(mode: ArrangeMode, step: ArrangeStep, target: os.stat_result) -> Refusal | None:
    """Why the link or copy at the target of a step must stay; None where it may be removed.

    It may where it is as it was placed, and its source still has the content.

    Args:
        mode: Link, symlink or copy.
        step: The step that placed it.
        target: The status of what is at the target, not following links.

    Raises:
        OSError: The files cannot be read.
    """
    changed, last = (StepResult.CHANGED, HAS_CHANGED), (StepResult.KEPT, _LAST_COPY)
    if mode is ArrangeMode.SYMLINK:
        return None if is_link_to(step) else changed
    if mode is ArrangeMode.COPY and not is_about_as_planned(step, target):
        return changed
    try:
        source = step.source.stat()
    except FileNotFoundError:
        return last
    if mode is ArrangeMode.LINK:
        if not os.path.samestat(source, target):
            return changed
        return last if is_one_name(str(step.source), str(step.target)) else None
    return _why_copy_stays(step, source)


def _why_copy_stays(step: ArrangeStep, source: os.stat_result) -> Refusal | None:
    last = (StepResult.KEPT, _LAST_COPY)
    if not is_as_planned(step, source) or is_one_name(str(step.source), str(step.target)):
        return last
    if not holds_the_content(step):
        return StepResult.CHANGED, HAS_CHANGED
    is_other = bool(step.content_hash) and hash_of(str(step.source)) != step.content_hash
    return last if is_other else None
