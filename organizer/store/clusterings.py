"""Clusterings: their members and models, and which of them is the current one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from organizer.errors import StoreError
from organizer.store.arrays import read_arrays, write_arrays
from organizer.store.database import Database, now
from organizer.store.schemas import ASSIGNMENTS, CLUSTERINGS, CLUSTERS, HEADS, INGESTS, ArrowTable
from organizer.types import (
    NOISE,
    Assignments,
    AssignmentState,
    Candidate,
    Clustering,
    ClusterModels,
    Exemplars,
    LineageReport,
    Merge,
    PartSpec,
    Split,
)

_KEPT = 20
"""Clusterings whose members are kept, so that undo can bring them back."""

_NEW = "born"
"""The key of new clusters in the stored lineage."""

_SPACE, _EXEMPLARS = "space.", "exemplars."
_ROWS_PER_UPSERT = 10_000


@dataclass(frozen=True, slots=True)
class StoredClustering:
    """A clustering as it was made, without its members.

    Attributes:
        action: What made it: "recluster", or the kind of a decision.
        decision_id: The decision that made it; 0 for a recluster.
    """

    clustering_id: int
    parent_id: int | None
    created_at: str
    action: str
    decision_id: int
    embedder: PartSpec
    reducer: PartSpec
    clusterer: PartSpec
    algorithm: str
    evidence: tuple[Candidate, ...]
    lineage: LineageReport


class ClusteringTables:
    """The clusterings of one library. One is current; the others are history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Reading -------------------------------------------------------------------------------

    def current(self) -> StoredClustering | None:
        """The current clustering, or None before the first one."""
        heads = self.heads()
        return self.get(heads[-1][1]) if heads else None

    def heads(self) -> list[tuple[int, int, str, str]]:
        """Which clustering became current: number, clustering id, action, time; in order."""
        rows = self._database.read("heads").to_pylist()
        return sorted((r["head_id"], r["clustering_id"], r["action"], r["at"]) for r in rows)

    def get(self, clustering_id: int) -> StoredClustering:
        """A clustering by its id."""
        rows = self._database.read("clusterings", where=_of(clustering_id)).to_pylist()
        if not rows:
            raise StoreError(f"clustering {clustering_id} is not in the library any more")
        return _stored(rows[0])

    def all(self) -> list[StoredClustering]:
        """Every clustering that was ever made, in order."""
        rows = self._database.read("clusterings").to_pylist()
        return [_stored(row) for row in sorted(rows, key=lambda row: int(row["clustering_id"]))]

    def models(self, clustering_id: int, *, as_made: bool = False) -> ClusterModels:
        """The clusters of a clustering, with all images assigned since, or as they were made."""
        table = self._database.read("clusters", where=_of(clustering_id))
        revisions = table["revision"].to_numpy()
        wanted = revisions.min(initial=2**62) if as_made else revisions.max(initial=0)
        rows = table.filter(pa.array(revisions == wanted))
        return _models(rows.to_pylist())

    def revision(self, clustering_id: int) -> int:
        """The last ingest whose images the models of a clustering include."""
        rows = self._database.read("clusters", ["revision"], where=_of(clustering_id))
        return int(rows["revision"].to_numpy().max(initial=0))

    def origins(self) -> dict[int, tuple[int, str]]:
        """For every cluster that ever was: the clustering that it began in, and how it came."""
        columns = ["clustering_id", "revision", "cluster_id", "mode_id", "origin"]
        rows = self._database.read("clusters", columns).to_pylist()
        rows.sort(key=lambda row: (row["clustering_id"], row["revision"], row["mode_id"]))
        found: dict[int, tuple[int, str]] = {}
        for row in rows:
            found.setdefault(row["cluster_id"], (row["clustering_id"], row["origin"]))
        return found

    def exemplars(self, clustering_id: int) -> Exemplars:
        """The exemplars of a clustering's clusters; none in one of format 1."""
        arrays = read_arrays(self._database, clustering_id, _EXEMPLARS)
        if not arrays:
            return Exemplars(np.empty(0, np.int64), np.empty((0, 0), np.float16))
        return Exemplars(arrays["mode_ids"], arrays["vectors"])

    def space(self, clustering_id: int) -> dict[str, NDArray[Any]]:
        """The fitted state of a clustering's reducer."""
        return read_arrays(self._database, clustering_id, _SPACE)

    def assignments(self, clustering_id: int) -> Assignments:
        """The members of a clustering and the unassigned images; no order is promised.

        Raises:
            StoreError: They are kept no more.
        """
        rows = self._database.read(self._kept_members(clustering_id))
        return Assignments(*(rows[column].to_numpy() for column in ASSIGNMENTS.names))

    def assignment_table(
        self, members: Assignments, paths: Sequence[str | None], names: Mapping[int, str]
    ) -> ArrowTable:
        """Members as a table; see `organizer.library.Library.assignments`.

        Args:
            members: The members.
            paths: A path of each member.
            names: Names by cluster.
        """
        clusters = members.cluster_ids.tolist()
        return pa.table(
            {
                "image_id": pa.array(members.image_ids.tolist(), pa.string()),
                "path": pa.array(paths, pa.string()),
                "cluster_id": pa.array([None if c == NOISE else c for c in clusters], pa.int64()),
                "cluster_name": pa.array([names.get(c) for c in clusters], pa.string()),
                "distance": pa.array(members.distances, pa.float32()),
                "state": pa.array(members.states.tolist(), pa.string()),
            }
        )

    def count(self, clustering_id: int) -> int:
        """Number of images in a clustering, unassigned ones included.

        Raises:
            StoreError: Its members are kept no more.
        """
        return self._database.count(self._kept_members(clustering_id))

    def count_unassigned(self, clustering_id: int) -> int:
        """Number of images of a clustering that are in no cluster."""
        where = f"state = '{AssignmentState.UNSURE.value}'"
        return self._database.count(self._kept_members(clustering_id), where)

    def clusters_of(self, clustering_id: int, image_ids: Sequence[str]) -> dict[str, int]:
        """The clusters of some images; those that are in none are left out."""
        rows = self._database.read_by_id(
            _members(clustering_id), "image_id", image_ids, ["image_id", "cluster_id"]
        )
        pairs = zip(rows["image_id"].to_pylist(), rows["cluster_id"].to_pylist(), strict=True)
        return {image_id: cluster_id for image_id, cluster_id in pairs if cluster_id >= 0}

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

    def member_tables(self) -> list[str]:
        """The tables that hold members."""
        return [name for name in self._database.names() if name.startswith(_members())]

    # Writing -------------------------------------------------------------------------------

    def begin_ingest(self) -> int:
        """Count an ingest that brings something new; its number is given to no other."""
        last = self._database.read("ingests", ["ingest_id"])["ingest_id"].to_numpy()
        number = int(last.max(initial=0)) + 1
        row = {"ingest_id": number, "at": now()}
        self._database.append("ingests", pa.Table.from_pylist([row], schema=INGESTS))
        return number

    def last_ingest(self) -> int:
        """The number of the last ingest that brought something new; 0 if there was none."""
        last = self._database.read("ingests", ["ingest_id"])["ingest_id"].to_numpy()
        return int(last.max(initial=0))

    def ingest_times(self) -> dict[int, str]:
        """When each ingest that brought something new began."""
        rows = self._database.read("ingests").to_pylist()
        return {row["ingest_id"]: row["at"] for row in rows}

    def add(
        self,
        clustering: Clustering,
        *,
        parent_id: int | None,
        lineage: LineageReport,
        action: str = "recluster",
        decision_id: int = 0,
    ) -> int:
        """Store a clustering and make it the current one. It becomes so with its last row."""
        clustering_id = self._next_clustering_id()
        self._database.create_table(_members(clustering_id), ASSIGNMENTS)
        self.append_members(clustering_id, clustering.members)
        arrays = {f"{_SPACE}{name}": array for name, array in clustering.space.items()}
        arrays |= _exemplar_arrays(clustering.exemplars)
        write_arrays(self._database, clustering_id, arrays)
        self.revise(clustering_id, clustering.models, revision=self.last_ingest())
        row = {
            "clustering_id": clustering_id,
            "parent_id": parent_id,
            "created_at": now(),
            "action": action,
            "decision_id": decision_id,
            "embedder": clustering.embedder.to_json(),
            "reducer": clustering.reducer.to_json(),
            "clusterer": clustering.clusterer.to_json(),
            "algorithm": clustering.algorithm,
            "evidence": json.dumps([asdict(candidate) for candidate in clustering.evidence]),
            "lineage": json.dumps(_lineage_row(lineage)),
        }
        self._database.append("clusterings", pa.Table.from_pylist([row], schema=CLUSTERINGS))
        self.make_current(clustering_id, action=action)
        self._drop_old_members(clustering_id)
        return clustering_id

    def revise(self, clustering_id: int, models: ClusterModels, *, revision: int) -> None:
        """Write the clusters as they are after an ingest, in one commit."""
        self._database.append("clusters", _cluster_rows(clustering_id, revision, models))

    def add_exemplars(self, clustering_id: int, exemplars: Exemplars) -> None:
        """Add the exemplars of novel clusters."""
        write_arrays(self._database, clustering_id, _exemplar_arrays(exemplars))

    def extend_space(self, clustering_id: int, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue arrays of the space with what was learned of images that came since."""
        arrays = {f"{_SPACE}{name}": array for name, array in state.items()}
        write_arrays(self._database, clustering_id, arrays)

    def append_members(self, clustering_id: int, members: Assignments) -> None:
        """Add images to a clustering that they are not in."""
        self._database.append(_members(clustering_id), _member_rows(members))

    def change_members(self, clustering_id: int, members: Assignments) -> None:
        """Change where images are that were unassigned."""
        name = _members(clustering_id)
        for start in range(0, len(members), _ROWS_PER_UPSERT):
            part = members.take(np.arange(start, min(start + _ROWS_PER_UPSERT, len(members))))
            self._database.upsert(name, ["image_id"], _member_rows(part))

    def make_current(self, clustering_id: int, *, action: str) -> None:
        """Make a stored clustering the current one."""
        last = self._database.read("heads", ["head_id"])["head_id"].to_numpy()
        row = {
            "head_id": int(last.max(initial=0)) + 1,
            "clustering_id": clustering_id,
            "action": action,
            "at": now(),
        }
        self._database.append("heads", pa.Table.from_pylist([row], schema=HEADS))

    def _next_clustering_id(self) -> int:
        """Above every id that was begun, also by a clustering that was interrupted."""
        ids = self._database.read("clusterings", ["clustering_id"])["clustering_id"].to_pylist()
        ids += self._database.read("clusters", ["clustering_id"])["clustering_id"].to_pylist()
        ids += self._database.read("arrays", ["clustering_id"])["clustering_id"].to_pylist()
        ids += [int(name.removeprefix(_members())) for name in self.member_tables()]
        return max(ids, default=0) + 1

    def _drop_old_members(self, clustering_id: int) -> None:
        """Keep the members of a clustering and of those that undo can go back to."""
        rows = self._database.read("clusterings", ["clustering_id", "parent_id"]).to_pylist()
        parents = {row["clustering_id"]: row["parent_id"] for row in rows}
        kept: list[int] = []
        ancestor: int | None = clustering_id
        while ancestor is not None and len(kept) < _KEPT:
            kept.append(ancestor)
            ancestor = parents.get(ancestor)
        dropped = set(self.member_tables()) - {_members(kept_id) for kept_id in kept}
        for name in dropped:
            self._database.drop(name)
        if dropped:
            listed = ", ".join(f"{kept_id:d}" for kept_id in kept)
            self._database.delete_where("arrays", f"clustering_id NOT IN ({listed})")


def _members(clustering_id: int | None = None) -> str:
    return "assignments_" if clustering_id is None else f"assignments_{clustering_id:d}"


def _of(clustering_id: int) -> str:
    return f"clustering_id = {clustering_id:d}"


def _member_rows(members: Assignments) -> pa.Table:
    columns = {item.name: getattr(members, item.name) for item in fields(members)}
    return pa.table(
        [
            pa.array(columns["image_ids"], pa.string()),
            columns["cluster_ids"].astype(np.int64),
            columns["candidates"].astype(np.int64),
            columns["distances"].astype(np.float32),
            columns["margins"].astype(np.float32),
            pa.array(columns["states"], pa.string()),
            columns["since"].astype(np.int64),
        ],
        schema=ASSIGNMENTS,
    )


def _cluster_rows(clustering_id: int, revision: int, models: ClusterModels) -> pa.Table:
    n = len(models)
    dim = models.means.shape[1]
    offsets = np.arange(0, (n + 1) * dim, dim, dtype=np.int32)
    columns = [
        np.full(n, clustering_id, np.int64),
        np.full(n, revision, np.int64),
        models.cluster_ids,
        models.mode_ids,
        pa.ListArray.from_arrays(offsets, pa.array(models.means.ravel())),
        models.counts,
        models.distance_means,
        models.distance_m2s,
        models.fit_means,
        models.fit_deviations,
        pa.array(models.medoids, pa.string()),
        pa.array(models.origins, pa.string()),
    ]
    return pa.table(columns, schema=CLUSTERS)


def _models(rows: list[dict[str, Any]]) -> ClusterModels:
    rows.sort(key=lambda row: (row["cluster_id"], row["mode_id"]))

    def column(name: str, kind: type) -> NDArray[Any]:
        return np.array([row[name] for row in rows], dtype=kind)

    return ClusterModels(
        cluster_ids=column("cluster_id", np.int64),
        mode_ids=column("mode_id", np.int64),
        means=column("mean", np.float64).reshape(len(rows), -1),
        counts=column("count", np.int64),
        distance_means=column("distance_mean", np.float64),
        distance_m2s=column("distance_m2", np.float64),
        fit_means=column("fit_mean", np.float64),
        fit_deviations=column("fit_deviation", np.float64),
        medoids=tuple(row["medoid"] for row in rows),
        origins=tuple(row["origin"] for row in rows),
    )


def _exemplar_arrays(exemplars: Exemplars) -> dict[str, NDArray[Any]]:
    return {
        f"{_EXEMPLARS}mode_ids": exemplars.mode_ids,
        f"{_EXEMPLARS}vectors": exemplars.vectors,
    }


def _stored(row: dict[str, Any]) -> StoredClustering:
    return StoredClustering(
        clustering_id=row["clustering_id"],
        parent_id=row["parent_id"],
        created_at=row["created_at"],
        action=row["action"],
        decision_id=row["decision_id"],
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
        split=tuple(Split(item["cluster_id"], tuple(item["into"])) for item in stored["split"]),
        merged=tuple(
            Merge(item["cluster_id"], tuple(item["sources"])) for item in stored["merged"]
        ),
        new=tuple(stored[_NEW]),
        retired=tuple(stored["retired"]),
        images_moved=stored["images_moved"],
    )
