"""Undo an arrangement, from its journal.

Files that a person changed, moved or added since are left, with the reason in the record.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from organizer.arrange.batches import SHOWN, batch_size
from organizer.arrange.checks import (
    ChangedError,
    are_halves,
    as_edited,
    clear_up,
    folder_time,
    holds_the_content,
    is_about_as_planned,
    is_as_planned,
    is_one_name,
    is_ours,
)
from organizer.arrange.copying import move_across
from organizer.arrange.disk import Disk, status_of
from organizer.arrange.journal import Journal
from organizer.arrange.journal_state import JournalState
from organizer.arrange.placing import HAS_CHANGED, place_file, why_not_removed
from organizer.arrange.sidecar_owners import left_behind, sidecar_owners
from organizer.arrange.types import (
    ArrangeMode,
    ArrangeRecord,
    ArrangeStep,
    StepAction,
    StepResult,
)
from organizer.arrange.unsynced import UnsyncedFolders
from organizer.durable import make_folders

_ANOTHER = "something else is at {place}"
_IS_LINKED = "{place} leads to it now"
_SOURCE_GONE = "{place} is gone: it cannot be placed again"

_IS_BACK = frozenset([StepResult.UNDONE, StepResult.GONE, StepResult.PENDING])
"""The results of a photo that is not at its target, so that its sidecar may go back too."""

_Outcome = tuple[StepResult, str]


def undo_journal(
    journal: Path,
    *,
    advance: Callable[[int], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    disk: Disk | None = None,
) -> ArrangeRecord:
    """Undo an arrangement, finished or not; steps that an earlier undo left are tried again.

    Args:
        journal: Its journal.
        advance: Called with the number of steps that were processed.
        stop: Called before every step; True ends the run, which can be resumed.
        disk: The file operations; tests replace it.

    Raises:
        StoreError: The journal cannot be read or written.
    """
    with Journal.go_on(journal, disk or Disk()) as opened:
        return undo_state(opened, advance=advance, stop=stop)


def undo_state(
    journal: Journal,
    *,
    advance: Callable[[int], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> ArrangeRecord:
    """Undo the arrangement of an open journal; see `undo_journal`.

    Raises:
        StoreError: The journal cannot be written.
    """
    return _Undoing(journal, journal.disk, advance, stop).run()


@dataclass(slots=True)
class _Undoing:
    """One run over the steps that are to be undone."""

    journal: Journal
    disk: Disk
    advance: Callable[[int], None]
    stop: Callable[[], bool]
    _interrupted: set[int] = field(default_factory=set)
    _owners: dict[int, list[int]] = field(default_factory=dict)
    _results: dict[int, StepResult] = field(default_factory=dict)
    _unsynced: UnsyncedFolders = field(init=False)

    def __post_init__(self) -> None:
        self._unsynced = UnsyncedFolders(self.disk)

    @property
    def _state(self) -> JournalState:
        return self.journal.state

    def run(self) -> ArrangeRecord:
        """Undo the steps that are not undone."""
        state = self._state
        steps = state.plan.steps
        interrupted = sorted(state.open, key=lambda number: (not steps[number].is_photo, -number))
        self._interrupted = set(interrupted)
        self._owners = sidecar_owners(state.plan)
        self.journal.write({"undo": self._times_to_restore()})
        rest = [
            number
            for number in (state.was_done | self._maybe_moved()) - self._interrupted
            if state.results[number] is not StepResult.UNDONE
        ]
        rest.sort(key=lambda number: (not steps[number].is_photo, -number))
        # Interrupted steps come first, in one batch: its results close all open steps.
        batches = [interrupted] if interrupted else []
        size = batch_size(state.plan, [steps[number] for number in rest])
        batches += [rest[begin : begin + size] for begin in range(0, len(rest), size)]
        for batch in batches:
            self.journal.write({"take": batch})
            if not self._undo_batch(batch):
                return state.record()
            self.advance(len(batch) % SHOWN)
        self._remove_folders()
        self._restore_times()
        self._unsynced.sync()
        self.journal.write({"end": "undone"})
        return state.record()

    def _times_to_restore(self) -> dict[str, int]:
        """The times to restore of folders, without those that were changed since."""
        if self._state.restore is not None:
            return self._state.restore
        return {
            folder: mtime
            for folder, mtime in self._state.touched.items()
            if not self._state.applied or self._state.after.get(folder) == folder_time(folder)
        }

    def _maybe_moved(self) -> set[int]:
        """The steps without the result "done" whose source is gone all the same."""
        plan = self._state.plan
        return {
            number
            for number in self._state.begun - self._state.was_done
            if plan.mode_of(plan.steps[number]) is ArrangeMode.MOVE
            and not os.path.lexists(plan.steps[number].source)
        }

    def _undo_batch(self, batch: Sequence[int]) -> bool:
        undone: list[int] = []
        left: list[tuple[int, StepResult, str]] = []
        continues = True
        for place, number in enumerate(batch):
            if self.stop() and number not in self._interrupted:
                continues = False
                left += [(other, StepResult.DONE, "") for other in batch[place:]]
                break
            try:
                result, reason = self._undo_with_its_photo(number)
            except FileExistsError:
                result, reason = StepResult.OCCUPIED, _ANOTHER.format(place="its former place")
            except ChangedError as error:
                result, reason = StepResult.CHANGED, str(error)
            except OSError as error:
                result, reason = StepResult.FAILED, error.strerror or str(error)
            self._results[number] = result
            if result is StepResult.UNDONE:
                undone.append(number)
            else:
                left.append((number, result, reason))
            if (place + 1) % SHOWN == 0:
                self.advance(SHOWN)
        self._sync(undone)
        self.journal.write({"took": undone, "left": left})
        return continues

    def _sync(self, undone: Sequence[int]) -> None:
        """Have on the disk what was taken back: what the journal says of it next must stay."""
        plan = self._state.plan
        steps = [plan.steps[number] for number in undone]
        self._unsynced.gained(s.source for s in steps if plan.mode_of(s) is ArrangeMode.MOVE)
        removed = [step.target for step in steps if step.action is StepAction.REMOVE]
        self._unsynced.gained(removed)
        self._unsynced.lost(s.target for s in steps if s.action is not StepAction.REMOVE)
        self._unsynced.sync()

    def _undo_with_its_photo(self, number: int) -> _Outcome:
        """Undo a step; a sidecar stays where its photo stays."""
        step = self._state.plan.steps[number]
        photo = left_behind(self._owners.get(number, ()), self._result_of, _IS_BACK)
        if photo is None or number in self._interrupted:
            return self._undo(number, step)
        source = self._state.plan.steps[photo].source
        return StepResult.KEPT, f"its photo {source.name} was not undone"

    def _result_of(self, number: int) -> StepResult:
        return self._results.get(number, self._state.results[number])

    def _undo(self, number: int, step: ArrangeStep) -> _Outcome:
        """Undo one step."""
        mode = self._state.plan.mode_of(step)
        if number in self._interrupted:
            clear_up(self.disk, mode, step, since=self._state.created_at)
        target = status_of(str(step.target))
        if step.action is StepAction.REMOVE:
            return self._place_again(number, step, target)
        if target is None:
            return self._is_gone(number, step)
        if number not in self._state.was_done and not is_ours(
            mode, step, self._state.inodes.get(number)
        ):
            return StepResult.PENDING, ""  # it was never done, and another file is at its target
        if mode is not ArrangeMode.MOVE:
            return why_not_removed(mode, step, target) or self._remove(step)
        return self._move_back(number, step, target)

    def _place_again(
        self, number: int, step: ArrangeStep, target: os.stat_result | None
    ) -> _Outcome:
        """Place what an update removed."""
        mode, was_done = self._state.plan.mode, number in self._state.was_done
        if not was_done and (target is not None or number not in self._interrupted):
            return StepResult.PENDING, ""
        if target is not None:
            if is_ours(mode, step):
                return StepResult.UNDONE, ""  # by an interrupted run, or by hand
            return StepResult.OCCUPIED, _ANOTHER.format(place=step.target)
        make_folders(step.target.parent)
        try:
            place_file(self.disk, mode, step)
        except FileNotFoundError:
            return StepResult.MISSING, _SOURCE_GONE.format(place=step.source)
        return StepResult.UNDONE, ""

    def _is_gone(self, number: int, step: ArrangeStep) -> _Outcome:
        """The result where no file is at the target."""
        if number not in self._state.was_done:
            moves = self._state.plan.mode_of(step) is ArrangeMode.MOVE
            if moves and number in self._interrupted and status_of(str(step.source)) is None:
                return StepResult.GONE, f"nothing is at {step.target} nor at {step.source}"
            return StepResult.PENDING, ""
        if self._state.plan.mode_of(step) is ArrangeMode.MOVE:
            is_back = is_about_as_planned(step, status_of(str(step.source)))
            if is_back or as_edited(step, step.source):
                return StepResult.UNDONE, ""  # by an interrupted run, or by hand
        elif number in self._interrupted:
            return StepResult.UNDONE, ""
        return StepResult.GONE, f"nothing is at {step.target}"

    def _remove(self, step: ArrangeStep) -> _Outcome:
        self.disk.remove(str(step.target))
        return StepResult.UNDONE, ""

    def _move_back(self, number: int, step: ArrangeStep, target: os.stat_result) -> _Outcome:
        is_same = is_as_planned(step, target) or (
            is_about_as_planned(step, target) and holds_the_content(step)
        )
        if not is_same:
            edited = as_edited(step, step.target)  # it goes back with what was written into it
            if edited is None:
                return StepResult.CHANGED, HAS_CHANGED
            step = edited
        if status_of(str(step.source)) is not None:
            return self._settle_two(number, step)
        make_folders(step.source.parent)
        try:
            self.disk.rename(str(step.target), str(step.source))
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            move_across(self.disk, step, step.target, step.source, mtime_ns=step.mtime_ns)
        return StepResult.UNDONE, ""

    def _settle_two(self, number: int, step: ArrangeStep) -> _Outcome:
        """Handle files at both places: the halves of an interrupted move, or another file."""
        source, target = str(step.source), str(step.target)
        if is_one_name(source, target):
            return StepResult.OCCUPIED, _IS_LINKED.format(place=source)
        is_half_done = number in self._interrupted or os.path.samestat(
            os.lstat(source), os.lstat(target)
        )
        if is_half_done and are_halves(step, source, target):
            self.disk.sync_file(source)
            self.disk.sync_folder(os.path.dirname(source))  # noqa: PTH120
            return self._remove(step)
        return StepResult.OCCUPIED, _ANOTHER.format(place=source)

    # Folders ---------------------------------------------------------------------------------

    def _remove_folders(self) -> None:
        """Remove the folders that were made, where they are empty."""
        for folder in reversed(self._state.made):
            with suppress(OSError):
                self.disk.remove_folder(folder)
        self._unsynced.lost(self._state.made)

    def _restore_times(self) -> None:
        """Restore the times of folders, except where files were left in them."""
        changed: set[str] = set()
        for number in self._state.was_done:
            if self._state.results[number] not in {StepResult.UNDONE, StepResult.GONE}:
                step = self._state.plan.steps[number]
                changed |= {str(folder) for folder in step.target.parents}
                changed.add(str(step.source.parent))
        for folder, mtime in (self._state.restore or {}).items():
            if folder not in changed:
                with suppress(OSError):
                    self.disk.set_time(folder, mtime)
                    self._unsynced.changed(folder)
