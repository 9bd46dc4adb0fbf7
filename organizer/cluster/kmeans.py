"""Spherical K-means by FAISS, in scikit-learn's vocabulary.

The one module that imports faiss.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.incremental import place
from organizer.errors import ClusteringError, PluginError
from organizer.types import Labels, Vectors

_DISTRIBUTIONS = ("faiss-cpu", "faiss-gpu-cuvs", "faiss-gpu", "faiss-gpu-cu12", "faiss-gpu-cu11")
_STARTS, _STARTS_IF_LONG, _SHORT = 10, 3, 500_000_000
"""Cold starts, by the multiplications of one iteration."""

_SEEDED_FROM, _SEEDED_FROM_EACH = 10_000, 20
"""A cold start is drawn from a sample of this many images, or of this many for each cluster."""

_WARM_PREFERENCE = 0.01
"""A cold start must be better by this share of the inertia before it replaces the warm one: below
it the difference is that of one local optimum to another, and identity is worth more."""


class KMeans:
    """Spherical K-means (Dhillon and Modha 2001) of unit vectors.

    FAISS's defaults are changed where they cost quality: all points instead of 256 a centroid, and
    instead of random starts scikit-learn's greedy k-means++, which on well separated groups finds
    the optimum where FAISS's own plain one misses it in a third of the runs.

    Args:
        n_clusters: How many clusters. There are fewer where images cannot be told apart.
        n_init: Cold starts; the best counts. None takes ten, and three where one is long.
        max_iter: Lloyd iterations of each start.
        random_state: Seed; the same vectors and seed give the same clusters.
        init: ``(n_clusters, dim)`` centroids of a warm start, tried besides the cold ones.

    Attributes:
        labels_: ``(n,)`` int64, after `fit_predict`.
        cluster_centers_: ``(k, dim)`` float32 of unit length, none without a member.
        inertia_: Sum of squared Euclidean distances to the centroids.
        algorithm_: What really ran, for a person.
    """

    def __init__(
        self,
        *,
        n_clusters: int = 8,
        n_init: int | None = None,
        max_iter: int = 50,
        random_state: int = 0,
        init: Vectors | None = None,
    ) -> None:
        self._n_clusters = n_clusters
        self._n_init = n_init
        self._max_iter = max_iter
        self._seed = random_state
        self._init = init

    def fit_predict(self, vectors: Vectors, /) -> Labels:
        """Cluster ``(n, dim)`` float32 vectors of unit length.

        Raises:
            ClusteringError: There are fewer vectors than clusters.
            PluginError: Not exactly one FAISS is installed.
        """
        name = installed_faiss()
        import faiss

        if len(vectors) < self._n_clusters:
            raise ClusteringError(f"{len(vectors)} images cannot make {self._n_clusters} clusters")
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        gpus = int(faiss.get_num_gpus()) if hasattr(faiss, "get_num_gpus") else 0
        best: tuple[float, Vectors] | None = None
        work = vectors.size * self._n_clusters
        n_init = self._n_init or (_STARTS if work <= _SHORT else _STARTS_IF_LONG)
        for start in range(-1 if self._init is not None else 0, n_init):
            centroids = self._train(faiss, vectors, self._start(vectors, start), on_gpu=gpus > 0)
            inertia = float(np.sum(2 * place(vectors, centroids).distances, dtype=np.float64))
            # The warm start is first: a cold one has to beat it clearly.
            lead = _WARM_PREFERENCE if self._init is not None and start == 0 else 0.0
            if best is None or inertia < best[0] * (1 - lead):
                best = inertia, centroids
        assert best is not None, "n_init must be 1 or more"  # noqa: S101 - for the type checker
        self.inertia_, self.cluster_centers_ = best
        self.labels_ = place(vectors, self.cluster_centers_).nearest
        device = f"{gpus} GPU" if gpus else "processor"
        self.algorithm_ = f"spherical K-means on the {device} ({name})"
        return self.labels_

    def _start(self, vectors: Vectors, number: int) -> Vectors:
        """The centroids to start from: -1 are those of the warm start."""
        from sklearn.cluster import kmeans_plusplus

        if number < 0:
            return np.ascontiguousarray(self._init, dtype=np.float32)
        seed = self._seed + number
        most = max(_SEEDED_FROM, _SEEDED_FROM_EACH * self._n_clusters)
        if len(vectors) > most:
            draw = np.random.default_rng(seed)
            vectors = vectors[np.sort(draw.choice(len(vectors), most, replace=False))]
        found, _ = kmeans_plusplus(vectors, self._n_clusters, random_state=seed)
        return np.ascontiguousarray(found, dtype=np.float32)

    def _train(self, faiss: Any, vectors: Vectors, start: Vectors, *, on_gpu: bool) -> Vectors:
        """Lloyd's iterations from some centroids."""
        kmeans = faiss.Kmeans(
            vectors.shape[1],
            self._n_clusters,
            niter=self._max_iter,
            seed=self._seed + 1,
            spherical=True,
            gpu=on_gpu,
            min_points_per_centroid=1,
            max_points_per_centroid=len(vectors),
        )
        kmeans.train(vectors, init_centroids=start)
        return _without_empty(vectors, np.array(kmeans.centroids, dtype=np.float32))


