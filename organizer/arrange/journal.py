"""The journal of an arrangement: its plan, then each batch of steps before and after it is done.

A file of JSON lines. The first holds the version, the plan follows with one step per line; these
are written atomically. Then lines are appended:

    {"do": [numbers], "make": [folders], "touch": {folder: mtime}, "inodes": {number: [dev, ino]}}
    {"did": [numbers], "left": [[number, result, reason]]}
    {"end": "applied", "folders": {folder: mtime}}
    {"undo": {folder: mtime}}
    {"take": [numbers]}
    {"took": [numbers], "left": [...]}
    {"end": "undone"}

In an update of a folder the row of a step may end with its action (`StepAction`): "did" then means
that the file was removed or renamed, "took" that it is where it was.

A "do" or "take" is on the disk before the first of its steps is begun, and a "did" or "took" only
after the last of them is on the disk itself. So the steps that a kill or a power cut may have left
half done are known: those of the last one that has no result. An incomplete last line is ignored.
One process at a time writes to the journals of a folder.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from organizer import atomic, durable
from organizer.arrange.disk import Disk
from organizer.arrange.journal_state import JournalState
from organizer.arrange.types import (
    ArrangeMode,
    ArrangePlan,
    ArrangeRecord,
    ArrangeStep,
    LeftFile,
    StepAction,
    StepResult,
)
from organizer.errors import StoreError

if TYPE_CHECKING:
    import portalocker

_VERSION = 3
_WITHOUT_ACTIONS = 2
"""The version of a journal whose steps all place files: older programs can read it."""

_CELLS = 8
"""What follows source and target in the row of a step, before the action that some have."""

_LOCK = "arrangement.lock"
_NAME = re.compile(r"arrangement-(\d{6,})\.jsonl")


def next_journal(folder: Path) -> Path:
    """The file for the next arrangement."""
    last = max((int(_NAME.fullmatch(file.name)[1]) for file in journals(folder)), default=0)  # type: ignore[index]
    return folder / f"arrangement-{last + 1:06}.jsonl"


def journals(folder: Path) -> list[Path]:
    """The journals in a folder, oldest first; none where the folder does not exist."""
    try:
        found = [file for file in folder.iterdir() if _NAME.fullmatch(file.name)]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda file: (len(file.name), file.name))


def read_journal(file: Path) -> ArrangeRecord:
    """Read a journal.

    Raises:
        StoreError: It cannot be read, is damaged, or was written by a newer organizer.
    """
    return read_journal_state(file).record()


def placed_by_journals(folder: Path) -> dict[str, ArrangeStep]:
    """The steps that are done and not undone, of all journals in a folder, by target.

    Raises:
        StoreError: See `read_journal`.
    """
    found: dict[str, ArrangeStep] = {}
    for file in journals(folder):
        for step in read_journal(file).of(StepResult.DONE):
            if step.action is StepAction.REMOVE:
                found.pop(str(step.target), None)
                continue
            if step.action is StepAction.RELOCATE:
                found.pop(str(step.source), None)
            found[str(step.target)] = step
    return found


@dataclass(slots=True)
class Journal:
    """A journal open for writing; use it as a context manager."""

    state: JournalState
    disk: Disk
    _descriptor: int
    _close: ExitStack

    @classmethod
    def begin(cls, file: Path, plan: ArrangePlan, disk: Disk) -> Self:
        """Create a journal of a plan.

        Raises:
            StoreError: It cannot be written, exists already, or another process is arranging.
        """

        def begun() -> JournalState:
            created_at = datetime.now(UTC).isoformat(timespec="seconds")
            atomic.write_atomically(file, _head(plan, created_at), over=False)
            state = JournalState(file, plan, created_at, [StepResult.PENDING] * len(plan.steps))
            state.length = file.stat().st_size
            return state

        try:
            durable.make_folders(file.parent)
        except OSError as error:
            raise _cannot(file, error) from error
        return cls._locked(file, disk, begun)

    @classmethod
    def go_on(cls, file: Path, disk: Disk) -> Self:
        """Open a journal to append to it; an incomplete last line is removed.

        Raises:
            StoreError: It cannot be read or written, is damaged, or another process is arranging.
        """
        return cls._locked(file, disk, lambda: read_journal_state(file))

    @classmethod
    def _locked(cls, file: Path, disk: Disk, state_of: Callable[[], JournalState]) -> Self:
        """Open a journal that no other process may open until it is closed."""
        with ExitStack() as close:
            close.callback(_lock(file).release)
            try:
                state = state_of()
                disk.sync_folder(str(file.parent))  # a crash must not leave moved files without it
                descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
                close.callback(os.close, descriptor)
                os.ftruncate(descriptor, state.length)
            except OSError as error:
                raise _cannot(file, error) from error
            return cls(state, disk, descriptor, close.pop_all())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close.close()

    def write(self, entry: Mapping[str, Any]) -> None:
        """Append an entry, have it on the disk, and update the state by it.

        Raises:
            StoreError: It cannot be written; the run must end.
        """
        try:
            self.disk.write(self._descriptor, _line(entry))
            self.disk.sync(self._descriptor)
        except OSError as error:
            raise _cannot(self.state.file, error) from error
        self.state.update(entry)


def read_journal_state(file: Path) -> JournalState:
    """Read a journal as a state that later entries can update.

    Raises:
        StoreError: It cannot be read, is damaged, or was written by a newer organizer.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read {file}: {error.strerror or error}") from error
    lines = _lines(file, data)
    try:
        head: dict[str, Any] = next(lines, ({}, 0))[0]
        _require_version(file, head)
        datetime.fromisoformat(head["created_at"])
        plan = _plan(head, lines)
        state = JournalState(file, plan, head["created_at"], [StepResult.PENDING] * len(plan.steps))
        state.length = head["length"]
        for entry, end in lines:
            state.update(entry)
            state.length = end
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(file) from error
    return state


