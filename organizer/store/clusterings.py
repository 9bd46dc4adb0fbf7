"""Clusterings, their clusters, who is in them, and what a person said about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from organizer.errors import StoreError
from organizer.store.database import Database, now
from organizer.store.schemas import ASSIGNMENTS, CLUSTERINGS, CLUSTERS, DECISIONS, HEADS
from organizer.types import (
    AssignmentState,
    Candidate,
    Clustering,
    Labels,
    LineageReport,
    Merge,
    PartSpec,
    Split,
    Vectors,
)

_KEPT = 20
"""Clusterings whose assignments are kept, so that undo can bring them back."""


@dataclass(frozen=True, slots=True)
class StoredClustering:
    """A clustering as it was made, without its members."""

    clustering_id: int
    parent_id: int | None
    created_at: str
    embedder: PartSpec
    clusterer: PartSpec
    algorithm: str
    evidence: tuple[Candidate, ...]
    lineage: LineageReport


@dataclass(frozen=True, slots=True)
class ClusterModels:
    """The clusters of a clustering as they were made, row by row.

    Attributes:
        cluster_ids: ``(k,)`` int64.
        centroids: ``(k, dim)`` float32 of unit length.
        mean_distances: ``(k,)`` float32, the mean cosine distance of the members.
        spreads: ``(k,)`` float32, its standard deviation.
        medoids: The most typical image of each.
    """

    cluster_ids: Labels
    centroids: Vectors
    mean_distances: NDArray[np.float32]
    spreads: NDArray[np.float32]
    medoids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assignments:
    """Which image is in which cluster, row by row.

    Attributes:
        image_ids: ``(n,)`` ids as Python strings in an object array.
        cluster_ids: ``(n,)`` int64.
        distances: ``(n,)`` float32 cosine distance to the centroid.
        margins: ``(n,)`` float32, how much farther the second nearest centroid is.
        states: ``(n,)`` values of `AssignmentState`.
    """

    image_ids: NDArray[np.object_]
    cluster_ids: Labels
    distances: NDArray[np.float32]
    margins: NDArray[np.float32]
    states: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.image_ids)


class Clusterings:
    """The clusterings of one library. One is current; the others are history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Reading -------------------------------------------------------------------------------

    def current(self) -> StoredClustering | None:
        """The clustering in force, or None before the first one."""
        heads = self._database.read("heads").to_pylist()
        if not heads:
            return None
        return self.get(max(heads, key=lambda row: row["head_id"])["clustering_id"])

    def get(self, clustering_id: int) -> StoredClustering:
        """A clustering by its id."""
        where = f"clustering_id = {clustering_id:d}"
        rows = self._database.read("clusterings", where=where).to_pylist()
        if not rows:
            raise StoreError(f"clustering {clustering_id} is not in the library any more")
        row = rows[0]
        return StoredClustering(
            clustering_id=row["clustering_id"],
            parent_id=row["parent_id"],
            created_at=row["created_at"],
            embedder=PartSpec.from_json(row["embedder"]),
            clusterer=PartSpec.from_json(row["clusterer"]),
            algorithm=row["algorithm"],
            evidence=tuple(Candidate(**item) for item in json.loads(row["evidence"])),
            lineage=_lineage(json.loads(row["lineage"])),
        )

    def models(self, clustering_id: int) -> ClusterModels:
        """The clusters of a clustering, by id."""
        where = f"clustering_id = {clustering_id:d}"
        rows = sorted(
            self._database.read("clusters", where=where).to_pylist(),
            key=lambda row: int(row["cluster_id"]),
        )
        return ClusterModels(
            cluster_ids=np.array([row["cluster_id"] for row in rows], dtype=np.int64),
            centroids=np.array([row["centroid"] for row in rows], dtype=np.float32),
            mean_distances=np.array([row["mean_distance"] for row in rows], dtype=np.float32),
            spreads=np.array([row["spread"] for row in rows], dtype=np.float32),
            medoids=tuple(row["medoid"] for row in rows),
        )

    def assignments(self, clustering_id: int) -> Assignments:
        """The members of a clustering, in the order in which they joined.

        Raises:
            StoreError: They are kept no more.
        """
        rows = self._database.read(self._kept_members(clustering_id))
        columns = (rows[column].to_numpy() for column in rows.column_names)
        return Assignments(*columns)

    def count(self, clustering_id: int) -> int:
        """Number of images in a clustering.

        Raises:
            StoreError: Its members are kept no more.
        """
        return self._database.count(self._kept_members(clustering_id))

    def counts_when_made(self, clustering_id: int) -> list[int]:
        """The sizes of a clustering's clusters when it was made."""
        where = f"clustering_id = {clustering_id:d}"
        counts: list[int] = self._database.read("clusters", ["count"], where=where)[
            "count"
        ].to_pylist()
        return counts

    def clusters_of(self, clustering_id: int, image_ids: Sequence[str]) -> dict[str, int]:
        """The clusters of some images; those that are in none are left out."""
        rows = self._database.read_by_id(
            _members(clustering_id), "image_id", image_ids, ["image_id", "cluster_id"]
        )
        pairs = (rows[name].to_pylist() for name in rows.column_names)
        return dict(zip(*pairs, strict=True))

    def _kept_members(self, clustering_id: int) -> str:
        name = _members(clustering_id)
        if not self._database.has(name):
            raise StoreError(
                f"the members of clustering {clustering_id} are kept no more",
                f"the last {_KEPT} clusterings can be brought back",
            )
        return name

    def next_cluster_id(self) -> int:
        """An id that no cluster ever had."""
        ids = self._database.read("clusters", ["cluster_id"])["cluster_id"].to_numpy()
        return int(ids.max(initial=0)) + 1

    def names(self) -> dict[int, str]:
        """The names that a person gave, by cluster id; the last word counts."""
        rows = self._database.read("decisions", where="kind = 'name'").to_pylist()
        rows.sort(key=lambda row: int(row["decision_id"]))
        return {row["cluster_id"]: row["name"] for row in rows}

    def member_tables(self) -> list[str]:
        """The tables that hold members."""
        return [name for name in self._database.names() if name.startswith(_members())]

    # Writing -------------------------------------------------------------------------------

    def add(
        self,
        clustering: Clustering,
        models: ClusterModels,
        margins: NDArray[np.float32],
        *,
        parent_id: int | None,
        lineage: LineageReport,
    ) -> int:
        """Store a clustering and make it the current one. It comes into force with its last row."""
        clustering_id = self._next_clustering_id()
        self._database.create_table(_members(clustering_id), ASSIGNMENTS)
        states = np.full(len(clustering.labels), AssignmentState.AUTO.value, dtype=object)
        ids = np.array(clustering.image_ids, dtype=object)
        self.append_members(
            clustering_id,
            Assignments(ids, clustering.labels, clustering.distances, margins, states),
        )
        self._database.append("clusters", _cluster_rows(clustering_id, clustering, models))
        row = {
            "clustering_id": clustering_id,
            "parent_id": parent_id,
            "created_at": now(),
            "embedder": clustering.embedder.to_json(),
            "clusterer": clustering.clusterer.to_json(),
            "algorithm": clustering.algorithm,
            "evidence": json.dumps([asdict(candidate) for candidate in clustering.evidence]),
            "lineage": json.dumps(asdict(lineage)),
        }
        self._database.append("clusterings", pa.Table.from_pylist([row], schema=CLUSTERINGS))
        self.make_current(clustering_id, action="recluster")
        self._drop_old_members(clustering_id)
        return clustering_id

    def append_members(self, clustering_id: int, members: Assignments) -> None:
        """Let images join a clustering that they are not in."""
        rows = pa.table(
            [
                pa.array(members.image_ids, pa.string()),
                members.cluster_ids.astype(np.int64),
                members.distances.astype(np.float32),
                members.margins.astype(np.float32),
                pa.array(members.states, pa.string()),
            ],
            schema=ASSIGNMENTS,
        )
        self._database.append(_members(clustering_id), rows)

    def make_current(self, clustering_id: int, *, action: str) -> None:
        """Bring a stored clustering into force."""
        last = self._database.read("heads", ["head_id"])["head_id"].to_numpy()
        row = {
            "head_id": int(last.max(initial=0)) + 1,
            "clustering_id": clustering_id,
            "action": action,
            "at": now(),
        }
        self._database.append("heads", pa.Table.from_pylist([row], schema=HEADS))

    def decide_name(self, cluster_id: int, name: str, image_ids: Sequence[str]) -> None:
        """Write down that a person named a cluster, and which images stood for it."""
        last = self._database.read("decisions", ["decision_id"])["decision_id"].to_numpy()
        row = {
            "decision_id": int(last.max(initial=0)) + 1,
            "at": now(),
            "kind": "name",
            "cluster_id": cluster_id,
            "name": name,
            "image_ids": list(image_ids),
        }
        self._database.append("decisions", pa.Table.from_pylist([row], schema=DECISIONS))

    def _next_clustering_id(self) -> int:
        """Above every id that was begun, also by a clustering that was cut short."""
        ids = self._database.read("clusterings", ["clustering_id"])["clustering_id"].to_pylist()
        ids += self._database.read("clusters", ["clustering_id"])["clustering_id"].to_pylist()
        ids += [int(name.removeprefix(_members())) for name in self.member_tables()]
        return max(ids, default=0) + 1

    def _drop_old_members(self, clustering_id: int) -> None:
        """Keep the members of a clustering and of those that undo can go back to."""
        rows = self._database.read("clusterings", ["clustering_id", "parent_id"]).to_pylist()
        parents = {row["clustering_id"]: row["parent_id"] for row in rows}
        kept: list[str] = []
        ancestor: int | None = clustering_id
        while ancestor is not None and len(kept) < _KEPT:
            kept.append(_members(ancestor))
            ancestor = parents.get(ancestor)
        for name in set(self.member_tables()) - set(kept):
            self._database.drop(name)


