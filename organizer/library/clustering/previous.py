"""The current clustering, as the previous one of the clustering that is being made."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.library.images.decided import PhotoCrops
from organizer.store import Store, StoredClustering
from organizer.types import NOISE, ClusterModels, Labels, PartSpec, is_crop_embedder


@dataclass(frozen=True, slots=True)
class PreviousClusters:
    """The clusters that images were in, row by row of the new clustering.

    Attributes:
        clustering: The previous clustering; None before the first.
        models: Its clusters; None before the first.
        labels: ``(n,)`` the cluster of each image; NOISE for an unassigned or a new one.
        is_of_others: Whether it was of whole photos where crops are clustered now, or the reverse:
            a crop was in the cluster of its photo, and a photo in that of its crop.
    """

    clustering: StoredClustering | None
    models: ClusterModels | None
    labels: Labels
    is_of_others: bool = False

    @property
    def ids(self) -> list[int]:
        """The ids of the previous clusters."""
        return self.models.ids if self.models is not None else []

    @property
    def known(self) -> NDArray[np.bool_]:
        """``(n,)`` whether an image was in a cluster."""
        return np.asarray(self.labels != NOISE)

    def guiding(self, required: Collection[int]) -> Labels:
        """``(n,)`` the clusters from which the new ones start, and in which images stay.

        Whole photos lie together by their place, and crops by their animal: where the one became
        the other, only clusters that a person decided about go on.

        Args:
            required: The clusters that a person decided about.
        """
        if not self.is_of_others:
            return self.labels
        return np.where(np.isin(self.labels, list(required)), self.labels, NOISE)


def previous_clusters(
    store: Store, image_ids: NDArray[np.object_], *, embedder: PartSpec, crops: PhotoCrops
) -> PreviousClusters:
    """Read the current clustering for some images.

    Args:
        store: The library.
        image_ids: The images: photos, or crops.
        embedder: Whose vectors are clustered now.
        crops: The crops of the photos.
    """
    labels = np.full(len(image_ids), NOISE, dtype=np.int64)
    clustering = store.clusterings.current()
    if clustering is None:
        return PreviousClusters(None, None, labels)
    members = store.clusterings.assignments(clustering.clustering_id)
    cluster_of = dict(zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True))
    of_crops = is_crop_embedder(embedder)
    is_of_others = of_crops != is_crop_embedder(clustering.embedder)
    if is_of_others and of_crops:
        cluster_of = {c: cluster_of[p] for p, c in crops.surest.items() if p in cluster_of}
    elif is_of_others:
        cluster_of = {p: cluster_of[c] for p, c in crops.telling.items() if c in cluster_of}
    for row, image_id in enumerate(image_ids):
        labels[row] = cluster_of.get(image_id, NOISE)
    models = store.clusterings.models(clustering.clustering_id)
    return PreviousClusters(clustering, models, labels, is_of_others)
