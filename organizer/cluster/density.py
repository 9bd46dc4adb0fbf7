"""Clusters as dense regions, which find their own number; what lies between them is noise (-1).

Both want a space of few dimensions, such as UMAP's ten. In 64 principal components distances are
much alike: DBSCAN at its knee makes one cluster of most labelled sets, and HDBSCAN calls up to
half of the images noise.

The limits keep to 4 GB and to 5 minutes of two cores. Measured (scikit-learn 1.9, two busy cores
of a server processor; a mixture of sqrt(n) groups of unit vectors in 64 dimensions):

    dbscan   20,000 images    5 s wall             50,000   22 s CPU   0.5 GB (two groups)
    hdbscan  10,000          12 s wall             30,000  174 s CPU   0.2 GB
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.limits import with_limits
from organizer.errors import ClusteringError
from organizer.types import Labels, Vectors

_USUAL_NEIGHBOURS = 10
_NEIGHBOURS_EACH = 10
_LEAST_EPS = 1e-6
"""Unit vectors of single precision that are the same can seem this far apart."""

_MOST_PAIRS = 200_000_000
"""Pairs within the radius of DBSCAN that scikit-learn keeps at once, at 16 bytes or more each."""

_ROWS_AT_ONCE = 10_000
_CORE_NEIGHBOURS = 3


@with_limits(
    max_images=50_000,
    reason="its time grows with the square of the images",
    instead="kmeans or birch",
)
def dbscan(*, eps: float | None = None, min_samples: int | None = None) -> Any:
    """DBSCAN (Ester, Kriegel, Sander and Xu 1996).

    Args:
        eps: Radius of a neighbourhood, a Euclidean distance; None takes the knee of the distances
            to the `min_samples`-th neighbour.
        min_samples: Images in the neighbourhood of a core image, itself included; None takes 10,
            and of fewer than 100 images a tenth.

    Returns:
        A `Dbscan`.
    """
    return Dbscan(eps=eps, min_samples=min_samples)


@with_limits(
    max_images=30_000,
    reason="its time grows with the square of the images, 3 minutes for that many",
    instead="dbscan, kmeans or birch",
)
def hdbscan(*, min_cluster_size: int | None = None, min_samples: int = _CORE_NEIGHBOURS) -> Any:
    """HDBSCAN (Campello, Moulavi and Sander 2013).

    Args:
        min_cluster_size: The fewest images that make a cluster; None takes a twenty-fifth of them,
            but 5 to 20.
        min_samples: Neighbours that measure the density around an image. More make more noise.

    Returns:
        A `Hdbscan`.
    """
    return Hdbscan(min_cluster_size=min_cluster_size, min_samples=min_samples)


class Dbscan:
    """scikit-learn's DBSCAN with a radius that fits the data.

    Args:
        eps: See `dbscan`.
        min_samples: See `dbscan`.

    Attributes:
        eps_: The radius that was used, after `fit_predict`.
    """

    def __init__(self, *, eps: float | None = None, min_samples: int | None = None) -> None:
        self._eps = eps
        self._min_samples = min_samples

    def fit_predict(self, vectors: Vectors, /) -> Labels:
        """Cluster ``(n, dim)`` vectors; -1 is noise.

        Raises:
            ClusteringError: The neighbourhoods together do not fit into memory.
        """
        from sklearn.cluster import DBSCAN

        n = len(vectors)
        count = self._min_samples or min(_USUAL_NEIGHBOURS, max(3, n // _NEIGHBOURS_EACH))
        if n < count:
            return np.full(n, -1, dtype=np.int64)
        self.eps_ = self._eps or max(knee(_neighbour_distances(vectors, count)), _LEAST_EPS)
        _require_memory(vectors, self.eps_)
        labels = DBSCAN(eps=self.eps_, min_samples=count).fit_predict(vectors)
        return np.asarray(labels, dtype=np.int64)


class Hdbscan:
    """scikit-learn's HDBSCAN with a least size of clusters that fits the number of images.

    Twenty images that hold together are a group in a library of thousands; of a hundred photos that
    would be a fifth.

    Args:
        min_cluster_size: See `hdbscan`.
        min_samples: See `hdbscan`.
    """

    def __init__(
        self, *, min_cluster_size: int | None = None, min_samples: int = _CORE_NEIGHBOURS
    ) -> None:
        self._min_cluster_size = min_cluster_size
        self._min_samples = min_samples

    def fit_predict(self, vectors: Vectors, /) -> Labels:
        """Cluster ``(n, dim)`` vectors; -1 is noise."""
        from sklearn.cluster import HDBSCAN

        n = len(vectors)
        least = self._min_cluster_size or min(20, max(5, n // 25))
        if n < max(least, self._min_samples):
            return np.full(n, -1, dtype=np.int64)
        model = HDBSCAN(min_cluster_size=least, min_samples=self._min_samples, copy=True)
        return np.asarray(model.fit_predict(vectors), dtype=np.int64)


def knee(ascending: NDArray[np.float64]) -> float:
    """The value at which an ascending curve turns upwards.

    Both axes are scaled to 0 to 1; the knee lies farthest below the diagonal (Satopaa, Albrecht,
    Irwin and Raghavan 2011, without the smoothing, which a sorted curve does not need).
    """
    low, high = float(ascending[0]), float(ascending[-1])
    if high <= low:
        return high
    across = np.linspace(0, 1, len(ascending))
    return float(ascending[np.argmax(across - (ascending - low) / (high - low))])


def _neighbour_distances(vectors: Vectors, count: int) -> NDArray[np.float64]:
    """Distance of each vector to its `count`-th neighbour, itself included; ascending."""
    from sklearn.neighbors import NearestNeighbors

    distances, _ = NearestNeighbors(n_neighbors=count).fit(vectors).kneighbors(vectors)
    return np.sort(distances[:, -1].astype(np.float64))


def _require_memory(vectors: Vectors, eps: float) -> None:
    """Refuse a radius within which too many pairs lie, estimated from a thousand vectors."""
    from sklearn.neighbors import NearestNeighbors

    n = len(vectors)
    if n * n <= _MOST_PAIRS:
        return
    some = vectors[np.linspace(0, n - 1, min(n, 1_000)).astype(np.int64)]
    # Counted the other way round, so that what is kept at once is bounded.
    near = NearestNeighbors(radius=eps).fit(some)
    found = 0
    for start in range(0, n, _ROWS_AT_ONCE):
        rows = near.radius_neighbors(vectors[start : start + _ROWS_AT_ONCE], return_distance=False)
        found += sum(len(row) for row in rows)
    each = found / len(some)
    if each * n > _MOST_PAIRS:
        raise ClusteringError(
            f"dbscan: within {eps:.2g} of an image lie {each:,.0f} of {n:,} others on average, "
            "more than fit into memory",
            "use hdbscan, kmeans or birch, or give a smaller eps",
        )
