"""Assign new images to the current clusters; no other image changes its cluster.

All images of one ingest are compared with the clusters as they were at its beginning, so the size
of the batches decides nothing; what they add to the clusters is written with each batch. Where a
clustering takes bursts as one, or centres vectors, all new images are assigned at the end of an
ingest: only then their bursts and cameras are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.assign import NOVEL_ORIGIN, assign_images
from organizer.cluster.incremental import (
    ModeSums,
    PointPlacement,
    place_in_cluster,
    unit_rows,
)
from organizer.library.clustering.build import (
    PreparedImages,
    assignment_states,
    build_assignments,
    one_per_observation,
)
from organizer.library.clustering.constraints import apply_constraints, constrained_rows
from organizer.library.clustering.incoming import IncomingObservations, single_observations
from organizer.library.clustering.learned import ClusterHead
from organizer.library.ingest.loaded import LoadedClustering
from organizer.library.ingest.novelty import NovelCluster, NovelClusters, find_novel_clusters
from organizer.store import MemberChange, Store, StoredClustering
from organizer.types import NOISE, Assignments, AssignmentState, ClusterModels, Labels, Vectors

_ROWS_AT_ONCE = 8_192
_BY_CENTROID = "kmeans"  # the others' clusters have any shape

_Nearest = tuple[Labels, NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class AssignmentSummary:
    """What an ingest did to the clusters.

    Attributes:
        novel: Novel clusters among the unassigned images.
        novel_images: Images that these took.
        compared: Images that were compared with the clusters.
        unassigned: Those of them that fit none.
        assigned: The clusters of the others, one for each image; only where it was asked for.
    """

    novel: tuple[NovelCluster, ...] = ()
    novel_images: int = 0
    compared: int = 0
    unassigned: int = 0
    assigned: tuple[int, ...] = ()


class Assigner:
    """Assigns images to the clusters of a clustering; see the module.

    Args:
        loaded: The clustering.
        seed: Random seed.
        ingest_id: The number of the ingest.
        counted: The images that it has compared already, and those of them that fit no cluster.

    Examples:
        >>> assigner = Assigner.open(store, clustering, seed=0)  # doctest: +SKIP
        >>> assigner.assign(image_ids, vectors)  # doctest: +SKIP
        >>> assigner.finish().novel  # doctest: +SKIP
    """

    def __init__(
        self,
        loaded: LoadedClustering,
        *,
        seed: int,
        ingest_id: int,
        counted: tuple[int, int] = (0, 0),
    ) -> None:
        self._loaded, self._seed, self.ingest_id = loaded, seed, ingest_id
        self._step = loaded.store.steps.last()
        self._by_centroid = loaded.clustering.clusterer.name == _BY_CENTROID
        self._head = loaded.learn_head(seed=seed)
        self._sums, self._left = ModeSums.zero(loaded.models), ModeSums.zero(loaded.models)
        self._compared, self._unassigned = counted

    @classmethod
    def open(cls, store: Store, clustering: StoredClustering, *, seed: int) -> Self:
        """Read a clustering and begin an ingest. The caller holds the library for writing."""
        loaded = LoadedClustering.read(store, clustering, seed=seed)
        return cls(loaded, seed=seed, ingest_id=store.clusterings.begin_ingest())

    @property
    def is_outdated(self) -> bool:
        """Whether a decision was made since the clustering was read."""
        return self._loaded.store.steps.last() != self._step

    def reopened(self, clustering: StoredClustering) -> Self:
        """Read the clustering as decisions made it, and go on with the same ingest.

        It gets another number: whoever undoes one of these decisions tells by it which images came
        later.
        """
        store = self._loaded.store
        loaded = LoadedClustering.read(store, clustering, seed=self._seed)
        number = store.clusterings.begin_ingest(after=self.ingest_id)
        counted = self._compared, self._unassigned
        return type(self)(loaded, seed=self._seed, ingest_id=number, counted=counted)

    def assign(self, image_ids: Sequence[str], vectors: Vectors) -> Assignments:
        """Assign images to the clusters that they fit, and write it down.

        Args:
            image_ids: The images.
            vectors: ``(n, dim)`` of theirs, as the embedder gave them.

        Returns:
            The assignments; an image that fits no cluster is unassigned.
        """
        if not image_ids:
            return Assignments.empty()
        clusterings = self._loaded.store.clusterings
        with self._loaded.store.transaction():
            assigned = self._assign_all(image_ids, unit_rows(vectors))
            clusterings.append_members(self._loaded.id, assigned)
            clusterings.change(
                self._loaded.clustering.base_id, self._models(), MemberChange.empty()
            )
        self._compared += len(assigned)
        self._unassigned += int(assigned.unassigned.sum())
        return assigned

    def reassign(self, image_ids: Sequence[str], former: Vectors, vectors: Vectors) -> None:
        """Assign members anew whose vectors have changed; those that a decision fixed stay.

        So does one that is all that its cluster has.

        Args:
            image_ids: The images.
            former: ``(n, dim)`` their vectors before.
            vectors: ``(n, dim)`` their vectors now.
        """
        loaded, store = self._loaded, self._loaded.store
        base_id = loaded.clustering.base_id
        members = store.clusterings.assignments(loaded.id)
        numbers = {image_id: number for number, image_id in enumerate(image_ids)}
        rows = np.flatnonzero(np.isin(members.image_ids, np.array(image_ids, dtype=object)))
        if not len(rows):
            return
        before = members.take(rows)
        at = np.array([numbers[i] for i in before.image_ids.tolist()], dtype=np.int64)
        stays = before.states == AssignmentState.DECIDED.value
        stays |= self._leave(before, loaded.space.points(unit_rows(former[at])), stays)
        moving = np.flatnonzero(~stays)
        now = unit_rows(vectors[at])
        with store.transaction():
            if store.points.are_kept(base_id):
                store.points.forget(base_id, before.image_ids.tolist())
                kept = before.image_ids[stays].tolist()
                store.points.append(base_id, kept, loaded.space.points(now[stays]))
            if not len(moving):
                return
            before = before.take(moving)
            after = self._assign_all(before.image_ids.tolist(), now[moving])
            models = _without_medoids(self._models(), members, before, after)
            store.clusterings.change(base_id, models, MemberChange(before, after))

    def remove(self, image_ids: Sequence[str]) -> None:
        """Take members out of the sums of their clusters, as they are no images any more.

        The last member of a cluster stays in them: a cluster goes by decisions alone.
        """
        loaded, store = self._loaded, self._loaded.store
        members = store.clusterings.assignments(loaded.id)
        members = members.take(np.isin(members.image_ids, np.array(image_ids, dtype=object)))
        if not len(members):
            return
        vectors = store.vectors.read_rows(loaded.clustering.embedder, members.image_ids.tolist())
        points = loaded.space.points(unit_rows(vectors))
        self._leave(members, points, np.zeros(len(members), dtype=np.bool_))
        store.clusterings.change(loaded.clustering.base_id, self._models(), MemberChange.empty())

    def _leave(
        self, members: Assignments, points: Vectors, stays: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Take members out of the sums of their modes; true for those that have to stay there."""
        models = self._loaded.models
        alone = np.zeros(len(members), dtype=np.bool_)
        rows = np.flatnonzero(~stays & (members.cluster_ids != NOISE))
        if not len(rows):
            return alone
        held = members.cluster_ids[rows]
        modes = place_in_cluster(points[rows], models.centroids, models.cluster_ids, held).nearest
        left = models.counts + self._sums.counts - self._left.counts
        left = left - np.bincount(modes, minlength=len(left))
        alone[rows] = left[modes] <= 0
        out = ~alone[rows]
        self._left.add(points[rows[out]], modes[out], members.distances[rows[out]])
        return alone

    def _models(self) -> ClusterModels:
        """The clusters with all images that came and without those that left."""
        return self._left.removed_from(self._sums.added_to(self._loaded.models))

    def finish(self) -> AssignmentSummary:
        """Look for novel clusters if the number of unassigned images has grown."""
        if not self._compared:
            return AssignmentSummary()
        summary = AssignmentSummary(compared=self._compared, unassigned=self._unassigned)
        if not self._unassigned:
            return summary
        unassigned, before = self._loaded.unassigned()
        images = PreparedImages(
            unassigned.names, unassigned.vectors, self._loaded.space.points(unassigned.vectors)
        )
        models = self._models()
        found = self._find_novel(images, before.since[unassigned.firsts], models)
        if found is None:
            return summary
        after = unassigned.assignments_of(found.members, before.since)
        before = before.take(np.isin(before.image_ids, after.image_ids))
        self._loaded.store.clusterings.change(
            self._loaded.clustering.base_id,
            found.models,
            MemberChange(before, after),
            exemplars=found.exemplars,
        )
        novel = tuple(_with_all_images(cluster, after) for cluster in found.novel)
        return replace(summary, novel=novel, novel_images=len(after))

    def _find_novel(
        self, unassigned: PreparedImages, since: Labels, models: ClusterModels
    ) -> NovelClusters | None:
        return find_novel_clusters(
            unassigned,
            since,
            models,
            self._loaded.exemplars,
            constraints=self._loaded.constraints,
            next_id=self._loaded.store.clusterings.next_cluster_id(),
            origin=f"{NOVEL_ORIGIN} {self.ingest_id}",
            seed=self._seed,
        )

    def _assign_all(self, image_ids: Sequence[str], vectors: Vectors) -> Assignments:
        loaded = self._loaded
        if loaded.preprocessor.is_plain:
            parts = [
                self._assign(image_ids[rows], single_observations(vectors[rows]))
                for rows in _blocks(len(image_ids))
            ]
            return Assignments.joined(parts)
        learned = loaded.preprocessor.learn(image_ids, vectors)
        if learned:
            # Before the members: after an interruption the means are measured again, and are equal.
            loaded.store.clusterings.extend_space(loaded.id, learned)
        centred = loaded.preprocessor.centred(image_ids, vectors)
        return self._assign(image_ids, loaded.observe(image_ids, centred))

    def _assign(self, image_ids: Sequence[str], incoming: IncomingObservations) -> Assignments:
        models, store = self._loaded.models, self._loaded.store
        points = self._loaded.space.points(incoming.vectors)
        if store.points.are_kept(self._loaded.clustering.base_id):
            store.points.append(self._loaded.clustering.base_id, image_ids, points)
        parts = [self._nearest(incoming, points, rows) for rows in _blocks(len(points))]
        nearest, distances, margins, unassigned = (
            np.concatenate(part)[incoming.numbers] for part in zip(*parts, strict=True)
        )
        states = np.where(unassigned, AssignmentState.UNSURE.value, AssignmentState.AUTO.value)
        assigned = Assignments(
            np.array(image_ids, dtype=object),
            np.where(unassigned, NOISE, models.cluster_ids[nearest]),
            models.cluster_ids[nearest],
            distances,
            margins,
            states.astype(object),
            np.full(len(image_ids), self.ingest_id, dtype=np.int64),
        )
        modes = self._apply_constraints(assigned, incoming, points, nearest)
        is_new = (incoming.cluster_ids == NOISE)[incoming.numbers]
        counted = (assigned.cluster_ids != NOISE) & is_new
        if len(points) < len(modes):
            counted = (
                one_per_observation(np.where(counted, modes, NOISE), incoming.numbers) != NOISE
            )
        rows = np.flatnonzero(counted)
        self._sums.add(points[incoming.numbers[rows]], modes[rows], assigned.distances[rows])
        return assigned

    def _nearest(self, incoming: IncomingObservations, points: Vectors, rows: slice) -> _Nearest:
        """The mode of some observations, their distances and margins, and whether they fit none."""
        models = self._loaded.models
        location = assign_images(
            models,
            self._loaded.exemplars,
            incoming.vectors[rows],
            points[rows],
            by_centroid=self._by_centroid,
        )
        at, unassigned = location.placement, location.unassigned
        if self._head is not None:
            at, unassigned = _with_head(
                self._head, incoming.vectors[rows], points[rows], at, unassigned
            )
        cluster_ids = incoming.cluster_ids[rows]
        known = cluster_ids != NOISE
        if not known.any():
            return at.nearest, at.distances, at.margins, unassigned
        own = place_in_cluster(points[rows], models.centroids, models.cluster_ids, cluster_ids)
        return (
            np.where(known, own.nearest, at.nearest),
            np.where(known, own.distances, at.distances),
            np.where(known, own.margins, at.margins),
            unassigned & ~known,
        )

    def _apply_constraints(
        self,
        assigned: Assignments,
        incoming: IncomingObservations,
        points: Vectors,
        nearest: Labels,
    ) -> Labels:
        """Apply the constraints to `assigned`, in place; returns the row of each image's mode."""
        constraints, models = self._loaded.constraints, self._loaded.models
        modes = nearest.copy()
        rows = constrained_rows(assigned.image_ids, constraints)
        if not len(rows):
            return modes
        numbers = incoming.numbers[rows]
        images = PreparedImages(
            assigned.image_ids[rows], incoming.vectors[numbers], points[numbers]
        )
        ids = apply_constraints(
            images, assigned.cluster_ids[rows], models, self._loaded.exemplars, constraints
        )
        states = assignment_states(images.image_ids, ids, constraints.fixed)
        found = build_assignments(images, ids, models, states=states, since=assigned.since[rows])
        for name in ("cluster_ids", "candidates", "distances", "margins", "states"):
            getattr(assigned, name)[rows] = getattr(found, name)
        at = place_in_cluster(images.points, models.centroids, models.cluster_ids, found.candidates)
        modes[rows] = at.nearest
        return modes