def installed_faiss() -> str:
    """Name and version of the FAISS distribution.

    Raises:
        PluginError: None is installed, or several, which overwrite each other's files.
    """
    found = []
    for name in _DISTRIBUTIONS:
        try:
            found.append(f"{name} {distribution(name).version}")
        except PackageNotFoundError:
            continue
    if not found:
        raise PluginError(
            "FAISS is not installed", "pip install 'organizer[cpu]', or [gpu] beside an NVIDIA GPU"
        )
    if len(found) > 1:
        names = [item.split()[0] for item in found]
        raise PluginError(
            f"{' and '.join(names)} are both installed and overwrite each other's files",
            f"pip uninstall {' '.join(names)}, then install one of them",
        )
    return found[0]


def warm_start(
    vectors: Vectors, centroids: Vectors, counts: NDArray[np.int64], k: int, *, seed: int
) -> Vectors:
    """The present centroids as a start for k clusters.

    Too many are joined, the nearest first (average linkage, weighted by count); too few are
    completed by k-means++ (Arthur and Vassilvitskii 2007), given those that are there.

    Returns:
        ``(k, dim)`` float32 of unit length.
    """
    if k < len(centroids):
        centroids = _joined(centroids, counts, k)
    if k > len(centroids):
        centroids = _completed(vectors, centroids, k, seed=seed)
    return np.ascontiguousarray(centroids, dtype=np.float32)


def _joined(centroids: Vectors, counts: NDArray[np.int64], k: int) -> Vectors:
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(centroids, method="average", metric="cosine")
    group = fcluster(tree, t=k, criterion="maxclust")
    weighted = centroids * np.maximum(counts, 1)[:, None]
    sums = np.stack([weighted[group == g].sum(axis=0) for g in np.unique(group)])
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), dtype=np.float32)


def _completed(vectors: Vectors, centroids: Vectors, k: int, *, seed: int) -> Vectors:
    draw = np.random.default_rng(seed)
    nearest = 1 - (vectors @ centroids.T).max(axis=1)
    chosen = list(centroids)
    while len(chosen) < k:
        weights = np.maximum(nearest, 0).astype(np.float64)
        total = weights.sum()
        share = weights / total if total > 0 else np.full(len(vectors), 1 / len(vectors))
        chosen.append(vectors[draw.choice(len(vectors), p=share)])
        nearest = np.minimum(nearest, 1 - vectors @ chosen[-1])
    return np.stack(chosen)


def _without_empty(vectors: Vectors, centroids: Vectors) -> Vectors:
    """Give each empty cluster the image that lies farthest from its own centroid.

    Where that does not help, because images are too alike to be told apart, the cluster is dropped.
    """
    for _ in range(len(centroids)):
        placement = place(vectors, centroids)
        counts = np.bincount(placement.nearest, minlength=len(centroids))
        empty = np.flatnonzero(counts == 0)
        if not len(empty):
            return centroids
        alone = counts[placement.nearest] == 1
        centroids[empty[0]] = vectors[int(np.where(alone, -1, placement.distances).argmax())]
    while not (
        counts := np.bincount(place(vectors, centroids).nearest, minlength=len(centroids))
    ).all():
        centroids = centroids[counts > 0]
    return centroids
