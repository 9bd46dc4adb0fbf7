"""New images among present clusters; nobody else moves.

All images of one ingest are compared with the clusters as they were at its beginning, so the size
of the batches decides nothing; what they add to the clusters is written at its end. Where a
clustering takes bursts as one, or centres vectors, all new images join at the end of an ingest:
only then their bursts and cameras are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.assign import NOVEL_ORIGIN, assign_images
from organizer.cluster.decisions import compile_constraints
from organizer.cluster.incremental import ModeSums, place_in_cluster, unit_rows
from organizer.library.clustering.build import (
    PreparedImages,
    assignment_states,
    build_assignments,
    one_per_observation,
)
from organizer.library.clustering.constraints import apply_constraints, constrained_rows
from organizer.library.clustering.measure import measure_fit
from organizer.library.clustering.observations import Observations, join_bursts, make_observations
from organizer.library.clustering.preprocessing import (
    IncomingObservations,
    Preprocessor,
    decided_singly,
    single_observations,
)
from organizer.library.clustering.space import ClusterSpace
from organizer.library.ingest.novelty import NovelCluster, find_novel_clusters
from organizer.store import Store, StoredClustering
from organizer.types import (
    NOISE,
    Assignments,
    AssignmentState,
    Labels,
    Vectors,
)

_ROWS_AT_ONCE = 8_192


Located = tuple[Labels, NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]


_BY_CENTROID = "kmeans"  # the others' clusters have any shape


@dataclass(frozen=True, slots=True)
class AssignmentSummary:
    """What an ingest did to the clusters besides letting images join.

    Attributes:
        novel: New clusters from the pile.
        settled: Images of the pile that are in them.
        joined: Images that were compared with the clusters.
        unsure: Those of them that fit none.
    """

    novel: tuple[NovelCluster, ...] = ()
    settled: int = 0
    joined: int = 0
    unsure: int = 0


class Assigner:
    """The clusters of the current clustering, while images join them."""

    def __init__(self, store: Store, clustering: StoredClustering, *, seed: int) -> None:
        self._store, self._clustering, self._seed = store, clustering, seed
        self._id = clustering.clustering_id
        self._models = store.clusterings.models(self._id)
        self._centroids = self._models.centroids
        self._exemplars = store.clusterings.exemplars(self._id)
        state = store.clusterings.space(self._id)
        self._space = ClusterSpace.restored(clustering.reducer, state, seed=seed)
        self._preprocessor = Preprocessor.restored(store, clustering, state)
        if not len(self._exemplars.mode_ids):
            self._models, self._exemplars = measure_fit(
                store, clustering, self._models, self._space, seed=seed
            )
            store.clusterings.add_exemplars(self._id, self._exemplars)
        self._by_centroid = clustering.clusterer.name == _BY_CENTROID
        self._constraints = compile_constraints(store.decisions.all())
        self._sums = ModeSums.zero(self._models)
        self._joined = self._unsure = 0
        self.ingest_id = store.clusterings.begin_ingest()

    def join(self, image_ids: Sequence[str], vectors: Vectors) -> Assignments:
        """Put images into the clusters that they fit; those that fit none are unsure."""
        if not image_ids:
            return Assignments.empty()
        joined = self._joined_all(image_ids, unit_rows(vectors))
        self._store.clusterings.append_members(self._id, joined)
        self._joined += len(joined)
        self._unsure += int(joined.unsure.sum())
        return joined

    def finish(self) -> AssignmentSummary:
        """Let the clusters follow what joined, and look at the pile if it has grown."""
        if not self._joined:
            return AssignmentSummary()
        clusterings = self._store.clusterings
        models = self._sums.added_to(self._models)
        unassigned, since = self._unassigned() if self._unsure else (None, None)
        found = None
        if unassigned is not None and since is not None:
            found = find_novel_clusters(
                PreparedImages(
                    unassigned.names, unassigned.vectors, self._space.points(unassigned.vectors)
                ),
                since[unassigned.firsts],
                models,
                self._exemplars,
                constraints=self._constraints,
                next_id=clusterings.next_cluster_id(),
                origin=f"{NOVEL_ORIGIN} {self.ingest_id}",
                seed=self._seed,
            )
        if found is None:
            clusterings.revise(self._id, models, revision=self.ingest_id)
            return AssignmentSummary(joined=self._joined, unsure=self._unsure)
        # The models come first: a new cluster without members is struck out by `recount_members`;
        # members of a cluster that is nowhere would be lost.
        clusterings.add_exemplars(self._id, found.exemplars)
        clusterings.revise(self._id, found.models, revision=self.ingest_id)
        assert unassigned is not None  # noqa: S101 - something was born of it
        assert since is not None  # noqa: S101
        settled = unassigned.settled(found.members, since)
        clusterings.change_members(self._id, settled)
        return AssignmentSummary(
            tuple(_with_all_images(cluster_found, settled) for cluster_found in found.novel),
            len(settled),
            self._joined,
            self._unsure,
        )

    def _joined_all(self, image_ids: Sequence[str], vectors: Vectors) -> Assignments:
        if self._preprocessor.is_plain:
            parts = [
                self._join(image_ids[rows], single_observations(vectors[rows]))
                for rows in _blocks(len(image_ids))
            ]
            return Assignments.joined(parts)
        learned = self._preprocessor.learn(image_ids, vectors)
        if learned:
            # Before the members: what a kill leaves is learned twice, and a mean stays that mean.
            self._store.clusterings.extend_space(self._id, learned)
        return self._join(
            image_ids, self._seen(image_ids, self._preprocessor.centred(image_ids, vectors))
        )

    def _join(self, image_ids: Sequence[str], seen: IncomingObservations) -> Assignments:
        models = self._models
        points = self._space.points(seen.vectors)
        parts = [self._located(seen, points, rows) for rows in _blocks(len(points))]
        nearest, distances, margins, unsure = (
            np.concatenate(part)[seen.numbers] for part in zip(*parts, strict=True)
        )
        states = np.where(unsure, AssignmentState.UNSURE.value, AssignmentState.AUTO.value)
        joined = Assignments(
            np.array(image_ids, dtype=object),
            np.where(unsure, NOISE, models.cluster_ids[nearest]),
            models.cluster_ids[nearest],
            distances,
            margins,
            states.astype(object),
            np.full(len(image_ids), self.ingest_id, dtype=np.int64),
        )
        rows = self._obey(joined, seen, points, nearest)
        counted = (joined.cluster_ids != NOISE) & (seen.homes == NOISE)[seen.numbers]
        if len(points) < len(rows):
            counted = one_per_observation(np.where(counted, rows, NOISE), seen.numbers) != NOISE
        counted = np.flatnonzero(counted)
        self._sums.add(points[seen.numbers[counted]], rows[counted], joined.distances[counted])
        return joined

    def _located(self, seen: IncomingObservations, points: Vectors, rows: slice) -> Located:
        """The mode of some observations, their distances and margins, and whether they fit none."""
        models = self._models
        location = assign_images(
            models, self._exemplars, seen.vectors[rows], points[rows], by_centroid=self._by_centroid
        )
        at, unsure = location.placement, location.unsure
        homes = seen.homes[rows]
        settled = homes != NOISE
        if not settled.any():
            return at.nearest, at.distances, at.margins, unsure
        home = place_in_cluster(points[rows], self._centroids, models.cluster_ids, homes)
        return (
            np.where(settled, home.nearest, at.nearest),
            np.where(settled, home.distances, at.distances),
            np.where(settled, home.margins, at.margins),
            unsure & ~settled,
        )

    def _seen(self, image_ids: Sequence[str], vectors: Vectors) -> IncomingObservations:
        """New images as the observations that they make with the images of their bursts."""
        if not self._preprocessor.bursts:
            return single_observations(vectors)
        members = self._store.clusterings.assignments(self._id)
        new = list(image_ids)
        burst_members = np.isin(members.image_ids, self._preprocessor.in_same_bursts(new))
        members = members.take(burst_members & ~np.isin(members.image_ids, new))
        known = vectors[:0]
        if len(members):
            members, known = self._with_vectors(members)
        return join_bursts(
            self._preprocessor,
            (image_ids, vectors),
            (members, known),
            singly=decided_singly(self._store.decisions.all()),
        )

    def _obey(
        self, joined: Assignments, seen: IncomingObservations, points: Vectors, nearest: Labels
    ) -> Labels:
        """Put images where a person said they belong; returns the row of each one's mode."""
        rows = nearest.copy()
        decided = constrained_rows(joined.image_ids, self._constraints)
        if not len(decided):
            return rows
        models, numbers = self._models, seen.numbers[decided]
        some = PreparedImages(joined.image_ids[decided], seen.vectors[numbers], points[numbers])
        ids = apply_constraints(
            some, joined.cluster_ids[decided], models, self._exemplars, self._constraints
        )
        states = assignment_states(some.image_ids, ids, self._constraints.fixed)
        put = build_assignments(some, ids, models, states=states, since=joined.since[decided])
        for name in ("cluster_ids", "candidates", "distances", "margins", "states"):
            getattr(joined, name)[decided] = getattr(put, name)
        at = place_in_cluster(some.points, self._centroids, models.cluster_ids, put.candidates)
        rows[decided] = at.nearest
        return rows

    def _unassigned(self) -> tuple[Observations, Labels]:
        """The unsure images of the clustering, and the ingest that each joined in."""
        members = self._store.clusterings.assignments(self._id)
        members, vectors = self._with_vectors(members.take(members.unsure))
        ids = members.image_ids.tolist()
        singly = decided_singly(self._store.decisions.all()) if self._preprocessor.bursts else set()
        apart = [image_id if image_id in singly else None for image_id in ids]
        numbers = self._preprocessor.observations(ids, vectors, apart)
        return make_observations(ids, vectors, numbers), members.since

    def _with_vectors(self, members: Assignments) -> tuple[Assignments, Vectors]:
        """The members that have a vector, and ``(n, dim)`` float32 of unit length, centred."""
        members, vectors = members_with_vectors(self._store, self._clustering, members)
        return members, self._preprocessor.centred(members.image_ids.tolist(), vectors)


def _with_all_images(cluster_found: NovelCluster, settled: Assignments) -> NovelCluster:
    return replace(
        cluster_found, images=int(np.count_nonzero(settled.cluster_ids == cluster_found.cluster_id))
    )


def _blocks(n: int) -> list[slice]:
    return [slice(start, start + _ROWS_AT_ONCE) for start in range(0, n, _ROWS_AT_ONCE)]


def members_with_vectors(
    store: Store, clustering: StoredClustering, members: Assignments
) -> tuple[Assignments, Vectors]:
    """The members that have a vector, and ``(n, dim)`` float32 of unit length."""
    embedded = store.vectors.ids(clustering.embedder)
    members = members.take(np.array([i in embedded for i in members.image_ids], dtype=np.bool_))
    return members, unit_rows(
        store.vectors.read_rows(clustering.embedder, members.image_ids.tolist())
    )
