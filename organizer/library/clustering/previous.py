"""The current clustering, as the previous one of the clustering that is being made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.store import Store, StoredClustering
from organizer.types import NOISE, ClusterModels, Labels


@dataclass(frozen=True, slots=True)
class PreviousClusters:
    """The clusters that images were in, row by row of the new clustering.

    Attributes:
        clustering: The previous clustering; None before the first.
        models: Its clusters; None before the first.
        labels: ``(n,)`` the cluster of each image; NOISE for an unassigned or a new one.
    """

    clustering: StoredClustering | None
    models: ClusterModels | None
    labels: Labels

    @property
    def ids(self) -> list[int]:
        """The ids of the previous clusters."""
        return self.models.ids if self.models is not None else []

    @property
    def known(self) -> NDArray[np.bool_]:
        """``(n,)`` whether an image was in a cluster."""
        return np.asarray(self.labels != NOISE)


def previous_clusters(store: Store, image_ids: NDArray[np.object_]) -> PreviousClusters:
    """Read the current clustering for some images."""
    labels = np.full(len(image_ids), NOISE, dtype=np.int64)
    clustering = store.clusterings.current()
    if clustering is None:
        return PreviousClusters(None, None, labels)
    members = store.clusterings.assignments(clustering.clustering_id)
    cluster_of = dict(zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True))
    for row, image_id in enumerate(image_ids):
        labels[row] = cluster_of.get(image_id, NOISE)
    return PreviousClusters(clustering, store.clusterings.models(clustering.clustering_id), labels)
