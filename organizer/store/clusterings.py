"""Clusterings: their members and models, and which of them is the current one.

A recluster makes a base: a members table, a space, and modes. Decisions change the base: the
clusterings that they make are rows of the journal, with the changes of members and modes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from organizer.errors import StoreError
from organizer.store.arrays import read_arrays, write_arrays
from organizer.store.clustering_rows import (
    SELECT_CLUSTERINGS,
    StoredClustering,
    clustering_row,
    specs_row,
    stored_clustering,
)
from organizer.store.database import Database, now
from organizer.store.known_members import KnownMembers
from organizer.store.member_changes import MemberChange, MemberChanges
from organizer.store.modes import ModeTable
from organizer.store.schemas import ASSIGNMENTS, ArrowTable
from organizer.store.steps import StepTable
from organizer.types import (
    NOISE,
    Assignments,
    AssignmentState,
    Clustering,
    ClusterModels,
    Exemplars,
    LineageReport,
    StepKind,
)

_SPACE, _EXEMPLARS = "space.", "exemplars."
MADE_BY_A_PERSON = "made by a person"
"""The origin of a cluster that a decision made of images."""

_FOLD_FROM = 50_000
_FOLD_SHARE = 0.25
"""Changed members, and their share, from which the members table is written again with them."""


@dataclass(frozen=True, slots=True)
class Memberships:
    """The cluster of each image in one state of the library.

    Made in a snapshot and asked after it, so that nobody waits for the look-up.
    """

    database: Database
    base_id: int
    dataset: Any
    changed: Mapping[str, int]

    def of(self, image_ids: Sequence[str]) -> dict[str, int]:
        """The clusters of some images; those that are in none are left out."""
        rows = self.database.read_by_id(
            _members(self.base_id),
            "image_id",
            image_ids,
            ["image_id", "cluster_id"],
            dataset=self.dataset,
        )
        found = dict(zip(rows["image_id"].to_pylist(), rows["cluster_id"].to_pylist(), strict=True))
        found |= {i: self.changed[i] for i in found if i in self.changed}
        return {image_id: cluster_id for image_id, cluster_id in found.items() if cluster_id >= 0}


class ClusteringTables:
    """The clusterings of one library. One is current; the others are history."""

    def __init__(self, database: Database, *, steps: StepTable) -> None:
        self._database, self._journal, self._steps = database, database.journal, steps
        self._changes = MemberChanges(database.journal)
        self._modes = ModeTable(database.journal)
        self._known: KnownMembers | None = None

    # Reading -------------------------------------------------------------------------------

    def current(self) -> StoredClustering | None:
        """The current clustering, or None before the first one."""
        with self._journal.snapshot():
            last = self._steps.last()
            return self.get(last.clustering_id) if last and last.clustering_id else None

    def get(self, clustering_id: int) -> StoredClustering:
        """A clustering by its id."""
        rows = self._journal.rows(
            f"{SELECT_CLUSTERINGS} WHERE c.clustering_id = ?", [clustering_id]
        )
        if not rows:
            raise StoreError(f"clustering {clustering_id} is not in the library any more")
        return stored_clustering(rows[0])

    def all(self) -> list[StoredClustering]:
        """Every clustering that was ever made, in order."""
        return [
            stored_clustering(row)
            for row in self._journal.rows(f"{SELECT_CLUSTERINGS} ORDER BY c.clustering_id")
        ]

    def models(self, clustering_id: int, *, as_made: bool = False) -> ClusterModels:
        """The clusters of a clustering, with all images ingested since or without them."""
        with self._journal.snapshot():
            base_id = self._base(clustering_id)
            return self._modes.made(base_id) if as_made else self._modes.current(base_id)

    def cluster_ids(self, clustering_id: int) -> list[int]:
        """The ids of the clusters of a clustering, ascending."""
        with self._journal.snapshot():
            return self._modes.cluster_ids(self._base(clustering_id))

    def models_before(self, step_id: int, clustering_id: int) -> ClusterModels:
        """The clusters of a clustering, the modes that a step changed as they were before it."""
        with self._journal.snapshot():
            return self._modes.before(self._base(clustering_id), step_id)

    def modes_changed_by(self, step_id: int) -> list[int]:
        """The modes that a step changed."""
        return self._modes.changed_by(step_id)

    def change_of_step(self, step_id: int) -> MemberChange:
        """The members that a step changed, before and after it."""
        return self._changes.of_step(step_id)

    def origins(self) -> dict[int, tuple[int, str]]:
        """For every cluster that ever was: the clustering that it began in, and how it came."""
        rows = self._journal.rows("SELECT * FROM cluster_origins ORDER BY cluster_id")
        return {row["cluster_id"]: (row["clustering_id"], row["origin"]) for row in rows}

    def exemplars(self, clustering_id: int) -> Exemplars:
        """The exemplars of a clustering's modes; none in one of format 1."""
        base_id = self._base(clustering_id)
        arrays = read_arrays(self._database, base_id, _EXEMPLARS)
        if not arrays:
            return Exemplars(np.empty(0, np.int64), np.empty((0, 0), np.float16))
        return Exemplars(arrays["mode_ids"], arrays["vectors"])

    def space(self, clustering_id: int) -> dict[str, NDArray[Any]]:
        """The fitted state of a clustering's reducer."""
        return read_arrays(self._database, self._base(clustering_id), _SPACE)

    def assignments(self, clustering_id: int) -> Assignments:
        """The members of a clustering and the unassigned images; no order is promised.

        Clusterings that decisions made of one base have the same members: those of the base now.
        The arrays are shared with whoever asks next, and cannot be written.
        """
        with self._journal.snapshot():
            base_id = self._base(clustering_id)
            version, last = self._database.version(_members(base_id)), self._changes.last()
            known = self._known
            if known is None or (known.base_id, known.version) != (base_id, version):
                dataset = self._database.dataset(_members(base_id))
                changed, known = self._changes.current(base_id), None
            else:
                changed = self._changes.current(base_id, after=known.change_id)
        if known is None:
            rows = self._database.read(_members(base_id), ASSIGNMENTS.names, dataset=dataset)
            known = KnownMembers(base_id, version, 0, _assignments(rows))
        known = known.changed(changed, last)
        if not self._journal.is_written_here():  # what is not committed may never be
            self._known = known
        return known.members

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
        """Number of images in a clustering, unassigned ones included."""
        return self._database.count(_members(self._base(clustering_id)))

    def count_unassigned(self, clustering_id: int) -> int:
        """Number of images of a clustering that are in no cluster."""
        with self._journal.snapshot():
            base_id = self._base(clustering_id)
            dataset = self._database.dataset(_members(base_id))
            more = self._changes.unassigned(base_id)
        where = f"state = '{AssignmentState.UNSURE.value}'"
        return self._database.count(_members(base_id), where, dataset=dataset) + more

    def members_among(self, clustering_id: int, image_ids: Sequence[str]) -> set[str]:
        """Which of some images are members of a clustering, in a cluster or not."""
        name = _members(self._base(clustering_id))
        rows = self._database.read_by_id(name, "image_id", image_ids, ["image_id"])
        return set(rows["image_id"].to_pylist())

    def clusters_of(self, clustering_id: int, image_ids: Sequence[str]) -> dict[str, int]:
        """The clusters of some images; those that are in none are left out."""
        return self.memberships(clustering_id).of(image_ids)

    def memberships(self, clustering_id: int) -> Memberships:
        """The clusters of images as they are now, to be looked up later."""
        with self._journal.snapshot():
            base_id = self._base(clustering_id)
            dataset = self._database.dataset(_members(base_id))
            return Memberships(self._database, base_id, dataset, self._changes.clusters(base_id))

    def has_members(self, clustering_id: int) -> bool:
        """Whether the members of a clustering are kept; see `organizer.store.former_bases`."""
        return self._database.has(_members(self._base(clustering_id)))

    def fingerprint(self) -> tuple[int, ...]:
        """Numbers of which one is another one when the clusters or a table have changed.

        They begin with those of `decided`.
        """
        with self._journal.snapshot():
            tables = self._journal.rows("SELECT version FROM table_versions ORDER BY name")
            versions = (int(row["version"]) for row in tables)
            return (*self.decided(), self.last_ingest(), *versions)

    def decided(self) -> tuple[int, int]:
        """Numbers of which one is another one when a member has changed its cluster.

        Images that an ingest adds to the clusters change none.
        """
        with self._journal.snapshot():
            last = self._steps.last()
            change = self._journal.value("SELECT max(change_id) FROM changes")
            return 0 if last is None else last.step_id, int(change or 0)

    def next_cluster_id(self) -> int:
        """An id that no cluster ever had."""
        return int(self._journal.value("SELECT max(cluster_id) FROM cluster_origins") or 0) + 1

    def member_tables(self) -> list[str]:
        """The tables that hold members."""
        return [name for name in self._database.names() if name.startswith(_members())]

    def _base(self, clustering_id: int) -> int:
        query = "SELECT base_id FROM clusterings WHERE clustering_id = ?"
        return int(self._journal.value(query, [clustering_id]) or clustering_id)

    # Writing -------------------------------------------------------------------------------

    def begin_ingest(self, *, after: int = 0) -> int:
        """Count an ingest that brings something new; its number is given to no other.

        Args:
            after: The number of the ingest that it continues after a decision: both have the same
                time. 0 for an ingest that continues none.
        """
        number = self.last_ingest() + 1
        at = self.ingest_times().get(after) or now()
        with self._database.transaction():
            self._journal.insert("ingests", [{"ingest_id": number, "at": at}])
        return number

    def last_ingest(self) -> int:
        """The number of the last ingest that brought something new; 0 if there was none."""
        return int(self._journal.value("SELECT max(ingest_id) FROM ingests") or 0)

    def last_ingests(self) -> tuple[int, ...]:
        """All numbers of the last ingest: it gets another one after each decision during it."""
        rows = self._journal.rows(
            "SELECT ingest_id FROM ingests WHERE at = "
            "(SELECT at FROM ingests ORDER BY ingest_id DESC LIMIT 1) ORDER BY ingest_id"
        )
        return tuple(row["ingest_id"] for row in rows)

    def ingest_times(self) -> dict[int, str]:
        """When each ingest that brought something new began."""
        return {row["ingest_id"]: row["at"] for row in self._journal.rows("SELECT * FROM ingests")}

    def add(self, clustering: Clustering, *, parent_id: int | None, lineage: LineageReport) -> int:
        """Store a clustering that a recluster made, and make it the current one; returns its id."""
        with self._database.transaction():
            clustering_id, at = self._next_clustering_id(), now()
            self._database.create_table(_members(clustering_id), ASSIGNMENTS)
            self._database.append(_members(clustering_id), _member_rows(clustering.members))
            arrays = {f"{_SPACE}{name}": array for name, array in clustering.space.items()}
            arrays |= _exemplar_arrays(clustering.exemplars)
            write_arrays(self._database, clustering_id, arrays)
            step = self._steps.add(StepKind.RECLUSTER, at=at, clustering_id=clustering_id)
            row = clustering_row(
                clustering_id, clustering_id, parent_id, step.step_id, at, "recluster", lineage
            )
            self._journal.insert("clusterings", [row | specs_row(clustering)])
            self._modes.write(clustering_id, clustering.models, is_new=True)
            self._add_origins(clustering_id, clustering.models)
        return clustering_id

    def add_decided(
        self,
        parent: StoredClustering,
        *,
        models: ClusterModels,
        change: MemberChange,
        exemplars: Exemplars | None,
        lineage: LineageReport,
        action: str,
        given_ids: Sequence[int] = (),
    ) -> int:
        """Store the clustering that decisions made of the current one, as a step of the history.

        Args:
            parent: The current clustering.
            models: All clusters after the decisions.
            change: The members that they changed.
            exemplars: Those of new modes; None for none.
            lineage: What became of the clusters.
            action: See `StoredClustering`.
            given_ids: Clusters that the decisions made, also those that are gone again.

        Returns:
            The step.
        """
        with self._database.transaction():
            clustering_id, at = self._next_clustering_id(), now()
            step = self._steps.add(StepKind.DECISIONS, at=at, clustering_id=clustering_id)
            row = clustering_row(
                clustering_id,
                parent.base_id,
                parent.clustering_id,
                step.step_id,
                at,
                action,
                lineage,
            )
            self._journal.insert("clusterings", [row])
            self.change(parent.base_id, models, change, exemplars=exemplars, step_id=step.step_id)
            self._add_origins(clustering_id, models, given_ids)
        return step.step_id

    def change(
        self,
        base_id: int,
        models: ClusterModels,
        change: MemberChange,
        *,
        exemplars: Exemplars | None = None,
        step_id: int = 0,
    ) -> None:
        """Change the clusters and members of a base.

        Args:
            base_id: The base.
            models: All its clusters after the change.
            change: The members that change.
            exemplars: Those of new modes; None for none.
            step_id: The step that it is part of; 0 for an ingest.
        """
        with self._database.transaction():
            self._changes.add(base_id, change, step_id=step_id)
            self._modes.write(base_id, models, step_id=step_id)
            if exemplars is not None:
                write_arrays(self._database, base_id, _exemplar_arrays(exemplars))
            if not step_id:
                self._add_origins(base_id, models)

    def extend_space(self, clustering_id: int, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue arrays of the space with what was learned of images that came since."""
        arrays = {f"{_SPACE}{name}": array for name, array in state.items()}
        write_arrays(self._database, self._base(clustering_id), arrays)

    def rebuild_members(self, base_id: int) -> Assignments:
        """Write the members table of a base again: its rows, and each change of them.

        Images whose rows were lost are members again where a change says what they were.

        Returns:
            The members; images of which nothing is known are none of them.
        """
        name = _members(base_id)
        with self._database.transaction():
            self._database.create_table(name, ASSIGNMENTS)
            members = _assignments(self._database.read(name, ASSIGNMENTS.names))
            changed, every = self._changes.current(base_id), self._changes.every(base_id)
            kept = ~np.isin(members.image_ids, changed.image_ids)
            members = Assignments.joined([members.take(np.flatnonzero(kept)), changed])
            lost = ~np.isin(every.image_ids, members.image_ids)
            members = Assignments.joined([members, every.take(np.flatnonzero(lost))])
            self._database.overwrite(name, _member_rows(members))
            self._changes.mark_folded(base_id)
        return members

    def has_arrays(self, clustering_id: int) -> bool:
        """Whether the space of a clustering, and its exemplars, are kept."""
        return self._database.has(f"arrays_{self._base(clustering_id):d}")

    def lost_members(self, clustering_id: int) -> int:
        """Number of changed members that the members table has not: none in a sound library."""
        base_id = self._base(clustering_id)
        rows = self._database.read(_members(base_id), ["image_id"])["image_id"].to_numpy()
        return int(np.count_nonzero(~np.isin(self._changes.current(base_id).image_ids, rows)))

    def append_members(self, clustering_id: int, members: Assignments) -> None:
        """Add images to a clustering that they are not in."""
        self._database.append(_members(self._base(clustering_id)), _member_rows(members))

    def fold(self, clustering_id: int) -> None:
        """Write the members table again where many members have changed since."""
        base_id = self._base(clustering_id)
        changed = self._changes.count(base_id)
        if changed > max(_FOLD_FROM, _FOLD_SHARE * self.count(clustering_id)):
            with self._database.transaction():
                members = self.assignments(clustering_id)
                self._database.overwrite(_members(base_id), _member_rows(members))
                self._changes.mark_folded(base_id)

    def _next_clustering_id(self) -> int:
        return int(self._journal.value("SELECT max(clustering_id) FROM clusterings") or 0) + 1

    def _add_origins(
        self, clustering_id: int, models: ClusterModels, given_ids: Sequence[int] = ()
    ) -> None:
        origins = dict.fromkeys(given_ids, MADE_BY_A_PERSON)
        origins |= dict(zip(models.cluster_ids.tolist(), models.origins, strict=True))
        rows = [
            {"cluster_id": cluster_id, "clustering_id": clustering_id, "origin": origin}
            for cluster_id, origin in origins.items()
        ]
        self._journal.insert("cluster_origins", rows, known="ignore")


def _members(base_id: int | None = None) -> str:
    return "assignments_" if base_id is None else f"assignments_{base_id:d}"


def _assignments(rows: pa.Table) -> Assignments:
    columns = {name: rows[name].to_numpy() for name in ASSIGNMENTS.names}
    states = rows["state"].combine_chunks().dictionary_encode()  # one text each, not one a row
    texts = np.array(states.dictionary.to_pylist(), dtype=object)
    columns["state"] = texts[states.indices.to_numpy()]
    return Assignments(*columns.values())


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


def _exemplar_arrays(exemplars: Exemplars) -> dict[str, NDArray[Any]]:
    return {
        f"{_EXEMPLARS}mode_ids": exemplars.mode_ids,
        f"{_EXEMPLARS}vectors": exemplars.vectors,
    }
