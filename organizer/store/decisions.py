"""A person's decisions: append-only rows."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from organizer.store.database import Database, now
from organizer.store.schemas import DECISIONS
from organizer.types import Decision, DecisionKind


class DecisionTable:
    """The decisions of one library, in the order in which they were made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[Decision, ...]:
        """Every decision, also those that were taken back."""
        rows = self._database.read("decisions").to_pylist()
        rows.sort(key=lambda row: int(row["decision_id"]))
        return tuple(
            Decision(
                decision_id=row["decision_id"],
                at=row["at"],
                kind=DecisionKind(row["kind"]),
                cluster_id=row["cluster_id"],
                name=row["name"],
                image_ids=tuple(row["image_ids"]),
                groups=tuple(row["groups"]),
                others=tuple(row["others"]),
                about=row["about"],
            )
            for row in rows
        )

    def draft(
        self,
        kind: DecisionKind,
        *,
        cluster_id: int = 0,
        name: str = "",
        image_ids: Sequence[str] = (),
        groups: Sequence[int] = (),
        others: Sequence[int] = (),
        about: int = 0,
    ) -> Decision:
        """A decision with the next number, not yet written."""
        last = self._database.read("decisions", ["decision_id"])["decision_id"].to_numpy()
        return Decision(
            int(last.max(initial=0)) + 1,
            now(),
            kind,
            cluster_id=cluster_id,
            name=name,
            image_ids=tuple(image_ids),
            groups=tuple(groups) or (0,) * len(image_ids),
            others=tuple(others),
            about=about,
        )

    def append(self, decision: Decision) -> None:
        """Write a decision."""
        row = {
            "decision_id": decision.decision_id,
            "at": decision.at,
            "kind": decision.kind.value,
            "cluster_id": decision.cluster_id,
            "name": decision.name,
            "image_ids": list(decision.image_ids),
            "groups": list(decision.groups),
            "others": list(decision.others),
            "about": decision.about,
        }
        self._database.append("decisions", pa.Table.from_pylist([row], schema=DECISIONS))
