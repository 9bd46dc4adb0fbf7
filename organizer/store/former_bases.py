"""The bases that no undo leads back to any more go, so that a long history stays small.

What a recluster made, its members above all, is as large as the library. What is kept for good is
small: the steps, the clusterings with their lineage, and what people decided.
"""

from __future__ import annotations

from organizer.store.database import Database
from organizer.store.locks import without_readers

KEPT_BASES = 20
"""Bases, newest first by the last step that left or reached them, to which undo and redo lead."""

_KEPT_POINTS = 2
"""The current base and the one before it: points of older ones are computed where asked for."""

_MEMBERS, _TABLES, _POINTS = "assignments_", ("assignments_", "arrays_", "points_"), "points_"

_NEWEST = """
SELECT base_id FROM (
    SELECT c.base_id, s.step_id FROM steps s JOIN clusterings c ON c.clustering_id = s.clustering_id
    UNION ALL
    SELECT c.base_id, s.step_id FROM steps s JOIN clusterings c ON c.clustering_id = s.former_id
) GROUP BY base_id ORDER BY max(step_id) DESC, base_id DESC
"""

_STATEMENTS = (
    """DELETE FROM former_modes WHERE step_id IN (SELECT s.step_id FROM steps s
    JOIN clusterings c ON c.clustering_id = s.clustering_id WHERE c.base_id = ?)""",
    "DELETE FROM modes WHERE base_id = ?",
    "DELETE FROM made_modes WHERE base_id = ?",
    "DELETE FROM folded WHERE base_id = ?",
    # The last number stays: readers tell by it what they know, and it is never given again.
    "DELETE FROM changes WHERE base_id = ? AND change_id < (SELECT max(change_id) FROM changes)",
)


def forget_former_bases(database: Database) -> None:
    """Remove the members, spaces and modes of all bases but the last `KEPT_BASES`.

    The caller holds the library for writing.
    """
    names = database.names()
    members = [_base_of(name) for name in names if name.startswith(_MEMBERS)]
    with_points = [_base_of(name) for name in names if name.startswith(_POINTS)]
    if len(members) <= KEPT_BASES and len(with_points) <= _KEPT_POINTS:
        return
    newest = [int(row["base_id"]) for row in database.journal.rows(_NEWEST)]
    kept, quick = newest[:KEPT_BASES], newest[:_KEPT_POINTS]
    with without_readers(database.path) as alone:
        if not alone:  # who began to read long ago may still be at it
            return
        with database.transaction():
            for base_id in set(members) - set(kept):
                for name in {f"{table}{base_id:d}" for table in _TABLES} & set(names):
                    database.drop(name)
                for statement in _STATEMENTS:
                    database.journal.execute(statement, [base_id])
            for base_id in (set(with_points) & set(kept)) - set(quick):
                database.drop(f"{_POINTS}{base_id:d}")


def _base_of(name: str) -> int:
    return int(name.rpartition("_")[2])
