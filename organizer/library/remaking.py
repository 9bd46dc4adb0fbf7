"""The clustering in force, and one that follows from it when images or clusters change place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.decisions import STAND_FOR, compiled
from organizer.cluster.incremental import place, place_at, unit
from organizer.cluster.lineage import lineage_of
from organizer.cluster.locate import is_born
from organizer.errors import ClusteringError, SettingsError
from organizer.library.current import require_cluster, require_clustering
from organizer.library.draft import Images, assigned, once, remodelled, states_of
from organizer.library.joining import measured_fit
from organizer.library.seeing import Sight, as_one
from organizer.library.space import Space
from organizer.settings import Settings
from organizer.store import Store, StoredClustering
from organizer.types import (
    NOISE,
    Assignments,
    Clustering,
    ClusterModels,
    Decision,
    Exemplars,
    Labels,
    LineageReport,
    PartSpec,
)


class Remaking:
    """The clustering in force, ready to be changed. The caller holds the library for writing.

    Args:
        store: The library.
        settings: The seed of what is drawn, and what is a burst.
        clustering: Another than the one in force.
        guests: Images with a vector that are no members yet and may be put into clusters.
    """

    def __init__(
        self,
        store: Store,
        *,
        settings: Settings,
        clustering: StoredClustering | None = None,
        guests: Sequence[str] = (),
    ) -> None:
        self._store, self._settings = store, settings
        self.clustering = clustering or require_clustering(store)
        clustering_id = self.clustering.clustering_id
        self.members = store.clusterings.assignments(clustering_id)
        self.models = store.clusterings.models(clustering_id)
        self._exemplars = store.clusterings.exemplars(clustering_id)
        self._state = store.clusterings.space(clustering_id)
        self._space = Space.restored(self.clustering.reducer, self._state, seed=self._settings.seed)
        self._sight = Sight.restored(store, self.clustering, self._state)
        if not len(self._exemplars.mode_ids):
            self.models, self._exemplars = measured_fit(
                store, self.clustering, self.models, self._space, seed=self._settings.seed
            )
        self.decisions = store.decisions.all()
        self.constraints = compiled(self.decisions)
        self._seat(guests)

    def _changed(
        self,
        decision: Decision,
        where: Labels,
        models: ClusterModels,
        *,
        affected: set[int],
        keep_modes: bool = False,
    ) -> LineageReport:
        """Remake the clusters that lost or won images.

        Args:
            decision: The word.
            where: ``(n,)`` the cluster of each member from now on.
            models: The clusters, with their modes where these belong from now on.
            affected: The clusters to remake.
            keep_modes: Whether members stay with the modes of the cluster that they come from.
        """
        touched = np.isin(where, list(affected)) | (where != self.members.cluster_ids)
        rows = np.flatnonzero(touched)
        images = self._images(rows, where)
        old = np.isin(models.cluster_ids, list(affected))
        owners, given = models.cluster_ids, where[rows]
        if keep_modes:
            owners = np.array(
                [self.models.cluster_ids[self.models.row_of(m)] for m in models.mode_ids]
            )
            came_from = self.members.cluster_ids[rows]
            stayed = np.isin(came_from, [decision.cluster_id, *decision.others])
            stayed &= given == decision.cluster_id
            given = np.where(stayed, came_from, given)
        new, exemplars = remodelled(
            images, given, models, seed=self._settings.seed, owners=owners, usual=models
        )
        whole = ClusterModels.joined([models.take(~old), new])
        return self._remade(decision, rows, images, where, whole, exemplars)

    def _remade(
        self,
        decision: Decision,
        rows: Labels,
        images: Images,
        where: Labels,
        models: ClusterModels,
        exemplars: Exemplars | None,
    ) -> LineageReport:
        """Write the word down and make the clustering that follows from it."""
        self._require_free_of_conflicts(decision)
        if not len(models):
            raise ClusteringError("no cluster would be left", "organizer recluster makes others")
        fixed = compiled([*self.decisions, decision]).fixed
        states = states_of(images.image_ids, where[rows], fixed)
        changed = assigned(
            images, where[rows], models, states=states, since=self.members.since[rows]
        )
        untouched = np.ones(len(self.members), dtype=np.bool_)
        untouched[rows] = False
        stale = untouched & self.members.unsure
        stale &= ~np.isin(self.members.candidates, models.cluster_ids)
        members = Assignments.joined(
            [self.members.take(untouched & ~stale), changed, self._reconsidered(stale, models)]
        )
        before, after = self.members.cluster_ids, where
        known = before != NOISE
        lineage = lineage_of(
            before[known], after[known], old_ids=self.models.ids, new_ids=models.ids
        )
        self._store.decisions.append(decision)
        self._store.clusterings.add(
            self._clustering(members, models, exemplars),
            parent_id=self.clustering.clustering_id,
            lineage=lineage,
            action=decision.kind.value,
            decision_id=decision.decision_id,
        )
        return lineage

    def _reconsidered(self, stale: NDArray[np.bool_], models: ClusterModels) -> Assignments:
        """Unsure images whose nearest cluster is no more."""
        rows = np.flatnonzero(stale)
        old = self.members.take(rows)
        return assigned(
            self._images(rows), old.cluster_ids, models, states=old.states, since=old.since
        )

    def _origin(self, cluster_id: int) -> str:
        """Of the parts of a cluster; one that was born since is still unknown to the space."""
        split = f"split of {cluster_id}"
        mine = self.models.take(self.models.cluster_ids == cluster_id)
        return f"{mine.origins[0]}, {split}" if is_born(mine).any() else split

    def _clustering(
        self, members: Assignments, models: ClusterModels, exemplars: Exemplars | None
    ) -> Clustering:
        fresh = exemplars.mode_ids if exemplars is not None else np.empty(0, np.int64)
        keep = np.isin(self._exemplars.mode_ids, models.mode_ids)
        keep &= ~np.isin(self._exemplars.mode_ids, fresh)
        parts = [Exemplars(self._exemplars.mode_ids[keep], self._exemplars.vectors[keep])]
        parts += [exemplars] if exemplars is not None else []
        return Clustering(
            members,
            models,
            Exemplars.joined(parts),
            self.clustering.embedder,
            self.clustering.reducer,
            self._state,
            self.clustering.clusterer,
            self.clustering.evidence,
            self.clustering.algorithm,
        )

    def _seat(self, guests: Sequence[str]) -> None:
        """Count images among the members, in no cluster yet."""
        known = set(self.members.image_ids.tolist())
        fresh = np.array([i for i in guests if i not in known], dtype=object)
        if not len(fresh):
            return
        ids = fresh.tolist()
        vectors = unit(self._store.vectors.read_rows(self.clustering.embedder, ids))
        vectors = self._sight.centred(ids, vectors)
        nowhere = np.full(len(fresh), NOISE, dtype=np.int64)
        seated = assigned(
            Images(fresh, vectors, self._space.points(vectors)),
            nowhere,
            self.models,
            states=states_of(fresh, nowhere, {}),
            since=np.full(len(fresh), self._store.clusterings.last_ingest(), dtype=np.int64),
        )
        self.members = Assignments.joined([self.members, seated])

    def _representatives(self, cluster_id: int) -> tuple[list[str], list[int]]:
        """The most typical images of each mode of a cluster, and its mode."""
        rows = np.flatnonzero(self.members.cluster_ids == cluster_id)
        modes = np.flatnonzero(self.models.cluster_ids == cluster_id)
        mode_of = np.zeros(len(rows), dtype=np.int64)
        if len(modes) > 1 or self._sight.bursts:
            images = self._images(rows)
            mode_of = place(images.points, self.models.centroids[modes]).nearest
            if images.observations is not None:
                mode_of = once(mode_of, images.observations)
        image_ids: list[str] = []
        groups: list[int] = []
        for mode in range(len(modes)):
            mine = rows[mode_of == mode]
            nearest = mine[np.argsort(self.members.distances[mine], kind="stable")][:STAND_FOR]
            image_ids += self.members.image_ids[nearest].tolist()
            groups += [int(self.models.mode_ids[modes[mode]])] * len(nearest)
        return image_ids, groups

    def _standing_for_parts(
        self, images: Images, ids: Labels, models: ClusterModels, cluster_id: int
    ) -> tuple[list[str], list[int]]:
        """The most typical images of each part, and what was fixed to the whole."""
        at = place_at(images.points, models.centroids, models.cluster_ids, ids)
        image_ids: list[str] = []
        groups: list[int] = []
        for part in models.ids:
            mine = np.flatnonzero(ids == part)
            mine = mine[np.argsort(at.distances[mine], kind="stable")]
            fixed = [
                row
                for row in mine[STAND_FOR:].tolist()
                if self.constraints.fixed.get(images.image_ids[row]) == cluster_id
            ]
            chosen = [*mine[:STAND_FOR].tolist(), *fixed]
            image_ids += images.image_ids[chosen].tolist()
            groups += [part] * len(chosen)
        return image_ids, groups

    def _images(self, rows: Labels, where: Labels | None = None) -> Images:
        """Some members with their vectors, those of a burst in one cluster as one observation.

        Args:
            rows: The members.
            where: ``(n,)`` the cluster of each member from now on; as it is where None.
        """
        image_ids = self.members.image_ids[rows]
        spec: PartSpec = self.clustering.embedder
        ids = image_ids.tolist()
        vectors = self._sight.centred(ids, unit(self._store.vectors.read_rows(spec, ids)))
        held = (self.members.cluster_ids if where is None else where)[rows]
        numbers = self._sight.observations(ids, vectors, held.tolist())
        vectors = as_one(vectors, numbers)
        return Images(image_ids, vectors, self._space.points(vectors), numbers)

    def _require(self, cluster_id: int) -> None:
        require_cluster(self._store, self.clustering, cluster_id, self.constraints)

    def _require_clustered(self, image_ids: Sequence[str]) -> None:
        known = set(self.members.image_ids.tolist())
        lacking = [i for i in image_ids if i not in known]
        if lacking:
            raise SettingsError(
                f"{len(lacking)} of the images are in no clustering yet",
                f"organizer ingest --embedder {self.clustering.embedder.name} brings them in",
            )

    def _require_free_of_conflicts(self, decision: Decision) -> None:
        conflicts = compiled([*self.decisions, decision]).conflicts()
        if conflicts:
            image_id, cluster_id = conflicts[0]
            more = f" and {len(conflicts) - 1} more" if len(conflicts) > 1 else ""
            raise SettingsError(
                f"image {image_id[:12]}{more} would have to be in cluster {cluster_id}, and you "
                "said that it is not",
                f"if it is: organizer clusters move {image_id[:12]} --to "
                f"{next(iter(decision.others), decision.cluster_id)}",
            )
