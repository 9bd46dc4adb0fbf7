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

from organizer.cluster.decisions import Constraints, compiled
from organizer.cluster.fit import calibrate
from organizer.cluster.incremental import Sums, grown, place_at, unit
from organizer.cluster.locate import BORN, locate
from organizer.library.births import Birth, births
from organizer.library.crops import are_crops, live
from organizer.library.draft import Images, assigned, nobody, once, states_of
from organizer.library.obeying import decided_rows, obey
from organizer.library.observing import Observed, observed, with_mates
from organizer.library.seeing import (
    Seen,
    Sight,
    as_one,
    each_by_itself,
    looks_at_contexts,
    spoken_of,
)
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
Located = tuple[Labels, NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]
_BY_CENTROID = "kmeans"  # the others' clusters have any shape


@dataclass(frozen=True, slots=True)
class Finished:
    """What an ingest did to the clusters besides letting images join.

    Attributes:
        born: New clusters from the pile.
        settled: Images of the pile that are in them.
        joined: Images that were compared with the clusters.
        unsure: Those of them that fit none.
    """

    born: tuple[Birth, ...] = ()
    settled: int = 0
    joined: int = 0
    unsure: int = 0


class Joiner:
    """The clusters of the current clustering, while images join them."""

    def __init__(self, store: Store, clustering: StoredClustering, *, seed: int) -> None:
        self._store, self._clustering, self._seed = store, clustering, seed
        self._id = clustering.clustering_id
        self._models = store.clusterings.models(self._id)
        self._centroids = self._models.centroids
        self._exemplars = store.clusterings.exemplars(self._id)
        state = store.clusterings.space(self._id)
        self._space = Space.restored(clustering.reducer, state, seed=seed)
        self._sight = Sight.restored(store, clustering, state)
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
        joined = self._joined_all(image_ids, unit(vectors))
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
                Images(pile.names, pile.vectors, self._space.points(pile.vectors)),
                since[pile.firsts],
                models,
                self._exemplars,
                constraints=self._constraints,
                next_id=clusterings.next_cluster_id(),
                origin=f"{BORN} {self.ingest_id}",
                seed=self._seed,
            )
        if found is None:
            clusterings.revise(self._id, models, revision=self.ingest_id)
            return Finished(joined=self._joined, unsure=self._unsure)
        # The models come first: a new cluster without members is struck out by `recover`; members
        # of a cluster that is nowhere would be lost.
        clusterings.add_exemplars(self._id, found.exemplars)
        clusterings.revise(self._id, found.models, revision=self.ingest_id)
        assert pile is not None  # noqa: S101 - something was born of it
        assert since is not None  # noqa: S101
        settled = pile.settled(found.members, since)
        clusterings.change_members(self._id, settled)
        return Finished(
            tuple(_with_all_images(birth, settled) for birth in found.born),
            len(settled),
            self._joined,
            self._unsure,
        )

    def _joined_all(self, image_ids: Sequence[str], vectors: Vectors) -> Assignments:
        if self._sight.is_plain:
            parts = [
                self._join(image_ids[rows], each_by_itself(vectors[rows]))
                for rows in _blocks(len(image_ids))
            ]
            return Assignments.joined(parts)
        learned = self._sight.learn(image_ids, vectors)
        if learned:
            # Before the members: what a kill leaves is learned twice, and a mean stays that mean.
            self._store.clusterings.extend_space(self._id, learned)
        return self._join(image_ids, self._seen(image_ids, self._sight.centred(image_ids, vectors)))

    def _join(self, image_ids: Sequence[str], seen: Seen) -> Assignments:
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
            counted = once(np.where(counted, rows, NOISE), seen.numbers) != NOISE
        counted = np.flatnonzero(counted)
        self._sums.add(points[seen.numbers[counted]], rows[counted], joined.distances[counted])
        return joined

    def _located(self, seen: Seen, points: Vectors, rows: slice) -> Located:
        """The mode of some observations, their distances and margins, and whether they fit none."""
        models = self._models
        location = locate(
            models, self._exemplars, seen.vectors[rows], points[rows], by_centroid=self._by_centroid
        )
        at, unsure = location.placement, location.unsure
        homes = seen.homes[rows]
        settled = homes != NOISE
        if not settled.any():
            return at.nearest, at.distances, at.margins, unsure
        home = place_at(points[rows], self._centroids, models.cluster_ids, homes)
        return (
            np.where(settled, home.nearest, at.nearest),
            np.where(settled, home.distances, at.distances),
            np.where(settled, home.margins, at.margins),
            unsure & ~settled,
        )

    def _seen(self, image_ids: Sequence[str], vectors: Vectors) -> Seen:
        """New images as the observations that they make with the images of their bursts."""
        if not self._sight.bursts:
            return each_by_itself(vectors)
        members = self._store.clusterings.assignments(self._id)
        new = list(image_ids)
        mates = np.isin(members.image_ids, self._sight.mates_of(new))
        members = members.take(mates & ~np.isin(members.image_ids, new))
        known = vectors[:0]
        if len(members):
            members, known = self._with_vectors(members)
        return with_mates(
            self._sight,
            (image_ids, vectors),
            (members, known),
            spoken=spoken_of(self._store.decisions.all()),
        )

    def _obey(self, joined: Assignments, seen: Seen, points: Vectors, nearest: Labels) -> Labels:
        """Put images where a person said they belong; returns the row of each one's mode."""
        rows = nearest.copy()
        decided = decided_rows(joined.image_ids, self._constraints)
        if not len(decided):
            return rows
        models, numbers = self._models, seen.numbers[decided]
        some = Images(joined.image_ids[decided], seen.vectors[numbers], points[numbers])
        ids = obey(some, joined.cluster_ids[decided], models, self._exemplars, self._constraints)
        states = states_of(some.image_ids, ids, self._constraints.fixed)
        put = assigned(some, ids, models, states=states, since=joined.since[decided])
        for name in ("cluster_ids", "candidates", "distances", "margins", "states"):
            getattr(joined, name)[decided] = getattr(put, name)
        at = place_at(some.points, self._centroids, models.cluster_ids, put.candidates)
        rows[decided] = at.nearest
        return rows

    def _pile(self) -> tuple[Observed, Labels]:
        """The unsure images of the clustering, and the ingest that each joined in."""
        members = self._store.clusterings.assignments(self._id)
        members, vectors = self._with_vectors(members.take(members.unsure))
        ids = members.image_ids.tolist()
        spoken = spoken_of(self._store.decisions.all()) if self._sight.bursts else set()
        apart = [image_id if image_id in spoken else None for image_id in ids]
        numbers = self._sight.observations(ids, vectors, apart)
        return observed(ids, vectors, numbers), members.since

    def _with_vectors(self, members: Assignments) -> tuple[Assignments, Vectors]:
        """The members that have a vector, and ``(n, dim)`` float32 of unit length, centred."""
        members, vectors = _with_vectors(self._store, self._clustering, members)
        return members, self._sight.centred(members.image_ids.tolist(), vectors)


