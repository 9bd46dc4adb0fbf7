"""The step from format 4 to 5: what a person decided, and the clusterings, go into the journal.

In format 4 each decision that moved images made a clustering of its own, with all members. Here
such a clustering becomes a base and a step of the history that switches to it, so that an undo
brings back the one before as long as its members are kept. Decisions and clusterings that never
became current, as their writer was interrupted, are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from organizer.store.database import Database
from organizer.store.journal import Row
from organizer.store.schemas import ARRAYS
from organizer.types import StepKind

_TAKE_BACK = "take back"
FORMER = (
    "clusterings",
    "clusters",
    "heads",
    "decisions",
    "arrays",
    "answers",
    "deployments",
    "choices",
    "ingests",
)
"""Tables of format 4 whose rows the journal has."""
_NOVEL = "ingest"


@dataclass(slots=True)
class _Former:
    """The rows of a library of format 4."""

    clusterings: dict[int, Row]
    heads: list[Row]
    decisions: dict[int, Row]
    ingests: list[Row]
    steps: list[Row] = field(default_factory=list)
    step_of_clustering: dict[int, int] = field(default_factory=dict)
    step_of_decision: dict[int, int] = field(default_factory=dict)


def to_journal(database: Database, *, was_interrupted: bool) -> None:
    """Bring a library of format 4 to format 5, in one transaction.

    Args:
        database: The library, its tables adopted.
        was_interrupted: Whether its last writer was interrupted.
    """
    names = database.names()
    if "clusterings" not in names:
        return
    former = _Former(
        clusterings={row["clustering_id"]: row for row in _rows(database, "clusterings")},
        heads=sorted(_rows(database, "heads"), key=itemgetter("head_id")),
        decisions={row["decision_id"]: row for row in _rows(database, "decisions")},
        ingests=sorted(_rows(database, "ingests"), key=itemgetter("ingest_id")),
    )
    with database.transaction():
        _write_history(database, former)
        for name in ("answers", "deployments", "choices"):
            database.journal.insert(name, _rows(database, name))
        _write_clusters(database, former, names, was_interrupted=was_interrupted)
        _write_arrays(database, names)
        for name in FORMER:
            database.drop(name)


def _rows(database: Database, name: str) -> list[Row]:
    found: list[Row] = database.read(name).to_pylist()
    return found


# The history ----------------------------------------------------------------------------------


def _write_history(database: Database, former: _Former) -> None:
    for _, event in sorted(_events(former), key=itemgetter(0)):
        _add_step(former, event)
    journal = database.journal
    journal.insert("ingests", former.ingests)
    journal.insert("steps", former.steps)
    decisions = [
        _decision_row(row, former.step_of_decision[decision_id])
        for decision_id, row in sorted(former.decisions.items())
        if decision_id in former.step_of_decision
    ]
    journal.insert("decisions", decisions)
    journal.insert(
        "clusterings",
        [
            _clustering_row(row, former.step_of_clustering[clustering_id])
            for clustering_id, row in sorted(former.clusterings.items())
            if clustering_id in former.step_of_clustering
        ],
    )


def _events(former: _Former) -> Iterator[tuple[tuple[str, int, int], Row]]:
    """What happened, each with what it is sorted by."""
    for head in former.heads:
        yield (head["at"], 1, head["head_id"]), {"head": head, "at": head["at"]}
    for decision_id, row in former.decisions.items():
        about = former.decisions.get(row["about"])
        if row["kind"] in {"name", "pin"}:
            yield (row["at"], 0, decision_id), {"decision": row, "at": row["at"]}
        elif row["kind"] == _TAKE_BACK and about is not None and about["kind"] in {"name", "pin"}:
            yield (row["at"], 0, decision_id), {"undone": row["about"], "at": row["at"]}


def _add_step(former: _Former, event: Row) -> None:
    at, current = event["at"], former.steps[-1]["clustering_id"] if former.steps else 0
    if "decision" in event:
        former.step_of_decision[event["decision"]["decision_id"]] = len(former.steps) + 1
        _append(former, StepKind.DECISIONS, at, current)
    elif "undone" in event:
        if event["undone"] in former.step_of_decision:
            about = former.step_of_decision[event["undone"]]
            _append(former, StepKind.UNDO, at, current, about)
    else:
        _add_head(former, event["head"], current)


def _add_head(former: _Former, head: Row, current: int) -> None:
    clustering_id = head["clustering_id"]
    if head["action"] == "undo":
        about = former.step_of_clustering.get(current, 0)
        _append(former, StepKind.UNDO, head["at"], clustering_id, about)
        return
    decision_id = former.clusterings[clustering_id]["decision_id"]
    former.step_of_clustering[clustering_id] = len(former.steps) + 1
    if decision_id:
        former.step_of_decision[decision_id] = len(former.steps) + 1
    kind = StepKind.DECISIONS if decision_id else StepKind.RECLUSTER
    _append(former, kind, head["at"], clustering_id)
    undone = any(
        row["kind"] == _TAKE_BACK and row["about"] == decision_id
        for row in former.decisions.values()
    )
    is_last = head is former.heads[-1]
    parent_id = former.clusterings[clustering_id]["parent_id"]
    if decision_id and undone and is_last and parent_id is not None:
        # The undo was interrupted when the decision was taken back and the rest was not.
        _append(former, StepKind.UNDO, head["at"], parent_id, len(former.steps))


def _append(former: _Former, kind: StepKind, at: str, clustering_id: int, about: int = 0) -> None:
    ingests = [row["ingest_id"] for row in former.ingests if row["at"] <= at]
    former.steps.append(
        {
            "step_id": len(former.steps) + 1,
            "at": at,
            "kind": kind.value,
            "about": about,
            "former_id": former.steps[-1]["clustering_id"] if former.steps else 0,
            "clustering_id": clustering_id,
            "ingest_id": max(ingests, default=0),
        }
    )


def _decision_row(row: Row, step_id: int) -> Row:
    listed = {name: json.dumps(row[name]) for name in ("image_ids", "groups", "others")}
    plain = {name: row[name] for name in ("decision_id", "at", "kind", "cluster_id", "name")}
    return {**plain, **listed, "step_id": step_id}


def _clustering_row(row: Row, step_id: int) -> Row:
    kept = {name: value for name, value in row.items() if name != "decision_id"}
    return {**kept, "base_id": row["clustering_id"], "step_id": step_id}


# The clusters -----------------------------------------------------------------------------------


def _write_clusters(
    database: Database, former: _Former, names: Iterable[str], *, was_interrupted: bool
) -> None:
    rows = _rows(database, "clusters")
    rows.sort(key=itemgetter("clustering_id", "revision", "mode_id"))
    origins: dict[int, Row] = {}
    latest: dict[int, int] = {}
    first: dict[int, int] = {}
    for row in rows:
        cluster_id, clustering_id = row["cluster_id"], row["clustering_id"]
        first.setdefault(clustering_id, row["revision"])
        latest[clustering_id] = max(latest.get(clustering_id, 0), row["revision"])
        if cluster_id not in origins:
            origins[cluster_id] = {
                "cluster_id": cluster_id,
                "clustering_id": clustering_id,
                "origin": row["origin"],
            }
    database.journal.insert("cluster_origins", origins.values())
    kept = {int(name.removeprefix("assignments_")) for name in names if "assignments_" in name}
    modes = [
        row
        for row in rows
        if row["clustering_id"] in kept & former.step_of_clustering.keys()
        and row["revision"] == latest[row["clustering_id"]]
    ]
    if was_interrupted:
        modes = [*_counted(database, modes)]
    made = [row for row in rows if row["revision"] == first[row["clustering_id"]]]
    current = {(row["clustering_id"], row["mode_id"]) for row in modes}
    database.journal.insert("modes", [_mode_row(row) for row in modes])
    database.journal.insert(
        "made_modes",
        [_mode_row(row) for row in made if (row["clustering_id"], row["mode_id"]) in current],
    )
    for clustering_id in kept - former.step_of_clustering.keys():  # one that was interrupted
        database.drop(f"assignments_{clustering_id}")


def _counted(database: Database, modes: list[Row]) -> Iterator[Row]:
    """The modes without novel clusters that got no members.

    Members that the clusters do not count yet leave the members table: the next ingest assigns
    them again.
    """
    by_clustering: dict[int, list[Row]] = {}
    for row in modes:
        by_clustering.setdefault(row["clustering_id"], []).append(row)
    for clustering_id, rows in by_clustering.items():
        name, revision = f"assignments_{clustering_id}", rows[0]["revision"]
        database.delete_where(name, f"since > {revision:d}")
        held = set(pc.unique(database.read(name, ["cluster_id"])["cluster_id"]).to_pylist())
        for row in rows:
            if row["cluster_id"] in held or not row["origin"].startswith(_NOVEL):
                yield row


def _mode_row(row: Row) -> Row:
    kept = {name: value for name, value in row.items() if name not in {"clustering_id", "revision"}}
    mean = np.array(row["mean"], dtype="<f8").tobytes()
    return {**kept, "base_id": row["clustering_id"], "mean": mean}


def _write_arrays(database: Database, names: Iterable[str]) -> None:
    kept = {int(name.removeprefix("assignments_")) for name in names if "assignments_" in name}
    for clustering_id in sorted(kept):
        where = f"clustering_id = {clustering_id:d}"
        rows: Any = database.read("arrays", ARRAYS.names, where=where)
        if len(rows):
            database.create_table(f"arrays_{clustering_id}", ARRAYS)
            database.append(f"arrays_{clustering_id}", pa.table(rows, schema=ARRAYS))
