"""Clusters that are joined from smaller ones: Ward, average linkage, BIRCH."""

from __future__ import annotations

from typing import Any

import numpy as np

from organizer.cluster.limits import limited
from organizer.types import Labels, Vectors

_SQUARE = "it keeps the distance of every two images"

_MOST_SUBCLUSTERS = 5_000
_ROWS_AT_ONCE = 2_000
_FIRST_THRESHOLD = 1e-4
_LEAST_GROWTH = 1.1


@limited(max_images=20_000, reason=_SQUARE, instead="TODO")
def ward(*, n_clusters: int = 8) -> Any:
    """Agglomerative clustering that keeps the variance within clusters least (Ward 1963).

    Returns:
        A scikit-learn `AgglomerativeClustering`.
    """
    from sklearn.cluster import AgglomerativeClustering

    return AgglomerativeClustering(n_clusters=n_clusters, linkage="ward")


@limited(max_images=20_000, reason=_SQUARE, instead="TODO")
def average(*, n_clusters: int = 8) -> Any:
    """Agglomerative clustering by the mean distance of members (UPGMA, Sokal and Michener 1958).

    Returns:
        A scikit-learn `AgglomerativeClustering`.
    """
    from sklearn.cluster import AgglomerativeClustering

    return AgglomerativeClustering(n_clusters=n_clusters, linkage="average")


@limited(max_images=20_000, reason="TODO", instead="TODO")
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
        n_clusters: How many clusters. There are fewer where images cannot be told apart.
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
        most = None if self._threshold is not None else max(_MOST_SUBCLUSTERS, self._n_clusters)
        threshold = self._threshold or _FIRST_THRESHOLD
        tree = _grown(vectors, threshold, most)
        while most is not None and len(tree.subcluster_centers_) > most:
            threshold = max(threshold * _LEAST_GROWTH, _merging_radius(tree.subcluster_centers_))
            tree = _grown(vectors, threshold, most)
        count = min(self._n_clusters, len(tree.subcluster_centers_))
        if count > 1:  # a tree of one subcluster is one cluster as it is
            tree.set_params(n_clusters=count).partial_fit()
        self._fitted, self.threshold_ = tree, threshold
        return self.predict(vectors)

    def predict(self, vectors: Vectors, /) -> Labels:
        """The cluster of the nearest subcluster."""
        return np.asarray(self._fitted.predict(vectors), dtype=np.int64)


def _grown(vectors: Vectors, threshold: float, most: int | None) -> Any:
    """The tree of all vectors, or of the first ones if these already need too many subclusters."""
    import sklearn.cluster

    tree = sklearn.cluster.Birch(threshold=threshold, n_clusters=None)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        # The radius is a difference of sums: in float32 that of two copies is not zero.
        tree.partial_fit(vectors[start : start + _ROWS_AT_ONCE].astype(np.float64))
        if most is not None and len(tree.subcluster_centers_) > most:
            break
    return tree


def _merging_radius(centres: Vectors) -> float:
    """The radius at which a quarter of the subclusters can take in their nearest one."""
    from sklearn.neighbors import NearestNeighbors

    distances, _ = NearestNeighbors(n_neighbors=2).fit(centres).kneighbors(centres)
    return float(np.quantile(distances[:, 1], 0.25)) / 2
