"""The clustering that decisions change: members, models, space and constraints, read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from organizer.cluster.decisions import Constraints, ConstraintsBuilder
from organizer.cluster.incremental import unit_rows
from organizer.library.clustering.build import (
    PreparedImages,
    assignment_states,
    build_assignments,
)
from organizer.library.clustering.measure import measure_fit
from organizer.library.clustering.observations import observation_vectors
from organizer.library.clustering.preprocessing import Preprocessor
from organizer.library.clustering.space import ClusterSpace
from organizer.library.current import require_clustering
from organizer.library.images.decided import current_decisions
from organizer.settings import Settings
from organizer.store import IdRows, Store, StoredClustering, VectorRows, pack_ids
from organizer.types import (
    NOISE,
    Assignments,
    ClusterModels,
    Decision,
    Exemplars,
    Labels,
    Vectors,
)


@dataclass(frozen=True)
class EditorState:
    """A clustering with all that decisions about it need. It is never changed.

    Attributes:
        store: The library.
        settings: The seed of all that is drawn, and the gap of a burst.
        clustering: The clustering.
        members: Its members, and `added`.
        added: Images that become members with the decisions; see `read_state`.
        models: Its clusters.
        exemplars: Those of its clusters.
        space: Its space.
        preprocessor: How its vectors are prepared.
        decisions: The decisions that hold, in order.
        builder: What follows from these.
        is_measured: Whether the exemplars were measured just now, and are not stored yet.
    """

    store: Store
    settings: Settings
    clustering: StoredClustering
    members: Assignments
    added: Assignments
    models: ClusterModels
    exemplars: Exemplars
    space: ClusterSpace
    preprocessor: Preprocessor
    decisions: Sequence[Decision]
    builder: ConstraintsBuilder
    is_measured: bool = False

    @cached_property
    def constraints(self) -> Constraints:
        """The constraints that follow from the decisions."""
        return self.builder.constraints()

    @cached_property
    def rows(self) -> IdRows:
        """The row of each member."""
        return IdRows(self.members.image_ids.tolist())

    @cached_property
    def cluster_sizes(self) -> dict[int, int]:
        """The number of images of each cluster."""
        counts = np.bincount(self.members.cluster_ids + 1)  # NOISE is the first
        sizes = {int(i): int(counts[i + 1]) for i in np.flatnonzero(counts[1:])}
        return dict.fromkeys(self.models.ids, 0) | sizes

    @cached_property
    def vector_rows(self) -> VectorRows:
        """Where the vectors of the members lie."""
        return self.store.vectors.rows(self.clustering.embedder)

    @cached_property
    def point_rows(self) -> VectorRows | None:
        """Where the points of the members lie that are kept; None where none are."""
        return self.store.points.rows(self.clustering.base_id)

    def kept_points(self, rows: Labels) -> Vectors | None:
        """``(m, d)`` the points of some members as they are kept; None where one is not."""
        found = self.point_rows
        if found is None:
            return None
        ids = pack_ids(self.members.image_ids[rows].tolist())
        return found.of(ids) if found.has(ids).all() else None

    def images(
        self, rows: Labels, cluster_ids: Labels | None = None, *, kept: bool = False
    ) -> PreparedImages:
        """Some members with their vectors, those of a burst in one cluster as one observation.

        Args:
            rows: The members.
            cluster_ids: ``(n,)`` the cluster of each member after a decision; the current one
                where None.
            kept: Whether points that are kept, in half precision, are good enough.
        """
        image_ids = self.members.image_ids[rows]
        ids = image_ids.tolist()
        vectors = self.preprocessor.centred(ids, unit_rows(self._vectors(ids)))
        held = (self.members.cluster_ids if cluster_ids is None else cluster_ids)[rows]
        numbers = self.preprocessor.observations(ids, vectors, held.tolist())
        vectors = observation_vectors(vectors, numbers)
        points = self.kept_points(rows) if kept else None
        points = self.space.points(vectors) if points is None else points
        return PreparedImages(image_ids, vectors, points, numbers)

    def followed_by(
        self,
        members: Assignments,
        models: ClusterModels,
        exemplars: Exemplars,
        decisions: Sequence[Decision],
        builder: ConstraintsBuilder,
        *,
        is_measured: bool,
    ) -> EditorState:
        """The state after a step was stored, with what is known of it already."""
        state = replace(
            self,
            clustering=require_clustering(self.store),
            members=members,
            added=Assignments.empty(),
            models=models,
            exemplars=exemplars,
            decisions=decisions,
            builder=builder,
            is_measured=is_measured,
        )
        if not len(self.added):
            for name in ("rows", "vector_rows", "point_rows"):
                if name in self.__dict__:
                    state.__dict__[name] = self.__dict__[name]
        return state

    def _vectors(self, ids: list[str]) -> Vectors:
        if len(self.added):
            return self.store.vectors.read_rows(self.clustering.embedder, ids)
        return self.vector_rows.of_images(ids, self.clustering.embedder)

    def with_bursts(
        self, image_ids: Sequence[str], singly: set[str]
    ) -> tuple[list[str], str | None]:
        """Images and all others of their bursts, but for those that were decided by themselves.

        Args:
            image_ids: The images.
            singly: Those that were decided by themselves.

        Returns:
            The images, and what a person should know of their bursts; None for nothing.
        """
        own = self.preprocessor
        gap = own.gap if own.bursts else self.settings.burst_gap
        bursts = Preprocessor.read(self.store, by=None, bursts=True, gap=gap)
        found = bursts.in_same_bursts(image_ids)
        here = self.rows.of(found) != NOISE
        free = [i for i, there in zip(found, here, strict=True) if there and i not in singly]
        return list(dict.fromkeys([*image_ids, *free])), bursts.undecided(image_ids)


def read_state(
    store: Store,
    *,
    settings: Settings,
    added: Sequence[str] = (),
) -> EditorState:
    """Read the current clustering for decisions.

    Args:
        store: The library.
        settings: The seed of all that is drawn, and the gap of a burst.
        added: Images with a vector that are no members yet: they become unassigned members, so
            that a decision can move them to a cluster.

    Raises:
        ClusteringError: There is no clustering yet.
    """
    clustering = require_clustering(store)
    clustering_id = clustering.clustering_id
    models = store.clusterings.models(clustering_id)
    exemplars = store.clusterings.exemplars(clustering_id)
    space_state = store.clusterings.space(clustering_id)
    space = ClusterSpace.restored(clustering.reducer, space_state, seed=settings.seed)
    preprocessor = Preprocessor.restored(store, clustering, space_state)
    is_measured = not len(exemplars.mode_ids)
    if is_measured:
        models, exemplars = measure_fit(store, clustering, models, space, seed=settings.seed)
    members = store.clusterings.assignments(clustering_id)
    known = set(members.image_ids.tolist()) if added else set()
    new = [i for i in dict.fromkeys(added) if i not in known]
    unassigned = Assignments.empty()
    if new:
        unassigned = _unassigned_members(store, clustering, new, models, space, preprocessor)
        members = Assignments.joined([members, unassigned])
    decisions = current_decisions(store)
    return EditorState(
        store=store,
        settings=settings,
        clustering=clustering,
        members=members,
        added=unassigned,
        models=models,
        exemplars=exemplars,
        space=space,
        preprocessor=preprocessor,
        decisions=decisions,
        builder=ConstraintsBuilder.of(decisions),
        is_measured=is_measured,
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