def _with_head(
    head: ClusterHead,
    vectors: Vectors,
    points: Vectors,
    at: PointPlacement,
    unassigned: NDArray[np.bool_],
) -> tuple[PointPlacement, NDArray[np.bool_]]:
    """Where images lie, where a head knows better in the clusters that it says."""
    models = head.models
    nearest = models.cluster_ids[at.nearest]
    before = np.where(unassigned, NOISE, nearest)
    after = head.reassigned(vectors, points, before, must_fit=True)
    rows = np.flatnonzero(after != before)
    if not len(rows):
        return at, unassigned
    own = place_in_cluster(points[rows], models.centroids, models.cluster_ids, after[rows])
    found = PointPlacement(at.nearest.copy(), at.distances.copy(), at.margins.copy())
    found.nearest[rows], found.distances[rows] = own.nearest, own.distances
    found.margins[rows] = own.margins
    still = unassigned.copy()
    still[rows] = False
    return found, still


def _without_medoids(
    models: ClusterModels, members: Assignments, before: Assignments, after: Assignments
) -> ClusterModels:
    """The clusters, another image standing for those whose most typical one went elsewhere."""
    went = before.image_ids[before.cluster_ids != after.cluster_ids]
    gone = set(went.tolist()) & set(models.medoids)
    if not gone:
        return models
    medoids = list(models.medoids)
    stays = ~np.isin(members.image_ids, went)
    for row, cluster_id in enumerate(models.cluster_ids.tolist()):
        mine = np.flatnonzero(stays & (members.cluster_ids == cluster_id))
        if medoids[row] in gone and len(mine):
            medoids[row] = str(members.image_ids[mine[members.distances[mine].argmin()]])
    return replace(models, medoids=tuple(medoids))


def _with_all_images(cluster: NovelCluster, members: Assignments) -> NovelCluster:
    """A novel cluster with the number of its images, not of its observations."""
    count = int(np.count_nonzero(members.cluster_ids == cluster.cluster_id))
    return replace(cluster, images=count)


def _blocks(n: int) -> list[slice]:
    return [slice(start, start + _ROWS_AT_ONCE) for start in range(0, n, _ROWS_AT_ONCE)]
