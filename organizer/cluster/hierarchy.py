"""Clusters that are joined from smaller ones: Ward, average linkage, BIRCH.

The limits keep to 4 GB and to 5 minutes of two cores. Measured (scikit-learn 1.9, two busy cores
of a server processor; a mixture of sqrt(n) groups of unit vectors in 64 dimensions):

    ward     10,000 images   10 s wall   0.9 GB        20,000   40 s wall   3.1 GB
             23,000          55 s CPU    4.1 GB
    average  20,000          72 s wall   3.1 GB        23,000   30 s CPU    4.1 GB
    birch    50,000           8 s CPU    0.2 GB       100,000   14 s CPU    0.5 GB
            100,000 that overlap      12 s CPU    0.4 GB
"""

from __future__ import annotations

from typing import Any

import numpy as np

from organizer.cluster.limits import with_limits
from organizer.types import Labels, Vectors

_SQUARE = "it keeps the distance of every two images, 3 GB for that many"

_MOST_SUBCLUSTERS = 5_000
_ROWS_AT_ONCE = 2_000
_FIRST_THRESHOLD = 1e-4
_LEAST_GROWTH, _CLOSE = 1.1, 1.002
_SUBCLUSTERS_EACH = 5


@with_limits(
    max_images=20_000, reason=_SQUARE, instead="birch, which is Ward of subclusters, or kmeans"
)
def ward(*, n_clusters: int = 8) -> Any:
    """Agglomerative clustering that keeps the variance within clusters least (Ward 1963).

    Returns:
        A scikit-learn `AgglomerativeClustering`.
    """
    from sklearn.cluster import AgglomerativeClustering

    return AgglomerativeClustering(n_clusters=n_clusters, linkage="ward")


@with_limits(max_images=20_000, reason=_SQUARE, instead="birch or kmeans")
def average(*, n_clusters: int = 8) -> Any:
    """Agglomerative clustering by the mean distance of members (UPGMA, Sokal and Michener 1958).

    Returns:
        A scikit-learn `AgglomerativeClustering`.
    """
    from sklearn.cluster import AgglomerativeClustering

    return AgglomerativeClustering(n_clusters=n_clusters, linkage="average")


@with_limits(max_images=100_000, reason="it has not been measured on more", instead="kmeans")
def birch(*, n_clusters: int = 8, threshold: float | None = None) -> Any:
    """BIRCH (Zhang, Ramakrishnan and Livny 1996): Ward of subclusters made in one pass.

    Args:
        n_clusters: How many clusters.
        threshold: Largest radius of a subcluster; None finds it.

    Returns:
        A `Birch`.
    """
    return Birch(n_clusters=n_clusters, threshold=threshold)


class Birch:
    """scikit-learn's Birch with a threshold that fits the data.

    One threshold does not fit all: in the space of 64 principal components the nearest neighbours
    of photos are 0.5 apart, in UMAP's 0.02. As in section 5.1 of the paper it begins small and is
    raised whenever the tree outgrows its memory, here 5,000 subclusters; up to that number the
    result is that of Ward.

    Args:
        n_clusters: How many clusters. There are fewer where images cannot be distinguished.
        threshold: Largest radius of a subcluster; None finds it.

    Attributes:
        threshold_: The threshold that was used, after `fit_predict`.
    """

    def __init__(self, *, n_clusters: int = 8, threshold: float | None = None) -> None:
        self._n_clusters = n_clusters
        self._threshold = threshold
        self._fitted: Any = None

    def fit_predict(self, vectors: Vectors, /) -> Labels:
        """Cluster ``(n, dim)`` vectors."""
        if self._threshold is not None:
            tree = _grown(vectors, self._threshold, len(vectors))
        else:
            tree = _fitting(vectors, self._n_clusters)
        count = min(self._n_clusters, len(tree.subcluster_centers_))
        if count > 1:  # a tree of one subcluster is one cluster as it is
            tree.set_params(n_clusters=count).partial_fit()
        self._fitted, self.threshold_ = tree, float(tree.threshold)
        return self.predict(vectors)

    def predict(self, vectors: Vectors, /) -> Labels:
        """The cluster of the nearest subcluster."""
        return np.asarray(self._fitted.predict(vectors), dtype=np.int64)


def _fitting(vectors: Vectors, k: int) -> Any:
    """The tree of the smallest threshold that was found to keep to 5,000 subclusters.

    In many dimensions all radii are much alike, and a step of a tenth can lead from one subcluster
    an image to one for all of them: where too few are left for k clusters, the way is halved.
    """
    most = max(_MOST_SUBCLUSTERS, k)
    least = min(_SUBCLUSTERS_EACH * k, most // 2)
    low, threshold = 0.0, _FIRST_THRESHOLD
    tree = _grown(vectors, threshold, most)
    while len(tree.subcluster_centers_) > most:
        low = threshold
        threshold = max(threshold * _LEAST_GROWTH, _merging_radius(tree.subcluster_centers_))
        tree = _grown(vectors, threshold, most)
    while low > 0 and len(tree.subcluster_centers_) < least and threshold > low * _CLOSE:
        between = (low + threshold) / 2
        finer = _grown(vectors, between, most)
        if len(finer.subcluster_centers_) > most:
            low = between
        else:
            threshold, tree = between, finer
    return tree


def _grown(vectors: Vectors, threshold: float, most: int) -> Any:
    """The tree of all vectors, or of the first ones if these already need too many subclusters."""
    import sklearn.cluster

    tree = sklearn.cluster.Birch(threshold=threshold, n_clusters=None)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        # The radius is a difference of sums: in float32 that of two copies is not zero.
        tree.partial_fit(vectors[start : start + _ROWS_AT_ONCE].astype(np.float64))
        if len(tree.subcluster_centers_) > most:
            break
    return tree


def _merging_radius(centres: Vectors) -> float:
    """The radius at which a quarter of the subclusters can take in their nearest one."""
    from sklearn.neighbors import NearestNeighbors

    distances, _ = NearestNeighbors(n_neighbors=2).fit(centres).kneighbors(centres)
    return float(np.quantile(distances[:, 1], 0.25)) / 2
