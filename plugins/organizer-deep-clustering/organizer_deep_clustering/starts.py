"""The clusters with which a training begins: K-means of the features, with the decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.incremental import unit_rows
from organizer.cluster.kmeans import KMeans
from organizer.cluster.metric_space import Metric
from organizer.library.clustering.space import ClusterSpace, parse_reducer
from organizer.types import Labels, Vectors
from organizer_deep_clustering.decisions import HeldDecisions

StartSpace = Literal["smooth", "none"]
"""Where the first K-means is computed: in the default space, or of the features as they are."""


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
    features: Vectors,
    *,
    n_clusters: int,
    decisions: HeldDecisions,
    space: StartSpace,
    n_init: int,
    seed: int,
) -> Start:
    """K-means of ``(n, d)`` float32 features, the best of some starts.

    The papers take it of the features themselves. What it puts into one cluster there, training
    rarely parts again; in the space that organizer clusters in, where what near neighbours differ
    in is scaled down, fewer clusters hold two classes (`benchmarks/deep_clustering.py`).

    Args:
        features: Of the pretrained network.
        n_clusters: How many clusters.
        decisions: Those that hold.
        space: Where K-means is computed; the centroids are means of the features in any case.
        n_init: Starts.
        seed: Of what is drawn.

    Raises:
        ClusteringError: The features cannot be clustered so.
    """
    metric: Metric = "euclidean" if space == "none" else "cosine"
    kmeans = KMeans(
        n_clusters=n_clusters,
        n_init=n_init,
        max_iter=300,
        random_state=seed,
        metric=metric,
        engine="blas",  # the same on every machine
    )
    points = features if space == "none" else _smooth_points(features, seed=seed)
    banned = decisions.banned if len(decisions.banned) else None
    found = kmeans.fit_predict(points, fixed=decisions.decided, banned=banned)
    order = np.argsort(kmeans.owners_)
    labels = np.argsort(order)[found]
    sums, counts = cluster_sums(features, labels, k=len(order))
    means = sums / np.maximum(counts, 1)[:, None]
    return Start(labels, means.astype(np.float32), kmeans.owners_[order])


def cluster_sums(
    features: Vectors, labels: Labels, *, k: int
) -> tuple[NDArray[np.float64], Labels]:
    """The sum ``(k, d)`` float64 of the features of each cluster, and ``(k,)`` int64 how many."""
    sums = np.zeros((k, features.shape[1]), dtype=np.float64)
    np.add.at(sums, labels, features)
    return sums, np.bincount(labels, minlength=k).astype(np.int64)


def _smooth_points(features: Vectors, *, seed: int) -> Vectors:
    centred = features - features.mean(axis=0, dtype=np.float64).astype(np.float32)
    _, points = ClusterSpace.fit(parse_reducer("smooth"), unit_rows(centred), seed=seed)
    return points
