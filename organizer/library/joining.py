"""New images among present clusters; nobody else moves.

All images of one ingest are compared with the clusters as they were at its beginning, so the size
of the batches decides nothing; what they add to the clusters is written at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from organizer.cluster.decisions import Constraints, compiled
from organizer.cluster.fit import calibrate
from organizer.cluster.incremental import Sums, grown, place_at, unit
from organizer.cluster.locate import BORN, locate
from organizer.library.births import Birth, births
from organizer.library.crops import alive
from organizer.library.draft import Images, assigned, nobody, states_of
from organizer.library.obeying import decided_rows, obey
from organizer.library.space import Space
from organizer.store import Store, StoredClustering
from organizer.types import (
    NOISE,
    Assignments,
    AssignmentState,
    ClusterModels,
    Exemplars,
    Labels,
    Vectors,
)

_ROWS_AT_ONCE = 8_192
_BY_CENTROID = "kmeans"  # the others' clusters have any shape


@dataclass(frozen=True, slots=True)
class Finished:
    """What an ingest did to the clusters besides letting images join.

    Attributes:
        born: New clusters from the pile.
        settled: Images of the pile that are in them.
    """

    born: tuple[Birth, ...] = ()
    settled: int = 0


class Joiner:
    """The clusters of the current clustering, while images join them."""

    def __init__(self, store: Store, clustering: StoredClustering, *, seed: int) -> None:
        self._store, self._clustering, self._seed = store, clustering, seed
        self._id = clustering.clustering_id
        self._models = store.clusterings.models(self._id)
        self._centroids = self._models.centroids
        self._exemplars = store.clusterings.exemplars(self._id)
        self._space = Space.restored(
            clustering.reducer, store.clusterings.space(self._id), seed=seed
        )
        if not len(self._exemplars.mode_ids):
            self._models, self._exemplars = measured_fit(
                store, clustering, self._models, self._space, seed=seed
            )
            store.clusterings.add_exemplars(self._id, self._exemplars)
        self._by_centroid = clustering.clusterer.name == _BY_CENTROID
        self._constraints = compiled(store.decisions.all())
        self._sums = Sums.zero(self._models)
        self._joined = self._unsure = 0
        self.ingest_id = store.clusterings.begin_ingest()

    def join(self, image_ids: Sequence[str], vectors: Vectors) -> Assignments:
        """Put images into the clusters that they fit; those that fit none are unsure."""
        if not image_ids:
            return nobody()
        parts = [
            self._join(image_ids[start : start + _ROWS_AT_ONCE], vectors[start:][:_ROWS_AT_ONCE])
            for start in range(0, len(image_ids), _ROWS_AT_ONCE)
        ]
        joined = Assignments.joined(parts)
        self._store.clusterings.append_members(self._id, joined)
        self._joined += len(joined)
        self._unsure += int(joined.unsure.sum())
        return joined

    def finish(self) -> Finished:
        """Let the clusters follow what joined, and look at the pile if it has grown."""
        if not self._joined:
            return Finished()
        clusterings = self._store.clusterings
        models = self._sums.onto(self._models)
        pile, since = self._pile() if self._unsure else (None, None)
        found = None
        if pile is not None and since is not None:
            found = births(
                pile,
                since,
                models,
                self._exemplars,
                constraints=self._constraints,
                next_id=clusterings.next_cluster_id(),
                origin=f"{BORN} {self.ingest_id}",
                seed=self._seed,
            )
        if found is None:
            clusterings.revise(self._id, models, revision=self.ingest_id)
            return Finished()
        # The models come first: a new cluster without members is struck out by `recover`; members
        # of a cluster that is nowhere would be lost.
        clusterings.add_exemplars(self._id, found.exemplars)
        clusterings.revise(self._id, found.models, revision=self.ingest_id)
        clusterings.change_members(self._id, found.members)
        return Finished(found.born, len(found.members))

    def _join(self, image_ids: Sequence[str], vectors: Vectors) -> Assignments:
        vectors = unit(vectors)
        points = self._space.points(vectors)
        models = self._models
        location = locate(models, self._exemplars, vectors, points, by_centroid=self._by_centroid)
        placement, unsure = location.placement, location.unsure
        states = np.where(unsure, AssignmentState.UNSURE.value, AssignmentState.AUTO.value)
        joined = Assignments(
            np.array(image_ids, dtype=object),
            np.where(unsure, NOISE, models.cluster_ids[placement.nearest]),
            models.cluster_ids[placement.nearest],
            placement.distances,
            placement.margins,
            states.astype(object),
            np.full(len(image_ids), self.ingest_id, dtype=np.int64),
        )
        images = Images(joined.image_ids, vectors, points)
        rows = self._obey(images, joined, placement.nearest.copy())
        sure = joined.cluster_ids != NOISE
        self._sums.add(points[sure], rows[sure], joined.distances[sure])
        return joined

    def _obey(self, images: Images, joined: Assignments, rows: Labels) -> Labels:
        """Put images where a person said they belong; returns the row of each one's mode."""
        decided = decided_rows(images.image_ids, self._constraints)
        if not len(decided):
            return rows
        models, some = self._models, images.take(decided)
        ids = obey(some, joined.cluster_ids[decided], models, self._exemplars, self._constraints)
        states = states_of(some.image_ids, ids, self._constraints.fixed)
        put = assigned(some, ids, models, states=states, since=joined.since[decided])
        for name in ("cluster_ids", "candidates", "distances", "margins", "states"):
            getattr(joined, name)[decided] = getattr(put, name)
        at = place_at(some.points, self._centroids, models.cluster_ids, put.candidates)
        rows[decided] = at.nearest
        return rows

    def _pile(self) -> tuple[Images, Labels]:
        """The unsure images of the clustering, and the ingest that each joined in."""
        members = self._store.clusterings.assignments(self._id)
        members, vectors = _with_vectors(
            self._store, self._clustering, members.take(members.unsure)
        )
        return Images(members.image_ids, vectors, self._space.points(vectors)), members.since


