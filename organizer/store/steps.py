"""The steps of a library's history, and which of them can be undone and redone."""

from __future__ import annotations

from collections.abc import Sequence

from organizer.store.author import Author
from organizer.store.journal import AppendedRows, LibraryJournal, Row
from organizer.types import Step, StepKind


class StepTable:
    """The steps of one library, in order; append-only."""

    def __init__(self, journal: LibraryJournal, *, author: Author) -> None:
        self._journal, self._author = journal, author
        query = "SELECT * FROM steps WHERE step_id > ? ORDER BY step_id"
        self._rows = AppendedRows(journal, query, number="step_id", make=_step)

    def all(self) -> tuple[Step, ...]:
        """Every step."""
        return self._rows.all()

    def count(self) -> int:
        """Number of steps."""
        return int(self._journal.value("SELECT count(*) FROM steps"))

    def number(self) -> int:
        """The number of the last step; 0 before the first."""
        return int(self._journal.value("SELECT max(step_id) FROM steps") or 0)

    def last(self) -> Step | None:
        """The last step; None before the first."""
        rows = self._journal.rows("SELECT * FROM steps ORDER BY step_id DESC LIMIT 1")
        return _step(rows[0]) if rows else None

    def add(
        self, kind: StepKind, *, at: str, clustering_id: int | None = None, about: int = 0
    ) -> Step:
        """Write the next step, in the name of whoever acts now.

        Args:
            kind: What it is.
            at: When.
            clustering_id: The clustering that becomes the current one; None where it stays.
            about: The step that it undoes or redoes.
        """
        last = self.last()
        former = last.clustering_id if last is not None else 0
        ingest = self._journal.value("SELECT max(ingest_id) FROM ingests")
        step = Step(
            step_id=(last.step_id if last is not None else 0) + 1,
            at=at,
            kind=kind,
            about=about,
            former_id=former,
            clustering_id=former if clustering_id is None else clustering_id,
            ingest_id=int(ingest or 0),
            user=self._author.name,
        )
        columns = {name: getattr(step, name) for name in Step.__slots__}
        self._journal.insert("steps", [{**columns, "kind": kind.value}])
        return step


def undone_steps(steps: Sequence[Step]) -> set[int]:
    """The steps that were undone, and not redone."""
    undone: set[int] = set()
    for step in steps:
        if step.kind is StepKind.UNDO:
            undone.add(step.about)
        elif step.kind is StepKind.REDO:
            undone.discard(step.about)
    return undone


def step_to_undo(steps: Sequence[Step]) -> Step | None:
    """The step that the next undo takes back; None where there is none."""
    undone = undone_steps(steps)
    standing = (s for s in reversed(steps) if _is_new(s) and s.step_id not in undone)
    return next(standing, None)


def step_to_redo(steps: Sequence[Step]) -> Step | None:
    """The undo that the next redo takes back; None where there is none.

    What was undone before a new decision or a recluster cannot be redone any more.
    """
    undos: list[Step] = []
    for step in steps:
        if step.kind is StepKind.UNDO:
            undos.append(step)
        elif step.kind is StepKind.REDO:
            undos.pop()
        else:
            undos.clear()
    return undos[-1] if undos else None


def _step(row: Row) -> Step:
    return Step(**{**row, "kind": StepKind(row["kind"])})


def _is_new(step: Step) -> bool:
    return step.kind in {StepKind.DECISIONS, StepKind.RECLUSTER}
