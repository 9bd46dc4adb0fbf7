"""What a killed run left: steps without an answer, and files that a disk lost with its power."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from organizer.arrange.checks import (
    ChangedError,
    are_halves,
    clear_up,
    is_as_planned,
    is_ours,
    reason_of,
)
from organizer.arrange.disk import Disk, status_of
from organizer.arrange.journal import Journal
from organizer.arrange.journal_state import JournalState
from organizer.arrange.types import ArrangeMode, ArrangeStep, StepAction, StepResult
from organizer.arrange.unsynced import UnsyncedFolders


def recover(journal: Journal) -> None:
    """Write to the journal which of the steps of a killed run were done.

    A step that is done in the journal but not on the disk becomes pending: a disk that lost its
    power may have lost what was written last.

    Raises:
        StoreError: The journal cannot be written.
    """
    state = journal.state
    unsynced = UnsyncedFolders(journal.disk)
    unsynced.gained(state.made)
    done: list[int] = []
    left: list[tuple[int, StepResult, str]] = []
    for number in sorted(state.open):
        step = state.plan.steps[number]
        mode = state.plan.mode_of(step)
        try:
            if step.action is StepAction.REMOVE:
                if status_of(str(step.target)) is None:
                    unsynced.lost([step.target])
                    done.append(number)
                continue
            clear_up(journal.disk, mode, step, since=state.created_at)
            if is_ours(mode, step, state.inodes.get(number)):
                unsynced.gained([step.target])
                if mode is ArrangeMode.MOVE:
                    unsynced.lost([step.source])
                    _finish_move(journal.disk, step)
                done.append(number)
        except (OSError, ChangedError) as error:
            left.append((number, StepResult.FAILED, reason_of(error)))
    left += [(number, StepResult.PENDING, "") for number in _lost(state)]
    unsynced.sync()
    if state.open or left:
        journal.write({"did": done, "left": left})


def _lost(state: JournalState) -> Iterator[int]:
    """The steps of an unfinished run that are done in the journal but not on the disk."""
    if state.applied:
        return
    for number in sorted(state.was_done - state.open):
        step = state.plan.steps[number]
        with suppress(OSError):
            if step.action is StepAction.REMOVE:
                is_lost = is_ours(state.plan.mode, step)
            else:
                is_gone = status_of(str(step.target)) is None
                is_lost = is_gone and is_as_planned(step, step.source.stat())
            if is_lost:
                yield number


def _finish_move(disk: Disk, step: ArrangeStep) -> None:
    """Remove the source where the target is complete, unless another file is at the source.

    The target stays in any case: it may be the only file that holds the photo.
    """
    source, target = str(step.source), str(step.target)
    if status_of(source) is not None and are_halves(step, source, target):
        disk.sync_file(target)
        disk.sync_folder(os.path.dirname(target))  # noqa: PTH120
        disk.remove(source)