def measured_fit(
    store: Store,
    clustering: StoredClustering,
    models: ClusterModels,
    space: Space,
    *,
    seed: int,
) -> tuple[ClusterModels, Exemplars]:
    """Exemplars and fit of a clustering that was made before there were any."""
    members = store.clusterings.assignments(clustering.clustering_id)
    members = members.take(~members.unsure)
    vectors = unit(store.vectors.read_rows(clustering.embedder, members.image_ids.tolist()))
    at = place_at(space.points(vectors), models.centroids, models.cluster_ids, members.cluster_ids)
    return calibrate(models, vectors, at.nearest, seed=seed)


def join_late(
    store: Store,
    clustering: StoredClustering | None,
    *,
    seed: int,
    constraints: Constraints | None = None,
) -> Finished:
    """Let images with a vector that are not in a clustering join its clusters.

    They came after a clustering that was brought back, or an ingest was cut short between their
    vectors and their clusters. Where there are none, it costs two counts.

    Args:
        store: The library.
        clustering: The clustering; None where there is none.
        seed: Of what is drawn.
        constraints: What a person said, where that is not what the library has.
    """
    if clustering is None:
        return Finished()
    clustering_id, embedder = clustering.clustering_id, clustering.embedder
    if store.vectors.count(embedder) == store.clusterings.count(clustering_id):
        return Finished()
    members = set(store.clusterings.assignments(clustering_id).image_ids.tolist())
    image_ids, vectors = alive(store, embedder, *store.vectors.read(embedder), constraints)
    rows = [row for row, image_id in enumerate(image_ids) if image_id not in members]
    if not rows:
        return Finished()
    joiner = Joiner(store, clustering, seed=seed)
    joiner.join([image_ids[row] for row in rows], vectors[rows])
    return joiner.finish()


def recover(store: Store, clustering: StoredClustering | None, *, seed: int) -> None:
    """Bring the clusters in line with their members after a writer that was cut short.

    What joined and was not counted is counted; a cluster that was born and got no member goes.
    """
    if clustering is None:
        return
    clustering_id = clustering.clustering_id
    models = store.clusterings.models(clustering_id)
    members = store.clusterings.assignments(clustering_id)
    late = members.take(
        (members.since > store.clusterings.revision(clustering_id)) & ~members.unsure
    )
    held = set(members.cluster_ids.tolist())
    required = compiled(store.decisions.all()).required
    stillborn = [
        i not in held and i not in required and origin.startswith(BORN)
        for i, origin in zip(models.cluster_ids.tolist(), models.origins, strict=True)
    ]
    if not len(late) and not any(stillborn):
        return
    if len(late):
        state = store.clusterings.space(clustering_id)
        space = Space.restored(clustering.reducer, state, seed=seed)
        late, vectors = _with_vectors(store, clustering, late)
        points = space.points(vectors)
        at = place_at(points, models.centroids, models.cluster_ids, late.cluster_ids)
        models = grown(models, points, at.nearest, late.distances)
    models = models.take(~np.array(stillborn, dtype=np.bool_))
    number = store.clusterings.begin_ingest()
    store.clusterings.revise(clustering_id, models, revision=number)


def _with_vectors(
    store: Store, clustering: StoredClustering, members: Assignments
) -> tuple[Assignments, Vectors]:
    """The members that have a vector, and ``(n, dim)`` float32 of unit length."""
    stored = store.vectors.read_some(clustering.embedder, members.image_ids.tolist())
    members = members.take(np.array([i in stored for i in members.image_ids], dtype=np.bool_))
    return members, unit(np.stack([stored[image_id] for image_id in members.image_ids]))
