"""Clusters while decisions are applied to them: in memory, and stored when all are valid.

What a decision moves is taken out of the sums of the modes that it leaves and added to those that
it joins, so it costs what moves (Chan, Golub and LeVeque 1979). A cluster of several modes, and
clusters of bursts, are counted again: which mode an image was counted in is not kept, and a burst
counts once. Images that do not move keep their distances, as they do when others are ingested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.incremental import (
    fit_models,
    grow_models,
    place_in_cluster,
    shrink_models,
)
from organizer.cluster.lineage import compare_changed
from organizer.errors import ClusteringError
from organizer.library.clustering.build import (
    PreparedImages,
    assignment_states,
    build_assignments,
    one_per_observation,
)
from organizer.library.corrections.state import EditorState
from organizer.store import MemberChange
from organizer.types import (
    NOISE,
    Assignments,
    AssignmentState,
    ClusterModels,
    Exemplars,
    Labels,
    LineageReport,
    Vectors,
)


class WorkingClusters:
    """The clusters of a state, and what becomes of them.

    Args:
        state: The clusters before.

    Attributes:
        members: The members as they are now.
        models: The clusters as they are now.
        new_exemplars: Those of new modes.
    """

    def __init__(self, state: EditorState) -> None:
        self._state = state
        columns = {item.name: getattr(state.members, item.name) for item in fields(Assignments)}
        copied = {name: column.copy() for name, column in columns.items() if name != "image_ids"}
        self.members = Assignments(**{**columns, **copied})
        self.models = state.models
        self.new_exemplars: list[Exemplars] = []
        self._touched: list[Labels] = []
        self._sizes = dict(state.cluster_sizes)
        self._moved: list[tuple[Labels, Labels, Labels]] = []
        self._has_lost = False
        self._prepared: tuple[Labels, PreparedImages | None] = (np.empty(0, np.int64), None)

    @property
    def exemplars(self) -> Exemplars:
        """Those of all modes."""
        if not self.new_exemplars:
            return self._state.exemplars
        return Exemplars.joined([self._state.exemplars, *self.new_exemplars])

    @property
    def has_changed(self) -> bool:
        """Whether there is anything to store."""
        return bool(self._touched) or self.models is not self._state.models

    def change(self) -> MemberChange:
        """The members that have changed, before and after."""
        rows = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *self._touched]))
        before, after = self._state.members.take(rows), self.members.take(rows)
        differs = np.zeros(len(rows), dtype=np.bool_)
        for item in fields(Assignments):
            differs |= getattr(before, item.name) != getattr(after, item.name)
        return MemberChange(before.take(differs), after.take(differs))

    def prepare(self, rows: Labels) -> None:
        """Read the vectors of members that are to be moved one after the other, all at once."""
        if self._state.preprocessor.is_plain:
            self._prepared = (rows, self._state.images(rows))

    def images(self, rows: Labels, *, kept: bool = False) -> PreparedImages:
        """Some members with their vectors; see `EditorState.images`."""
        known, prepared = self._prepared
        if len(known):
            places = np.minimum(np.searchsorted(known, rows), len(known) - 1)
            if prepared is not None and (known[places] == rows).all():
                return prepared.take(places)
        return self._state.images(rows, self.members.cluster_ids, kept=kept)

    def counted_images(self, rows: Labels) -> PreparedImages:
        """Members with their points, for counting; the vectors are not read where they are kept."""
        points = self._state.kept_points(rows)
        if points is None:
            return self.images(rows)
        return PreparedImages(self.members.image_ids[rows], points, points)

    def next_mode_id(self) -> int:
        """An id that no mode of the base ever had: its exemplars stay when a mode goes."""
        known = np.concatenate([self.models.mode_ids, self.exemplars.mode_ids])
        return int(known.max(initial=0)) + 1

    # Changes -------------------------------------------------------------------------------

    def set_members(self, rows: Labels, members: Assignments) -> None:
        """Set members to what they are in `members`, whatever follows for the clusters."""
        for item in fields(Assignments):
            if item.name != "image_ids":
                getattr(self.members, item.name)[rows] = getattr(members, item.name)
        self._touched.append(rows)

    def mark_decided(self, rows: Labels) -> None:
        """Note that a decision fixes members to the clusters that they are in."""
        self.members.states[rows] = AssignmentState.DECIDED.value
        self._touched.append(rows)

    def relabel(self, others: Sequence[int], into: int) -> None:
        """Make clusters part of another one; their modes and the distances of members stay."""
        inside = np.isin(self.members.cluster_ids, others)
        near = np.isin(self.members.candidates, others)
        self._set_clusters(np.flatnonzero(inside), np.full(np.count_nonzero(inside), into))
        self.members.candidates[near] = into
        self._touched.append(np.flatnonzero(near))
        owners = np.where(np.isin(self.models.cluster_ids, others), into, self.models.cluster_ids)
        models = replace(self.models, cluster_ids=owners)
        self.models = models.take(np.lexsort((models.mode_ids, models.cluster_ids)))

    def add_modes(self, models: ClusterModels, exemplars: Exemplars) -> None:
        """Add new modes, which count their members already."""
        self.models = ClusterModels.joined([self.models, models])
        self.new_exemplars.append(exemplars)

    def remove_cluster(self, cluster_id: int) -> None:
        """Remove the modes of a cluster."""
        self.models = self.models.take(self.models.cluster_ids != cluster_id)
        self._has_lost = True

    def reassign(
        self,
        rows: Labels,
        images: PreparedImages,
        cluster_ids: Labels,
        *,
        fixed: Iterable[str],
        counted: Iterable[int] = (),
    ) -> None:
        """Assign members to other clusters.

        Args:
            rows: The members.
            images: The same, with their vectors.
            cluster_ids: ``(m,)`` the cluster of each; NOISE for none.
            fixed: The images that a decision fixes to a cluster.
            counted: Clusters that count these members already, or do not count them any more.

        Raises:
            ClusteringError: No cluster would be left.
        """
        former = self.members.cluster_ids[rows]
        moves = former != cluster_ids
        left = moves & (former != NOISE) & ~np.isin(former, list(counted))
        left &= np.isin(former, self.models.cluster_ids)
        came = moves & (cluster_ids != NOISE) & ~np.isin(cluster_ids, list(counted))
        affected = {*former[left].tolist(), *cluster_ids[came].tolist()}
        again = bool(affected) and self._needs_count(affected)
        if not again:
            self._remove_from_sums(rows[left], images.points[left])
            self._add_to_sums(images.points[came], cluster_ids[came])
        self._set_clusters(rows, cluster_ids)
        if again:
            self.count_again(affected)
        self._drop_empty(affected)
        if not len(self.models):
            raise ClusteringError("no cluster would be left", "organizer recluster makes others")
        self._replace_medoids(affected, images.image_ids[left])
        self.place(rows, images, fixed=fixed)

    def place(self, rows: Labels, images: PreparedImages, *, fixed: Iterable[str]) -> None:
        """Compute the distances, margins and states of members in the clusters that they are in."""
        cluster_ids = self.members.cluster_ids[rows]
        states = assignment_states(images.image_ids, cluster_ids, set(fixed))
        since = self.members.since[rows]
        found = build_assignments(images, cluster_ids, self.models, states=states, since=since)
        self.set_members(rows, found)

    def renew_candidates(self) -> None:
        """Find the nearest clusters of unassigned images anew where theirs are gone."""
        if not self._has_lost:
            return
        self._has_lost, members = False, self.members
        stale = members.unassigned & ~np.isin(members.candidates, self.models.cluster_ids)
        rows = np.flatnonzero(stale)
        if len(rows):
            self.place(rows, self.images(rows, kept=True), fixed=())

    def count_again(self, cluster_ids: Iterable[int]) -> None:
        """Measure the modes of clusters anew from their members; empty ones are dropped."""
        is_mine = np.isin(self.models.cluster_ids, list(cluster_ids))
        mine, rest = self.models.take(is_mine), self.models.take(~is_mine)
        rows = np.flatnonzero(np.isin(self.members.cluster_ids, mine.cluster_ids))
        images = self.counted_images(rows)
        held = self.members.cluster_ids[rows]
        labels = place_in_cluster(images.points, mine.centroids, mine.cluster_ids, held).nearest
        if images.observations is not None:
            labels = one_per_observation(labels, images.observations)
        found = fit_models(
            images.points,
            labels,
            images.image_ids,
            mode_ids=mine.mode_ids.tolist(),
            cluster_ids=mine.cluster_ids.tolist(),
            origins=mine.origins,
        )
        # Models are sorted by cluster and mode: both have one order.
        found = replace(found, fit_means=mine.fit_means, fit_deviations=mine.fit_deviations)
        self.models = ClusterModels.joined([rest, found.take(found.counts > 0)])
        self._has_lost |= bool((found.counts == 0).any())

    def take_lineage(self) -> LineageReport:
        """What became of the clusters since the last call, or the beginning."""
        nothing = np.empty(0, dtype=np.int64)
        rows, former, now = (
            np.concatenate([nothing, *(part[i] for part in self._moved)]) for i in range(3)
        )
        self._moved = []
        first = np.unique(rows, return_index=True)[1]
        last = len(rows) - 1 - np.unique(rows[::-1], return_index=True)[1]
        former, now, ids = former[first], now[last], self.models.ids
        lineage = compare_changed(self._sizes, former, now, new_ids=ids)
        sizes = Counter(self._sizes)
        sizes.subtract(former.tolist())
        sizes.update(now.tolist())
        self._sizes = {cluster_id: sizes[cluster_id] for cluster_id in ids}
        return lineage

    # ---------------------------------------------------------------------------------------

    def _needs_count(self, affected: set[int]) -> bool:
        """Whether the sums of clusters cannot be continued."""
        modes = int(np.count_nonzero(np.isin(self.models.cluster_ids, list(affected))))
        return self._state.preprocessor.bursts or modes > len(affected)

    def _remove_from_sums(self, rows: Labels, points: np.ndarray) -> None:
        modes = np.searchsorted(self.models.cluster_ids, self.members.cluster_ids[rows])
        self.models = shrink_models(self.models, points, modes, self.members.distances[rows])

    def _add_to_sums(self, points: Vectors, cluster_ids: Labels) -> None:
        models = self.models
        at = place_in_cluster(points, models.centroids, models.cluster_ids, cluster_ids)
        self.models = grow_models(models, points, at.nearest, at.distances)

    def _drop_empty(self, affected: set[int]) -> None:
        empty = (self.models.counts <= 0) & np.isin(self.models.cluster_ids, list(affected))
        if empty.any():
            self.models = self.models.take(~empty)
            self._has_lost = True

    def _set_clusters(self, rows: Labels, cluster_ids: Labels) -> None:
        self._moved.append((rows, self.members.cluster_ids[rows], cluster_ids.astype(np.int64)))
        self.members.cluster_ids[rows] = cluster_ids
        self._touched.append(rows)

    def _replace_medoids(self, affected: set[int], left: NDArray[np.object_]) -> None:
        """Another member is the most typical one where that has left."""
        gone = set(left.tolist())
        medoids = list(self.models.medoids)
        for row, cluster_id in enumerate(self.models.cluster_ids.tolist()):
            if cluster_id in affected and medoids[row] in gone:
                mine = np.flatnonzero(self.members.cluster_ids == cluster_id)
                mine = mine[~np.isin(self.members.image_ids[mine], left)]
                if len(mine):
                    nearest = mine[self.members.distances[mine].argmin()]
                    medoids[row] = str(self.members.image_ids[nearest])
        self.models = replace(self.models, medoids=tuple(medoids))