def _lines(file: Path, data: bytes) -> Iterator[tuple[Any, int]]:
    """The lines and where each ends, without an incomplete last one."""
    begin = 0
    while (end := data.find(b"\n", begin) + 1) > 0:
        try:
            entry = json.loads(data[begin:end])
        except ValueError as error:
            if data.find(b"\n", end) >= 0:
                raise _damaged(file) from error
            return
        if begin == 0 and isinstance(entry, dict):
            entry["length"] = end
        yield entry, end
        begin = end


def _require_version(file: Path, head: Mapping[str, Any]) -> None:
    version = head.get("organizer arrangement")
    if not isinstance(version, int):
        raise _damaged(file)
    if version > _VERSION:
        raise StoreError(f"{file} was written by a newer organizer", "update organizer")


def _head(plan: ArrangePlan, created_at: str) -> bytes:
    head = {
        "organizer arrangement": _VERSION if plan.updates else _WITHOUT_ACTIONS,
        "created_at": created_at,
        "to": str(plan.to),
        "mode": plan.mode,
        "template": plan.template,
        "made_safe": plan.made_safe,
        "suffixed": plan.suffixed,
        "steps": len(plan.steps),
        "there": len(plan.there),
        "left": len(plan.left),
        "updates": plan.updates,
        "made_with": dict(plan.made_with),
    }
    steps = (_line(_step_row(step)) for step in (*plan.steps, *plan.there))
    left = (_line([str(item.source), item.why, item.image_id]) for item in plan.left)
    return b"".join((_line(head), *steps, *left))


def _step_row(step: ArrangeStep) -> list[object]:
    row: list[object] = [
        str(step.source), str(step.target), step.why, step.image_id, step.cluster_id,
        step.size, step.mtime_ns, step.cluster_folder, step.file_hash, step.picture_hash,
    ]  # fmt: skip
    return row if step.action is StepAction.PLACE else [*row, step.action]


def _plan(head: dict[str, Any], lines: Iterator[tuple[Any, int]]) -> ArrangePlan:
    def steps(count: int) -> Iterator[ArrangeStep]:
        for _ in range(count):
            (source, target, *rest), head["length"] = next(lines)
            cells, action = rest[:_CELLS], StepAction(*rest[_CELLS:] or [StepAction.PLACE])
            yield replace(ArrangeStep(Path(source), Path(target), *cells), action=action)

    def left(count: int) -> Iterator[LeftFile]:
        for _ in range(count):
            (source, why, image_id), head["length"] = next(lines)
            yield LeftFile(Path(source), why, image_id)

    try:
        return ArrangePlan(
            Path(head["to"]),
            ArrangeMode(head["mode"]),
            tuple(steps(head["steps"])),
            tuple(steps(head["there"])),
            tuple(left(head["left"])),
            head["template"],
            head["made_safe"],
            head["suffixed"],
            updates=head.get("updates", False),
            made_with=head.get("made_with", {}),
        )
    except RuntimeError as error:  # StopIteration of the lines within a generator
        raise ValueError("the plan is not complete") from error


def _line(entry: object) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def _lock(file: Path) -> portalocker.Lock:
    """Lock the journals of a folder; the system releases the lock of a killed process."""
    import portalocker

    lock = portalocker.Lock(file.with_name(_LOCK), mode="a", timeout=0)
    try:
        lock.acquire()
    except portalocker.LockException as error:
        raise StoreError(
            f"another organizer is arranging, and writes to {file.parent}",
            "wait until it has ended",
        ) from error
    except OSError as error:
        raise _cannot(file, error) from error
    return lock


def _cannot(file: Path, error: OSError) -> StoreError:
    return StoreError(
        f"cannot write the journal {file}: {error.strerror or error}",
        "free some space or grant write access, and run the command again",
    )


def _damaged(file: Path) -> StoreError:
    return StoreError(
        f"{file} is damaged: it is not a journal of an arrangement",
        "nothing was touched; organizer doctor --fix puts back a copy of it. It tells where files "
        "were before, so keep it",
    )
