"""An arrangement taken back: what the journal says was done, if it is still what was made.

What a person changed, moved or put there since is left, with the reason in the record.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from organizer.arrange.checks import (
    ChangedError,
    are_halves,
    clear_up,
    folder_time,
    holds_the_content,
    is_about_as_planned,
    is_as_planned,
    is_link_to,
    is_one_name,
    is_ours,
)
from organizer.arrange.copying import move_across
from organizer.arrange.disk import Disk, hash_of, status_of
from organizer.arrange.journal import Journal
from organizer.arrange.journal_state import JournalState
from organizer.arrange.sidecar_owners import left_behind, sidecar_owners
from organizer.arrange.types import ArrangeMode, ArrangeRecord, ArrangeStep, StepResult

_BATCH = 256
_ANOTHER = "something else is at {place}"
_LAST = "its source is gone or has changed: this may be the last of what it was"
_IT_IS = "{place} leads to it now"
_OTHER_NOW = "it changed since it was arranged"

_IS_BACK = frozenset([StepResult.UNDONE, StepResult.GONE, StepResult.PENDING])
"""What a photo is whose sidecar may go back: one that is not at its target."""

_Answer = tuple[StepResult, str]


def undo_journal(
    journal: Path,
    *,
    advance: Callable[[int], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    disk: Disk | None = None,
) -> ArrangeRecord:
    """Take an arrangement back, be it whole or half done; run again it tries what was left.

    Args:
        journal: Its journal.
        advance: Told of steps that are through.
        stop: Asked before every step; True ends the run, which can be gone on with.
        disk: What is done to the disk; a test gives its own.

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
    """Take back what a journal says; see `undo_journal`.

    Raises:
        StoreError: The journal cannot be written.
    """
    return _Undoing(journal, journal.disk, advance, stop).run()