def _with_all_images(birth: Birth, settled: Assignments) -> Birth:
    return replace(birth, images=int(np.count_nonzero(settled.cluster_ids == birth.cluster_id)))


def _blocks(n: int) -> list[slice]:
    return [slice(start, start + _ROWS_AT_ONCE) for start in range(0, n, _ROWS_AT_ONCE)]


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
    image_ids, vectors = _late(store, clustering, members, constraints)
    if not image_ids:
        return Finished()
    joiner = Joiner(store, clustering, seed=seed)
    joiner.join(image_ids, vectors)
    return joiner.finish()


def _late(
    store: Store, clustering: StoredClustering, members: set[str], constraints: Constraints | None
) -> tuple[list[str], Vectors]:
    """The images that are not among the members and should be, with their vectors."""
    embedder = clustering.embedder
    of_crops = are_crops(embedder)
    if of_crops or looks_at_contexts(clustering):  # every ingest comes here: only what is new
        photos = store.photos
        every = live(store, constraints) if of_crops else photos.columns("image_id")["image_id"]
        embedded = store.vectors.ids(embedder)
        late = [i for i in every if i not in members and i in embedded]
        return late, store.vectors.read_rows(embedder, late)
    image_ids, vectors = store.vectors.read(embedder)
    rows = [row for row, image_id in enumerate(image_ids) if image_id not in members]
    return [image_ids[row] for row in rows], vectors[rows]


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
        sight = Sight.restored(store, clustering, state)
        late, vectors = _uncounted(store, clustering, sight, members, late)
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


def _uncounted(
    store: Store,
    clustering: StoredClustering,
    sight: Sight,
    members: Assignments,
    late: Assignments,
) -> tuple[Assignments, Vectors]:
    """Of late members those that add to their clusters: one for each burst that was not there."""
    late, vectors = _with_vectors(store, clustering, late)
    ids = late.image_ids.tolist()
    vectors = sight.centred(ids, vectors)
    numbers = sight.observations(ids, vectors, late.cluster_ids.tolist())
    if numbers is None:
        return late, vectors
    early = members.take(~np.isin(members.image_ids, late.image_ids))
    bursts = sight.bursts_of(early.image_ids).tolist()
    there = set(zip(bursts, early.cluster_ids.tolist(), strict=True))
    mine = zip(sight.bursts_of(ids).tolist(), late.cluster_ids.tolist(), strict=True)
    new = np.array([pair[0] == NOISE or pair not in there for pair in mine], dtype=np.bool_)
    first = np.unique(numbers, return_index=True)[1]
    rows = first[new[first]]
    return late.take(rows), as_one(vectors, numbers)[rows]
