"""The rows of clusterings in the journal, and the clusterings that they stand for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from organizer.types import (
    Candidate,
    Clustering,
    ClusterMerge,
    ClusterSplit,
    LineageReport,
    PartSpec,
)

_NEW = "born"
"""The key of new clusters in the stored lineage."""

SELECT_CLUSTERINGS = """
SELECT c.clustering_id, c.parent_id, c.base_id, c.step_id, c.created_at, c.action, c.lineage,
       b.embedder, b.reducer, b.clusterer, b.algorithm, b.evidence
FROM clusterings c JOIN clusterings b ON b.clustering_id = c.base_id
"""
"""Clusterings with the specs of their base; a condition or an order follows."""


@dataclass(frozen=True, slots=True)
class StoredClustering:
    """A clustering as it was made, without its members.

    Attributes:
        base_id: The clustering whose members, space and specs it changes; itself for a recluster.
        step_id: The step of the history that made it.
        action: What made it: "recluster", or the kind of a decision, or "decisions" for several.
    """

    clustering_id: int
    parent_id: int | None
    base_id: int
    step_id: int
    created_at: str
    action: str
    embedder: PartSpec
    reducer: PartSpec
    clusterer: PartSpec
    algorithm: str
    evidence: tuple[Candidate, ...]
    lineage: LineageReport


def clustering_row(
    clustering_id: int,
    base_id: int,
    parent_id: int | None,
    step_id: int,
    created_at: str,
    action: str,
    lineage: LineageReport,
) -> dict[str, Any]:
    """The columns that every clustering has."""
    return {
        "clustering_id": clustering_id,
        "parent_id": parent_id,
        "base_id": base_id,
        "step_id": step_id,
        "created_at": created_at,
        "action": action,
        "lineage": json.dumps(_lineage_row(lineage)),
    }


def specs_row(clustering: Clustering) -> dict[str, Any]:
    """The columns that only a base has: what made it."""
    return {
        "embedder": clustering.embedder.to_json(),
        "reducer": clustering.reducer.to_json(),
        "clusterer": clustering.clusterer.to_json(),
        "algorithm": clustering.algorithm,
        "evidence": json.dumps([asdict(candidate) for candidate in clustering.evidence]),
    }


def stored_clustering(row: dict[str, Any]) -> StoredClustering:
    """The clustering of a row that `SELECT_CLUSTERINGS` gave."""
    return StoredClustering(
        clustering_id=row["clustering_id"],
        parent_id=row["parent_id"],
        base_id=row["base_id"],
        step_id=row["step_id"],
        created_at=row["created_at"],
        action=row["action"],
        embedder=PartSpec.from_json(row["embedder"]),
        reducer=PartSpec.from_json(row["reducer"]),
        clusterer=PartSpec.from_json(row["clusterer"]),
        algorithm=row["algorithm"],
        evidence=tuple(_candidate(item) for item in json.loads(row["evidence"])),
        lineage=_lineage(json.loads(row["lineage"])),
    )


def _candidate(stored: dict[str, Any]) -> Candidate:
    """Evidence that an older or newer version wrote may have other columns."""
    known = {item.name for item in fields(Candidate)}
    return Candidate(**{name: value for name, value in stored.items() if name in known})


def _lineage_row(lineage: LineageReport) -> dict[str, Any]:
    row = asdict(lineage)
    row[_NEW] = row.pop("new")
    return row


def _lineage(stored: dict[str, Any]) -> LineageReport:
    return LineageReport(
        kept=tuple(stored["kept"]),
        split=tuple(
            ClusterSplit(item["cluster_id"], tuple(item["into"])) for item in stored["split"]
        ),
        merged=tuple(
            ClusterMerge(item["cluster_id"], tuple(item["sources"])) for item in stored["merged"]
        ),
        new=tuple(stored[_NEW]),
        retired=tuple(stored["retired"]),
        images_moved=stored["images_moved"],
    )
