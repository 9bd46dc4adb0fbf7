"""The clustering that a decision changes: members, models, space and constraints, read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.assign import is_novel
from organizer.cluster.decisions import REPRESENTATIVES, Constraints, compile_constraints
from organizer.cluster.incremental import place_in_cluster, place_points, unit_rows
from organizer.errors import SettingsError
from organizer.library.clustering.build import (
    PreparedImages,
    assignment_states,
    build_assignments,
    one_per_observation,
)
from organizer.library.clustering.constraints import decided_singly
from organizer.library.clustering.measure import measure_fit
from organizer.library.clustering.observations import observation_vectors
from organizer.library.clustering.preprocessing import Preprocessor
from organizer.library.clustering.space import ClusterSpace
from organizer.library.current import require_cluster, require_clustering
from organizer.settings import Settings
from organizer.store import Store, StoredClustering
from organizer.types import (
    NOISE,
    Assignments,
    ClusterModels,
    Decision,
    Exemplars,
    Labels,
)


@dataclass(frozen=True, slots=True)
class EditorState:
    """A clustering with all that a decision about it needs.

    Attributes:
        store: The library.
        settings: The seed of all that is drawn, and the gap of a burst.
        clustering: The clustering.
        members: Its members, and images that are about to become members; see `read_state`.
        models: Its clusters.
        exemplars: Those of its clusters.
        space_state: The stored state of its space and preprocessing.
        space: Its space.
        preprocessor: How its vectors are prepared.
        decisions: All decisions, in order.
        constraints: What follows from these.
    """

    store: Store
    settings: Settings
    clustering: StoredClustering
    members: Assignments
    models: ClusterModels
    exemplars: Exemplars
    space_state: dict[str, NDArray[Any]]
    space: ClusterSpace
    preprocessor: Preprocessor
    decisions: Sequence[Decision]
    constraints: Constraints

    def images(self, rows: Labels, cluster_ids: Labels | None = None) -> PreparedImages:
        """Some members with their vectors, those of a burst in one cluster as one observation.

        Args:
            rows: The members.
            cluster_ids: ``(n,)`` the cluster of each member after a decision; the current one
                where None.
        """
        image_ids = self.members.image_ids[rows]
        ids = image_ids.tolist()
        read = self.store.vectors.read_rows(self.clustering.embedder, ids)
        vectors = self.preprocessor.centred(ids, unit_rows(read))
        held = (self.members.cluster_ids if cluster_ids is None else cluster_ids)[rows]
        numbers = self.preprocessor.observations(ids, vectors, held.tolist())
        vectors = observation_vectors(vectors, numbers)
        return PreparedImages(image_ids, vectors, self.space.points(vectors), numbers)

    def representatives(self, cluster_id: int) -> tuple[list[str], list[int]]:
        """The most typical images of a cluster's modes, and the mode of each."""
        rows = np.flatnonzero(self.members.cluster_ids == cluster_id)
        modes = np.flatnonzero(self.models.cluster_ids == cluster_id)
        mode_of = np.zeros(len(rows), dtype=np.int64)
        if len(modes) > 1 or self.preprocessor.bursts:
            images = self.images(rows)
            mode_of = place_points(images.points, self.models.centroids[modes]).nearest
            if images.observations is not None:
                mode_of = one_per_observation(mode_of, images.observations)
        image_ids: list[str] = []
        groups: list[int] = []
        for mode in range(len(modes)):
            mine = rows[mode_of == mode]
            order = np.argsort(self.members.distances[mine], kind="stable")
            nearest = mine[order][:REPRESENTATIVES]
            image_ids += self.members.image_ids[nearest].tolist()
            groups += [int(self.models.mode_ids[modes[mode]])] * len(nearest)
        return image_ids, groups

    def representatives_of_parts(
        self, images: PreparedImages, ids: Labels, models: ClusterModels, cluster_id: int
    ) -> tuple[list[str], list[int]]:
        """The most typical images of a cluster's parts, and all that were fixed to the cluster.

        Args:
            images: The images of the cluster.
            ids: ``(n,)`` the part of each image.
            models: The parts.
            cluster_id: The cluster.
        """
        at = place_in_cluster(images.points, models.centroids, models.cluster_ids, ids)
        image_ids: list[str] = []
        groups: list[int] = []
        for part in models.ids:
            mine = np.flatnonzero(ids == part)
            mine = mine[np.argsort(at.distances[mine], kind="stable")]
            fixed = [
                row
                for row in mine[REPRESENTATIVES:].tolist()
                if self.constraints.fixed.get(images.image_ids[row]) == cluster_id
            ]
            chosen = [*mine[:REPRESENTATIVES].tolist(), *fixed]
            image_ids += images.image_ids[chosen].tolist()
            groups += [part] * len(chosen)
        return image_ids, groups

    def with_bursts(self, image_ids: Sequence[str]) -> list[str]:
        """Images and all others of their bursts, but for those that were decided by themselves."""
        singly = decided_singly(self.decisions)
        own = self.preprocessor
        gap = own.gap if own.bursts else self.settings.burst_gap
        bursts = Preprocessor.read(self.store, by=None, bursts=True, gap=gap)
        members = set(self.members.image_ids.tolist())
        found = bursts.in_same_bursts(image_ids)
        free = [i for i in found if i in members and i not in singly]
        return list(dict.fromkeys([*image_ids, *free]))

    def origin_of_parts(self, cluster_id: int) -> str:
        """The origin of a cluster's parts; those of a novel cluster are novel to the space too."""
        split = f"split of {cluster_id}"
        mine = self.models.take(self.models.cluster_ids == cluster_id)
        return f"{mine.origins[0]}, {split}" if is_novel(mine).any() else split

    def require_cluster(self, cluster_id: int) -> None:
        """Make sure that a cluster is here.

        Raises:
            SettingsError: It is not.
        """
        require_cluster(self.store, self.clustering, cluster_id, self.constraints)

    def require_members(self, image_ids: Sequence[str]) -> None:
        """Make sure that images are in the clustering.

        Raises:
            SettingsError: One is not.
        """
        known = set(self.members.image_ids.tolist())
        lacking = [i for i in image_ids if i not in known]
        if lacking:
            raise SettingsError(
                f"{len(lacking)} of the images are in no clustering yet",
                f"organizer ingest --embedder {self.clustering.embedder.name} brings them in",
            )

    def require_no_conflict(self, decision: Decision) -> None:
        """Make sure that a decision contradicts no earlier one.

        Raises:
            SettingsError: It does.
        """
        conflicts = compile_constraints([*self.decisions, decision]).conflicts()
        if conflicts:
            image_id, cluster_id = conflicts[0]
            more = f" and {len(conflicts) - 1} more" if len(conflicts) > 1 else ""
            raise SettingsError(
                f"image {image_id[:12]}{more} would have to be in cluster {cluster_id}, from which "
                "you excluded it",
                f"if it is: organizer clusters move {image_id[:12]} --to "
                f"{next(iter(decision.others), decision.cluster_id)}",
            )


