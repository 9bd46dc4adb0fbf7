"""The clusters with which a training begins: K-means of the features, with the decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.kmeans import KMeans
from organizer.types import Labels, Vectors
from organizer_deep_clustering.decisions import HeldDecisions


@dataclass(frozen=True, slots=True)
class Start:
    """Clusters of features.

    Attributes:
        labels: ``(n,)`` int64 the place of each image's cluster in `clusters`.
        centroids: ``(k, d)`` float32 their means.
        clusters: ``(k,)`` int64 the number of each, ascending: a number is missing where images
            cannot be distinguished.
    """

    labels: Labels
    centroids: Vectors
    clusters: Labels

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What makes it again."""
        return {
            "start.labels": self.labels,
            "start.centroids": self.centroids,
            "start.clusters": self.clusters,
        }

    @classmethod
    def restored(cls, tensors: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `tensors`; other names are passed over."""
        return cls(
            np.asarray(tensors["start.labels"], dtype=np.int64),
            np.asarray(tensors["start.centroids"], dtype=np.float32),
            np.asarray(tensors["start.clusters"], dtype=np.int64),
        )


def kmeans_start(
    features: Vectors, *, n_clusters: int, decisions: HeldDecisions, n_init: int, seed: int
) -> Start:
    """Euclidean K-means of ``(n, d)`` float32 features, the best of some starts.

    Raises:
        ClusteringError: The features cannot be clustered so.
    """
    kmeans = KMeans(
        n_clusters=n_clusters,
        n_init=n_init,
        max_iter=300,
        random_state=seed,
        metric="euclidean",
        engine="blas",  # the same on every machine
    )
    banned = decisions.banned if len(decisions.banned) else None
    labels = kmeans.fit_predict(features, fixed=decisions.decided, banned=banned)
    order = np.argsort(kmeans.owners_)
    return Start(np.argsort(order)[labels], kmeans.cluster_centers_[order], kmeans.owners_[order])
