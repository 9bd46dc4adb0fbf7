"""Apply a plan, so that a run that is killed at any moment can be finished or undone.

Steps are done in batches: a batch is written to the journal, then done, then on the disk, and then
its results are written.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from organizer.arrange.batches import SHOWN, batch_size
from organizer.arrange.checks import (
    ChangedError,
    folder_time,
    is_as_planned,
    is_ours,
    reason_of,
)
from organizer.arrange.copying import move_across
from organizer.arrange.disk import FULL, NO_LINKS, Disk, status_of
from organizer.arrange.journal import Journal
from organizer.arrange.journal_state import JournalState
from organizer.arrange.placing import place_file, why_not_removed
from organizer.arrange.preflight import require_possible
from organizer.arrange.recovery import recover
from organizer.arrange.sidecar_owners import left_behind, sidecar_owners
from organizer.arrange.types import (
    ArrangeMode,
    ArrangePlan,
    ArrangeRecord,
    ArrangeStep,
    StepAction,
    StepResult,
)
from organizer.arrange.undo import undo_state
from organizer.arrange.unsynced import UnsyncedFolders, sync_photos
from organizer.errors import SettingsError, StoreError

_NO_PRIVILEGE = 1314  # on Windows, a user may not be allowed to make symbolic links


def carry_out(
    plan: ArrangePlan,
    *,
    journal: Path,
    advance: Callable[[int], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    disk: Disk | None = None,
) -> ArrangeRecord:
    """Apply a plan, or resume it.

    Nothing is overwritten. A step that cannot be done is skipped, with the reason in the record. On
    a full disk the run ends with the rest pending.

    Args:
        plan: The plan.
        journal: The file of its journal; an existing one is resumed.
        advance: Called with the number of steps that were processed.
        stop: Called before every step; True ends the run with the rest pending.
        disk: The file operations; tests replace it.

    Raises:
        SettingsError: The plan is impossible (links to another disk, not enough space); nothing
            was done.
        StoreError: The journal is another plan's, is damaged, or cannot be written.
    """
    if journal.exists():
        with Journal.go_on(journal, disk or Disk()) as opened:
            if opened.state.plan.digest != plan.digest:
                raise StoreError(f"{journal} is the journal of another plan")
            return _resume(opened, advance, stop)
    require_possible(plan, plan.steps, disk or Disk())
    with Journal.begin(journal, plan, disk or Disk()) as begun:
        return _Application(begun, begun.disk, advance, stop).run()


def resume_journal(
    journal: Path,
    *,
    advance: Callable[[int], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    disk: Disk | None = None,
) -> ArrangeRecord:
    """Resume the arrangement of a journal; steps that failed are tried again.

    Raises:
        SettingsError: See `carry_out`; or the arrangement was undone, wholly or in part.
        StoreError: See `carry_out`.
    """
    with Journal.go_on(journal, disk or Disk()) as opened:
        return _resume(opened, advance, stop)


def _resume(
    journal: Journal, advance: Callable[[int], None], stop: Callable[[], bool]
) -> ArrangeRecord:
    state, disk = journal.state, journal.disk
    if state.restore is not None:
        what = "was undone" if state.undone else "is being undone"
        hint = "make a new plan" if state.undone else "finish that first: organizer arrange --undo"
        raise SettingsError(f"this arrangement {what}", hint)
    recover(journal)
    run = _Application(journal, disk, advance, stop)
    require_possible(state.plan, [state.plan.steps[number] for number in run.todo()], disk)
    return run.run()


class _FullError(Exception):
    """The disk is full."""


@dataclass(slots=True)
class _Application:
    """One run over the steps that are not done."""

    journal: Journal
    disk: Disk
    advance: Callable[[int], None]
    stop: Callable[[], bool]
    _known: set[str] = field(default_factory=set)
    _refused: dict[str, OSError] = field(default_factory=dict)
    _owners: dict[int, list[int]] = field(default_factory=dict)
    _results: dict[int, StepResult] = field(default_factory=dict)
    _unsynced: UnsyncedFolders = field(init=False)
    _tried: bool = False
    _no_links: OSError | None = None

    def __post_init__(self) -> None:
        self._unsynced = UnsyncedFolders(self.disk)

    @property
    def _state(self) -> JournalState:
        return self.journal.state

    def todo(self) -> list[int]:
        """The numbers of the steps that are not done, those of photos first."""
        results, steps = self._state.results, self._state.plan.steps
        todo = [number for number, result in enumerate(results) if result is not StepResult.DONE]
        return sorted(todo, key=lambda number: not steps[number].is_photo)

    def run(self) -> ArrangeRecord:
        """Do the steps that are not done."""
        todo = self.todo()
        self._owners = sidecar_owners(self._state.plan)
        if todo and self._state.plan.mode in {ArrangeMode.LINK, ArrangeMode.MOVE}:
            sync_photos(self.disk, self._state.plan.to)
        size = batch_size(self._state.plan, [self._state.plan.steps[number] for number in todo])
        for begin in range(0, len(todo), size):
            batch = todo[begin : begin + size]
            if self.stop():
                return self._state.record()
            self._announce(batch)
            if not self._do_all(batch):
                return self._state.record()
            self.advance(len(batch) % SHOWN)
        if self._state.plan.updates:
            self._remove_emptied()
        after = {folder: folder_time(folder) for folder in self._state.touched}
        after = {folder: mtime for folder, mtime in after.items() if mtime is not None}
        self.journal.write({"end": "applied", "folders": after})
        return self._state.record()

    # Before the steps ------------------------------------------------------------------------

    def _announce(self, batch: Sequence[int]) -> None:
        """Write the batch to the journal, and make its folders."""
        steps = [self._state.plan.steps[number] for number in batch]
        make, touch = self._folders(steps)
        entry: dict[str, Any] = {"do": batch, "make": make, "touch": touch}
        moved = [number for number, step in zip(batch, steps, strict=True) if self._moves(step)]
        if moved:
            entry["inodes"] = dict(_inodes((n, self._state.plan.steps[n]) for n in moved))
        self.journal.write(entry)
        for folder in make:
            try:
                self.disk.make_folder(folder)
            except FileExistsError:
                continue  # another made it; a file there makes the steps below it fail
            except OSError as error:
                self._refused[folder] = error
        self._unsynced.gained(make)
        if moved:  # before a source on another disk is removed
            self._unsynced.sync()

    def _folders(self, steps: Sequence[ArrangeStep]) -> tuple[list[str], dict[str, int]]:
        """The folders to make, parents first, and the times of those that the steps change."""
        make: list[str] = []
        changed: set[str] = set()
        for step in steps:
            changed |= {str(step.source.parent)} if self._moves(step) else set()
            folder = str(step.target.parent)
            changed.add(folder)
            if step.action is StepAction.REMOVE:
                continue
            missing = []
            while folder not in self._known and not os.path.lexists(folder):
                missing.append(folder)
                self._known.add(folder)
                folder = os.path.dirname(folder)  # noqa: PTH120
                changed.add(folder)
            self._known.add(folder)
            make += reversed(missing)
        ours = self._state.made.keys() | set(make)
        times = {
            folder: folder_time(folder)
            for folder in sorted(changed - ours - self._state.touched.keys())
        }
        return make, {folder: mtime for folder, mtime in times.items() if mtime is not None}

    # The steps -------------------------------------------------------------------------------

    def _do_all(self, batch: Sequence[int]) -> bool:
        """Do a batch and write its results; return whether to continue."""
        done: list[int] = []
        left: list[tuple[int, StepResult, str]] = []
        continues = True
        for place, number in enumerate(batch, start=1):
            if self.stop():
                continues = False
                break
            try:
                result, reason = self._do_with_its_photo(number)
            except _FullError:
                left.append((number, StepResult.PENDING, "the disk is full"))
                continues = False
                break
            self._results[number] = result
            if result is StepResult.DONE:
                done.append(number)
            else:
                left.append((number, result, reason))
            if place % SHOWN == 0:
                self.advance(SHOWN)
        self._sync(done)
        if self._no_links and continues and not self._tried and not self._state.was_done:
            self.journal.write({"did": [], "left": []})
            self._give_up(self._no_links)
        self.journal.write({"did": done, "left": left})
        return continues

    def _sync(self, done: Sequence[int]) -> None:
        """Have on the disk what steps have done: what the journal says of them next must stay."""
        steps = [self._state.plan.steps[number] for number in done]
        removed = [step.target for step in steps if step.action is StepAction.REMOVE]
        self._unsynced.gained(s.target for s in steps if s.action is not StepAction.REMOVE)
        self._unsynced.lost((*(s.source for s in steps if self._moves(s)), *removed))
        self._unsynced.sync()

    def _moves(self, step: ArrangeStep) -> bool:
        return self._state.plan.mode_of(step) is ArrangeMode.MOVE

    def _do_with_its_photo(self, number: int) -> tuple[StepResult, str]:
        """Do a step; a sidecar is only done if its photo is."""
        step = self._state.plan.steps[number]
        photo = left_behind(self._owners.get(number, ()), self._result_of, {StepResult.DONE})
        if photo is None:
            return self._do(step)
        source = self._state.plan.steps[photo].source
        return self._result_of(photo), f"its photo {source.name} was not arranged"

    def _result_of(self, number: int) -> StepResult:
        return self._results.get(number, self._state.results[number])

    def _do(self, step: ArrangeStep) -> tuple[StepResult, str]:
        try:
            done = self._remove if step.action is StepAction.REMOVE else self._place
            return done(step)
        except FileExistsError:
            return StepResult.OCCUPIED, f"something else is at {step.target}"
        except ChangedError as error:
            return StepResult.CHANGED, str(error)
        except OSError as error:
            return self._refusal(step, error)

    def _place(self, step: ArrangeStep) -> tuple[StepResult, str]:
        refused = self._refused.get(str(step.target.parent)) if self._refused else None
        status = step.source.stat()
        if not is_as_planned(step, status):
            return StepResult.CHANGED, "it changed since the plan was made"
        if refused is not None:
            return self._refusal(step, refused)
        self._carry_out(step)
        self._tried = True
        return StepResult.DONE, ""

    def _carry_out(self, step: ArrangeStep) -> None:
        if self._moves(step):
            self._move(step)
        else:
            place_file(self.disk, self._state.plan.mode, step)

    def _remove(self, step: ArrangeStep) -> tuple[StepResult, str]:
        """Remove what was placed before, unless somebody changed it or it is the last copy."""
        target = status_of(str(step.target))
        if target is None:
            return StepResult.GONE, f"nothing is at {step.target}"
        refusal = why_not_removed(self._state.plan.mode, step, target)
        if refusal is None:
            self.disk.remove(str(step.target))
        return refusal or (StepResult.DONE, "")

    def _remove_emptied(self) -> None:
        """Remove the folders of the arrangement that an update left empty."""
        plan = self._state.plan
        left = {step.target for step in plan.steps if step.action is StepAction.REMOVE}
        left |= {step.source for step in plan.steps if self._moves(step)}
        for folder in {place.parent for place in left}:
            above = folder
            with suppress(OSError):  # something is in it
                while above != plan.to and above.is_relative_to(plan.to):
                    self.disk.remove_folder(str(above))
                    self._unsynced.lost([above])
                    above = above.parent
        self._unsynced.sync()

    def _move(self, step: ArrangeStep) -> None:
        if step.source.is_symlink():
            raise ChangedError("it is a symbolic link now, which a move could break")
        try:
            self.disk.rename(str(step.source), str(step.target))
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            move_across(self.disk, step, step.source, step.target)

    def _refusal(self, step: ArrangeStep, error: OSError) -> tuple[StepResult, str]:
        if error.errno in FULL:
            raise _FullError from error
        links = self._state.plan.mode in {ArrangeMode.LINK, ArrangeMode.SYMLINK}
        links = links and step.action is StepAction.PLACE
        no_links = error.errno in NO_LINKS or getattr(error, "winerror", 0) == _NO_PRIVILEGE
        if links and no_links:  # this file alone, or all: the other steps decide
            self._no_links = error
        with suppress(OSError):
            if status_of(str(step.source)) is None:
                if self._moves(step) and is_ours(ArrangeMode.MOVE, step):
                    return StepResult.DONE, ""  # by a killed run, on a disk that was disconnected
                return StepResult.MISSING, "it does not exist any more"
        return StepResult.FAILED, reason_of(error)

    def _give_up(self, error: OSError) -> None:
        """End a run where no link can be made, and remove the folders that it made."""
        undo_state(self.journal)
        plan = self._state.plan
        others = (
            "--mode copy" if plan.mode is ArrangeMode.SYMLINK else "--mode copy or --mode symlink"
        )
        raise SettingsError(
            f"no {plan.mode} can be made in {plan.to}: {reason_of(error)}", others
        ) from error


def _inodes(steps: Iterator[tuple[int, ArrangeStep]]) -> Iterator[tuple[int, tuple[int, int]]]:
    for number, step in steps:
        try:
            status = status_of(str(step.source))
        except OSError:
            continue
        if status is not None:
            yield number, (status.st_dev, status.st_ino)
