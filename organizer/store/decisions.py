"""A person's decisions: append-only rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from organizer.store.journal import AppendedRows, LibraryJournal, Row
from organizer.store.steps import StepTable, undone_steps
from organizer.types import Decision, DecisionKind


class DecisionTable:
    """The decisions of one library, in the order in which they were made."""

    def __init__(self, journal: LibraryJournal, *, steps: StepTable) -> None:
        self._journal, self._steps = journal, steps
        query = "SELECT * FROM decisions WHERE decision_id > ? ORDER BY decision_id"
        self._rows = AppendedRows(journal, query, number="decision_id", make=_decision)

    def all(self) -> tuple[Decision, ...]:
        """Every decision, also those that were undone."""
        return self._rows.all()

    def forget(self) -> None:
        """Read all decisions anew: images in them became one with others."""
        self._rows.forget()

    def current(self) -> tuple[Decision, ...]:
        """The decisions that hold: those that were not undone."""
        with self._journal.snapshot():
            undone = undone_steps(self._steps.all())
            return tuple(decision for decision in self.all() if decision.step_id not in undone)

    def by_step(self) -> dict[int, list[Decision]]:
        """Every decision by the step that it is part of, in order."""
        found: dict[int, list[Decision]] = {}
        for decision in self.all():
            found.setdefault(decision.step_id, []).append(decision)
        return found

    def next_id(self) -> int:
        """The number of the next decision."""
        return int(self._journal.value("SELECT max(decision_id) FROM decisions") or 0) + 1

    def append(self, decisions: Sequence[Decision]) -> None:
        """Write decisions, each with the step that it is part of."""
        self._journal.insert("decisions", [_row(decision) for decision in decisions])


def _row(decision: Decision) -> Row:
    return {
        "decision_id": decision.decision_id,
        "step_id": decision.step_id,
        "at": decision.at,
        "kind": decision.kind.value,
        "cluster_id": decision.cluster_id,
        "name": decision.name,
        "image_ids": json.dumps(decision.image_ids),
        "groups": json.dumps(decision.groups),
        "others": json.dumps(decision.others),
    }


def _decision(row: dict[str, Any]) -> Decision:
    return Decision(
        decision_id=row["decision_id"],
        at=row["at"],
        kind=DecisionKind(row["kind"]),
        cluster_id=row["cluster_id"],
        name=row["name"],
        image_ids=tuple(json.loads(row["image_ids"])),
        groups=tuple(json.loads(row["groups"])),
        others=tuple(json.loads(row["others"])),
        step_id=row["step_id"],
    )