def _members(clustering_id: int | None = None) -> str:
    return "assignments_" if clustering_id is None else f"assignments_{clustering_id:d}"


def _cluster_rows(clustering_id: int, clustering: Clustering, models: ClusterModels) -> pa.Table:
    ids, counts = np.unique(clustering.labels, return_counts=True)
    count = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    rows = [
        {
            "clustering_id": clustering_id,
            "cluster_id": int(cluster_id),
            "centroid": models.centroids[i].tolist(),
            "count": count.get(int(cluster_id), 0),
            "mean_distance": float(models.mean_distances[i]),
            "spread": float(models.spreads[i]),
            "medoid": models.medoids[i],
        }
        for i, cluster_id in enumerate(models.cluster_ids)
    ]
    return pa.Table.from_pylist(rows, schema=CLUSTERS)


def _lineage(stored: dict[str, Any]) -> LineageReport:
    return LineageReport(
        kept=tuple(stored["kept"]),
        split=tuple(Split(item["cluster_id"], tuple(item["into"])) for item in stored["split"]),
        merged=tuple(
            Merge(item["cluster_id"], tuple(item["sources"])) for item in stored["merged"]
        ),
        born=tuple(stored["born"]),
        retired=tuple(stored["retired"]),
        images_moved=stored["images_moved"],
    )
