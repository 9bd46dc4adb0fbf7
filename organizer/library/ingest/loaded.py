"""The clustering that new images are assigned to, read once for an ingest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from organizer.cluster.decisions import Constraints, compile_constraints
from organizer.cluster.incremental import unit_rows
from organizer.library.clustering.build import PreparedImages
from organizer.library.clustering.incoming import (
    IncomingObservations,
    observe_bursts,
    single_observations,
)
from organizer.library.clustering.learned import ClusterHead, sampled_ids
from organizer.library.clustering.measure import measure_fit
from organizer.library.clustering.observations import Observations, make_observations
from organizer.library.clustering.preprocessing import Preprocessor
from organizer.library.clustering.space import ClusterSpace
from organizer.library.images.decided import current_decisions, decided_singly
from organizer.store import MemberChange, Store, StoredClustering
from organizer.types import Assignments, ClusterModels, Exemplars, Vectors


@dataclass(frozen=True, slots=True)
class LoadedClustering:
    """A clustering with all that assigning images to its clusters needs.

    Attributes:
        store: The library.
        clustering: The clustering.
        models: Its clusters.
        exemplars: Those of its clusters.
        space: Its space.
        preprocessor: How its vectors are prepared.
        constraints: The constraints that follow from all decisions.
        singly: The images that were decided by themselves.
    """

    store: Store
    clustering: StoredClustering
    models: ClusterModels
    exemplars: Exemplars
    space: ClusterSpace
    preprocessor: Preprocessor
    constraints: Constraints
    singly: frozenset[str]

    @classmethod
    def read(cls, store: Store, clustering: StoredClustering, *, seed: int) -> Self:
        """Read a clustering; one that was stored without exemplars gets them."""
        clustering_id = clustering.clustering_id
        models = store.clusterings.models(clustering_id)
        exemplars = store.clusterings.exemplars(clustering_id)
        state = store.clusterings.space(clustering_id)
        space = ClusterSpace.restored(clustering.reducer, state, seed=seed)
        preprocessor = Preprocessor.restored(store, clustering, state)
        if not len(exemplars.mode_ids):
            models, exemplars = measure_fit(store, clustering, models, space, seed=seed)
            store.clusterings.change(
                clustering.base_id, models, MemberChange.empty(), exemplars=exemplars
            )
        decisions = current_decisions(store)
        constraints = compile_constraints(decisions)
        singly = frozenset(decided_singly(decisions))
        return cls(store, clustering, models, exemplars, space, preprocessor, constraints, singly)

    @property
    def id(self) -> int:
        """The id of the clustering."""
        return self.clustering.clustering_id

    def learn_head(self, *, seed: int) -> ClusterHead | None:
        """The head of the decided images, where it knows better than the clusters; see there."""
        singly = self.singly & self.constraints.fixed.keys()
        if not singly:
            return None
        embedded = self.store.vectors.ids(self.clustering.embedder)
        fixed = [image_id for image_id in self.constraints.fixed if image_id in embedded]
        ids = sampled_ids(fixed, singly, seed=seed)
        if not ids:
            return None
        vectors = unit_rows(self.store.vectors.read_rows(self.clustering.embedder, ids))
        # One of its own: what it measures for these images alone is not to be stored.
        state = self.store.clusterings.space(self.id)
        preprocessor = Preprocessor.restored(self.store, self.clustering, state)
        vectors = preprocessor.centred(ids, vectors)
        images = PreparedImages(np.array(ids, dtype=object), vectors, self.space.points(vectors))
        head = ClusterHead.fit(
            images,
            self.constraints.fixed,
            singly,
            self.models,
            self.exemplars,
            required=self.constraints.required,
            points_of=self.space.points,
        )
        return head if head is not None and head.knows_better else None

    def observe(self, image_ids: Sequence[str], vectors: Vectors) -> IncomingObservations:
        """New images as observations, those of a burst with the images of it that are here.

        Args:
            image_ids: The images.
            vectors: ``(n, dim)`` of theirs, centred.
        """
        if not self.preprocessor.bursts:
            return single_observations(vectors)
        members = self.store.clusterings.assignments(self.id)
        new = list(image_ids)
        burst_members = np.isin(members.image_ids, self.preprocessor.in_same_bursts(new))
        members = members.take(burst_members & ~np.isin(members.image_ids, new))
        known = vectors[:0]
        if len(members):
            members, known = self._with_vectors(members)
        return observe_bursts(
            self.preprocessor,
            (image_ids, vectors),
            (members, known),
            singly=self.singly,
        )

    def unassigned(self) -> tuple[Observations, Assignments]:
        """The unassigned images as observations, and as they are assigned, row by row alike."""
        members = self.store.clusterings.assignments(self.id)
        members, vectors = self._with_vectors(members.take(members.unassigned))
        ids = members.image_ids.tolist()
        apart = self.singly if self.preprocessor.bursts else frozenset()
        keys = [image_id if image_id in apart else None for image_id in ids]
        numbers = self.preprocessor.observations(ids, vectors, keys)
        return make_observations(ids, vectors, numbers), members

    def _with_vectors(self, members: Assignments) -> tuple[Assignments, Vectors]:
        """The members that have a vector, and ``(n, dim)`` float32 of unit length, centred."""
        members, vectors = members_with_vectors(self.store, self.clustering, members)
        return members, self.preprocessor.centred(members.image_ids.tolist(), vectors)


def members_with_vectors(
    store: Store, clustering: StoredClustering, members: Assignments
) -> tuple[Assignments, Vectors]:
    """The members that have a vector, and ``(n, dim)`` float32 of unit length."""
    embedded = store.vectors.ids(clustering.embedder)
    members = members.take(np.array([i in embedded for i in members.image_ids], dtype=np.bool_))
    return members, unit_rows(
        store.vectors.read_rows(clustering.embedder, members.image_ids.tolist())
    )