@dataclass(slots=True)
class _Undoing:
    journal: Journal
    disk: Disk
    advance: Callable[[int], None]
    stop: Callable[[], bool]
    _looked_at: set[int] = field(default_factory=set)
    _company: dict[int, list[int]] = field(default_factory=dict)
    _now: dict[int, StepResult] = field(default_factory=dict)

    @property
    def _state(self) -> JournalState:
        return self.journal.state

    def run(self) -> ArrangeRecord:
        """Take back what is not."""
        state = self._state
        steps = state.plan.steps
        opened = sorted(state.open, key=lambda number: (not steps[number].is_photo, -number))
        self._looked_at = set(opened)
        self._company = sidecar_owners(state.plan)
        self.journal.write({"undo": self._times_to_restore()}, sync=True)
        rest = [
            number
            for number in (state.was_done | self._maybe_moved()) - self._looked_at
            if state.results[number] is not StepResult.UNDONE
        ]
        rest.sort(key=lambda number: (not steps[number].is_photo, -number))
        # What a kill left unanswered comes first and at once: an answer is for all that is open.
        batches = [opened] if opened else []
        batches += [rest[begin : begin + _BATCH] for begin in range(0, len(rest), _BATCH)]
        for batch in batches:
            self.journal.write({"take": batch}, sync=True)
            if not self._take_all(batch):
                return state.record()
            self.advance(len(batch))
        self._remove_folders()
        self._restore_times()
        self.journal.write({"end": "undone"}, sync=True)
        return state.record()

    def _times_to_restore(self) -> dict[str, int]:
        """The times of the folders before; not of those that another changed since."""
        if self._state.restore is not None:
            return self._state.restore
        return {
            folder: before
            for folder, before in self._state.touched.items()
            if not self._state.applied or self._state.after.get(folder) == folder_time(folder)
        }

    def _maybe_moved(self) -> set[int]:
        """The steps that no answer calls done, of which the source is gone all the same."""
        if self._state.plan.mode is not ArrangeMode.MOVE:
            return set()
        steps = self._state.plan.steps
        return {
            number
            for number in self._state.begun - self._state.was_done
            if not os.path.lexists(steps[number].source)
        }

    def _take_all(self, batch: Sequence[int]) -> bool:
        taken: list[int] = []
        left: list[tuple[int, StepResult, str]] = []
        goes_on = True
        for place, number in enumerate(batch):
            if self.stop() and number not in self._looked_at:
                goes_on = False
                left += [(other, StepResult.DONE, "") for other in batch[place:]]
                break
            try:
                result, reason = self._take_with_its_photo(number)
            except FileExistsError:
                result, reason = StepResult.OCCUPIED, _ANOTHER.format(place="its former place")
            except ChangedError as error:
                result, reason = StepResult.CHANGED, str(error)
            except OSError as error:
                result, reason = StepResult.FAILED, error.strerror or str(error)
            self._now[number] = result
            if result is StepResult.UNDONE:
                taken.append(number)
            else:
                left.append((number, result, reason))
        self.journal.write({"took": taken, "left": left}, sync=not goes_on)
        return goes_on

    def _take_with_its_photo(self, number: int) -> _Answer:
        """Take a step back; a sidecar stays where its photo stays."""
        step = self._state.plan.steps[number]
        photo = left_behind(self._company.get(number, ()), self._result_of, _IS_BACK)
        if photo is None or number in self._looked_at:
            return self._take(number, step)
        source = self._state.plan.steps[photo].source
        return StepResult.KEPT, f"it stays with its photo {source.name}"

    def _result_of(self, number: int) -> StepResult:
        return self._now.get(number, self._state.results[number])

    def _take(self, number: int, step: ArrangeStep) -> _Answer:
        """Take one step back."""
        mode = self._state.plan.mode
        if number in self._looked_at:
            clear_up(self.disk, mode, step, since=self._state.created_at)
        target = status_of(str(step.target))
        if target is None:
            return self._is_gone(number, step)
        if number not in self._state.was_done and not is_ours(
            mode, step, self._state.inodes.get(number)
        ):
            return StepResult.PENDING, ""  # it was never done, and another's file has the place
        if mode is ArrangeMode.LINK:
            return self._unlink(step, target)
        if mode is ArrangeMode.SYMLINK:
            return self._remove(step) if is_link_to(step) else (StepResult.CHANGED, _OTHER_NOW)
        if mode is ArrangeMode.COPY:
            return self._discard(step, target)
        return self._move_back(number, step, target)

    def _is_gone(self, number: int, step: ArrangeStep) -> _Answer:
        """What it means that nothing is at the target."""
        if number not in self._state.was_done:
            moves = self._state.plan.mode is ArrangeMode.MOVE
            if moves and number in self._looked_at and status_of(str(step.source)) is None:
                return StepResult.GONE, f"nothing is at {step.target} nor at {step.source}"
            return StepResult.PENDING, ""
        if self._state.plan.mode is ArrangeMode.MOVE:
            if is_about_as_planned(step, status_of(str(step.source))):
                return StepResult.UNDONE, ""  # by a run that was cut short, or by hand
        elif number in self._looked_at:
            return StepResult.UNDONE, ""
        return StepResult.GONE, f"nothing is at {step.target}"

    def _unlink(self, step: ArrangeStep, target: os.stat_result) -> _Answer:
        try:
            source = step.source.stat()
        except FileNotFoundError:
            return StepResult.KEPT, _LAST
        if not os.path.samestat(source, target):
            return StepResult.CHANGED, _OTHER_NOW
        if is_one_name(str(step.source), str(step.target)):
            return StepResult.KEPT, _LAST
        return self._remove(step)

    def _discard(self, step: ArrangeStep, target: os.stat_result) -> _Answer:
        """Remove a copy, if the source still has what is in it."""
        if not is_about_as_planned(step, target):
            return StepResult.CHANGED, _OTHER_NOW
        try:
            source = step.source.stat()
        except FileNotFoundError:
            return StepResult.KEPT, _LAST
        if not is_as_planned(step, source) or is_one_name(str(step.source), str(step.target)):
            return StepResult.KEPT, _LAST
        if not holds_the_content(step):
            return StepResult.CHANGED, _OTHER_NOW
        if step.image_id and hash_of(str(step.source)) != step.image_id:
            return StepResult.KEPT, _LAST
        return self._remove(step)

    def _remove(self, step: ArrangeStep) -> _Answer:
        self.disk.remove(str(step.target))
        return StepResult.UNDONE, ""

    def _move_back(self, number: int, step: ArrangeStep, target: os.stat_result) -> _Answer:
        is_same = is_as_planned(step, target) or (
            is_about_as_planned(step, target) and holds_the_content(step)
        )
        if not is_same:
            return StepResult.CHANGED, _OTHER_NOW
        if status_of(str(step.source)) is not None:
            return self._settle_two(number, step)
        step.source.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.disk.rename(str(step.target), str(step.source))
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            move_across(self.disk, step, step.target, step.source, mtime_ns=step.mtime_ns)
        return StepResult.UNDONE, ""

    def _settle_two(self, number: int, step: ArrangeStep) -> _Answer:
        """A file at both places: the halves of a move that was cut short, or another's file."""
        source, target = str(step.source), str(step.target)
        if is_one_name(source, target):
            return StepResult.OCCUPIED, _IT_IS.format(place=source)
        cut_short = number in self._looked_at or os.path.samestat(
            os.lstat(source), os.lstat(target)
        )
        if cut_short and are_halves(step, source, target):
            return self._remove(step)
        return StepResult.OCCUPIED, _ANOTHER.format(place=source)

    # Folders ---------------------------------------------------------------------------------

    def _remove_folders(self) -> None:
        """Remove the folders that were made, where nothing is in them."""
        for folder in reversed(self._state.made):
            with suppress(OSError):
                self.disk.remove_folder(folder)

    def _restore_times(self) -> None:
        """Set the times of folders, not of those in which something was left."""
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
