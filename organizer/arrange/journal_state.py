"""The state of an arrangement, from its journal line by line; `journal` describes the lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from organizer.arrange.types import ArrangePlan, ArrangeRecord, StepResult


@dataclass(slots=True)
class JournalState:
    """The state of an arrangement, updated by each entry of its journal.

    Attributes:
        file: The journal.
        plan: The plan.
        created_at: When it was begun.
        results: The result of each step.
        reasons: Why a step was not done, by its number.
        was_done: The steps that were ever done: an undo concerns these.
        begun: The steps that were ever begun. One may be done although its result is another,
            because its disk was disconnected when it was checked.
        open: The steps that were begun and have no result.
        inodes: Device and inode number of the files to move, for the open steps.
        made: The folders that were made.
        touched: The folders that were changed, with their times before it.
        after: The times of these when the apply ended.
        restore: The times of folders that an undo restores; None before an undo.
        applied: Whether an apply finished.
        undone: Whether an undo finished.
        length: Bytes of the journal's complete lines.
    """

    file: Path
    plan: ArrangePlan
    created_at: str
    results: list[StepResult]
    length: int = 0
    reasons: dict[int, str] = field(default_factory=dict)
    was_done: set[int] = field(default_factory=set)
    begun: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)
    inodes: dict[int, tuple[int, int]] = field(default_factory=dict)
    made: dict[str, None] = field(default_factory=dict)
    touched: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    restore: dict[str, int] | None = None
    applied: bool = False
    undone: bool = False

    def record(self) -> ArrangeRecord:
        """The state as an immutable value."""
        return ArrangeRecord(
            self.file,
            self.plan,
            self.created_at,
            tuple(self.results),
            dict(self.reasons),
            applied=self.applied,
            undoing=self.restore is not None,
            undone=self.undone,
        )

    def update(self, entry: Mapping[str, Any]) -> None:
        """Update the state by an entry of the journal.

        Raises:
            KeyError: The entry is of an unknown kind.
        """
        if "do" in entry or "take" in entry:
            self.open |= set(entry.get("do", entry.get("take", ())))
            self.begun |= self.open
            self.inodes |= {int(n): (d, i) for n, (d, i) in entry.get("inodes", {}).items()}
            self.made |= dict.fromkeys(entry.get("make", ()))
            for folder, mtime in entry.get("touch", {}).items():
                self.touched.setdefault(folder, mtime)
            self.applied = self.applied and "do" not in entry
            self.undone = False
        elif "did" in entry or "took" in entry:
            result = StepResult.DONE if "did" in entry else StepResult.UNDONE
            self._set_results(
                entry.get("did", entry.get("took", ())), result, entry.get("left", ())
            )
        elif "undo" in entry:
            self._begin_undo(entry["undo"])
        elif entry.get("end") == "applied":
            self.applied, self.after = True, entry["folders"]
        elif entry.get("end") == "undone":
            self.undone = True
        else:
            raise KeyError(*entry)

    def _set_results(
        self, done: Iterable[int], result: StepResult, left: Iterable[Sequence[Any]]
    ) -> None:
        for number in done:
            self.results[number] = result
            self.reasons.pop(number, None)
            if result is StepResult.DONE:
                self.was_done.add(number)
        for number, why, reason in left:
            self.results[number] = StepResult(why)
            if result is StepResult.UNDONE and self.results[number] is not StepResult.PENDING:
                self.was_done.add(number)  # else a later undo would skip it
            if reason:
                self.reasons[number] = reason
            else:
                self.reasons.pop(number, None)
        self.open.clear()
        self.inodes.clear()

    def _begin_undo(self, restore: Mapping[str, int]) -> None:
        """Reset the results of steps that were not done: an undo reports only those that were."""
        self.undone = False
        if self.restore is None:
            self.reasons.clear()
            for number, result in enumerate(self.results):
                if result is not StepResult.DONE:
                    self.results[number] = StepResult.PENDING
            self.restore = dict(restore)