def read_state(
    store: Store,
    *,
    settings: Settings,
    clustering: StoredClustering | None = None,
    added: Sequence[str] = (),
) -> EditorState:
    """Read a clustering for a decision.

    Args:
        store: The library, held for writing.
        settings: The seed of all that is drawn, and the gap of a burst.
        clustering: The clustering; the current one where None.
        added: Images with a vector that are no members yet: they become unassigned members, so
            that the decision can move them to a cluster.

    Raises:
        ClusteringError: There is no clustering yet.
    """
    clustering = clustering or require_clustering(store)
    clustering_id = clustering.clustering_id
    models = store.clusterings.models(clustering_id)
    exemplars = store.clusterings.exemplars(clustering_id)
    state = store.clusterings.space(clustering_id)
    space = ClusterSpace.restored(clustering.reducer, state, seed=settings.seed)
    preprocessor = Preprocessor.restored(store, clustering, state)
    if not len(exemplars.mode_ids):
        models, exemplars = measure_fit(store, clustering, models, space, seed=settings.seed)
    members = store.clusterings.assignments(clustering_id)
    known = set(members.image_ids.tolist()) if added else set()
    new = [i for i in added if i not in known]
    if new:
        unassigned = _unassigned_members(store, clustering, new, models, space, preprocessor)
        members = Assignments.joined([members, unassigned])
    decisions = store.decisions.all()
    return EditorState(
        store=store,
        settings=settings,
        clustering=clustering,
        members=members,
        models=models,
        exemplars=exemplars,
        space_state=state,
        space=space,
        preprocessor=preprocessor,
        decisions=decisions,
        constraints=compile_constraints(decisions),
    )


def _unassigned_members(
    store: Store,
    clustering: StoredClustering,
    image_ids: Sequence[str],
    models: ClusterModels,
    space: ClusterSpace,
    preprocessor: Preprocessor,
) -> Assignments:
    """Images as unassigned members of a clustering."""
    vectors = unit_rows(store.vectors.read_rows(clustering.embedder, image_ids))
    vectors = preprocessor.centred(image_ids, vectors)
    ids = np.array(image_ids, dtype=object)
    unassigned = np.full(len(ids), NOISE, dtype=np.int64)
    return build_assignments(
        PreparedImages(ids, vectors, space.points(vectors)),
        unassigned,
        models,
        states=assignment_states(ids, unassigned, {}),
        since=np.full(len(ids), store.clusterings.last_ingest(), dtype=np.int64),
    )
