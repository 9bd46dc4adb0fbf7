"""K-means with scikit-learn's interface, and with a person's decisions as constraints.

The one module that imports faiss.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any, Literal

import numpy as np

from organizer.cluster.constrained import RowConstraints, row_constraints
from organizer.cluster.gpu import GpuLloyd, find_gpu, gpu_name
from organizer.cluster.lloyd import Lloyd, LloydFit, lloyd
from organizer.cluster.metric_space import Metric, MetricSpace, blocks, metric_space
from organizer.cluster.products import (
    Compare,
    Nearest,
    Products,
    Squares,
    blas_products,
    workers,
)
from organizer.cluster.starts import cold_start, warm_start
from organizer.counts import count_text
from organizer.errors import ClusteringError, PluginError
from organizer.types import Labels, Vectors

__all__ = ["KMeans", "installed_faiss", "warm_start"]

KMeansEngine = Literal["auto", "blas", "faiss", "torch"]

_DISTRIBUTIONS = ("faiss-cpu", "faiss-gpu-cuvs", "faiss-gpu", "faiss-gpu-cu12", "faiss-gpu-cu11")
_STARTS, _STARTS_IF_LONG, _SHORT = 10, 3, 500_000_000
"""Cold starts, by the multiplications of one iteration."""

_WORTH_A_GPU = 10_000_000_000
"""Multiplications of one iteration from which a GPU pays for importing torch."""

_WARM_PREFERENCE = 0.01
"""A cold start must be better by this share of the inertia before it replaces the warm one: below
it the difference is that of one local optimum to another, and identity is worth more."""


class KMeans:
    """K-means (Lloyd 1982), spherical (Dhillon and Modha 2001) by default.

    All vectors are trained on, and a start is drawn by scikit-learn's greedy k-means++: FAISS's own
    trainer silently takes 256 vectors a centroid, and starts at random.

    Args:
        n_clusters: How many clusters. There are fewer where images cannot be distinguished.
        n_init: Cold starts; the best counts. None takes ten, and three where one is long.
        max_iter: Lloyd iterations of each start.
        tol: A start has converged when no larger share of the vectors changed their centroid.
        random_state: Seed; the same vectors and seed give the same clusters.
        init: ``(n_clusters, dim)`` centroids of a warm start, tried besides the cold ones.
        metric: ``cosine`` scales vectors and centroids to length one; ``euclidean`` does not.
        max_points: Train on a seeded sample of this many, then place all. None trains on all:
            besides the vectors, that takes 50 bytes for each and some blocks of 8 MB.
        engine: What compares vectors with centroids: ``blas`` (blocked products by numpy, see
            `organizer.cluster.products`), ``faiss`` (a flat index on the processor), or ``torch``
            (on a GPU where there is one, see `organizer.cluster.gpu`). ``auto`` is torch for long
            fits beside an NVIDIA GPU, and else BLAS, which is 1.3 to 2.5 times as fast as FAISS
            (`benchmarks/kmeans.py`).

    Attributes:
        labels_: ``(n,)`` int64, the centroid of each vector, after `fit_predict`.
        owners_: ``(k,)`` int64, whose each centroid is.
        cluster_centers_: ``(k, dim)`` float32, none without a member; of unit length for cosine.
        inertia_: Sum of squared Euclidean distances to the centroids.
        n_iter_: Iterations of the start that was best.
        n_trained_on_: Vectors that were trained on.
        algorithm_: What really ran, for a person.
    """

    def __init__(
        self,
        *,
        n_clusters: int = 8,
        n_init: int | None = None,
        max_iter: int = 50,
        tol: float = 1e-4,
        random_state: int = 0,
        init: Vectors | None = None,
        metric: Metric = "cosine",
        max_points: int | None = None,
        engine: KMeansEngine = "auto",
    ) -> None:
        self._n_clusters = n_clusters
        self._n_init = n_init
        self._max_iter = max_iter
        self._tol = tol
        self._seed = random_state
        self._init = init
        self._metric = metric
        self._max_points = max_points
        self._engine = engine

    def fit_predict(
        self,
        vectors: Vectors,
        /,
        *,
        fixed: Labels | None = None,
        banned: Labels | None = None,
        owners: Labels | None = None,
    ) -> Labels:
        """Cluster ``(n, dim)`` float32 or float16 vectors.

        Args:
            vectors: Nothing is copied but what the metric needs, block by block.
            fixed: ``(n,)`` int64, the owner whose nearest centroid a vector always has, or -1.
            banned: ``(m, 2)`` int64, rows and the owners none of whose centroids they may have.
            owners: ``(n_clusters,)`` int64, whose each centroid is; several may have one owner.
                By default each centroid is its own owner.

        Raises:
            ClusteringError: There are fewer vectors than clusters, a vector is not finite, or the
                constraints contradict each other.
            PluginError: Not exactly one FAISS is installed.
        """
        installed_faiss()
        n = len(vectors)
        if n < self._n_clusters:
            raise ClusteringError(
                f"{count_text(n, 'image')} cannot make {self._n_clusters} clusters"
            )
        held = row_constraints(n, self._n_clusters, fixed=fixed, banned=banned, owners=owners)
        space = metric_space(vectors, self._metric)
        with running(space, self._n_clusters, self._engine) as (fit, where):
            best = self._best(space, fit, held)
            best = _parted(space, best, held)
            while len(lost := _lost(space, best, held)):
                # One at a time: its members may be those that another one lacks.
                kept = np.setdiff1d(np.arange(len(best.kept)), lost[:1])
                best = _placed(space, best, kept, fit, held)
        self.labels_, self.inertia_, self.n_iter_ = best.labels, best.inertia, best.n_iter
        self.cluster_centers_ = best.centroids
        self.owners_ = held.owners[best.kept]
        kind = "spherical K-means" if space.spherical else "K-means"
        sampled = f", trained on {self.n_trained_on_} of {n}" if self.n_trained_on_ < n else ""
        self.algorithm_ = f"{kind} on the {where}{sampled}"
        return self.labels_

    def _best(self, space: MetricSpace, fit: Lloyd, held: RowConstraints) -> LloydFit:
        """The best start on all vectors, or on a sample and then placed."""
        rows = _sample(len(space), self._max_points, held.rows, self._n_clusters, self._seed)
        self.n_trained_on_ = len(rows)
        if len(rows) == len(space):
            return self._best_of_all(space, fit, held)
        best = self._best_of_all(space.subset(rows), fit, held.of_rows(rows))
        return _placed(space, best, np.arange(len(best.kept)), fit, held)

    def _best_of_all(self, space: MetricSpace, fit: Lloyd, held: RowConstraints) -> LloydFit:
        work = len(space) * space.dim * self._n_clusters
        n_init = self._n_init or (_STARTS if work <= _SHORT else _STARTS_IF_LONG)
        warm = None if self._init is None else space.normalised(self._init)
        best: LloydFit | None = None
        for number in range(0 if warm is None else -1, n_init):
            start = warm
            if start is None or number >= 0:
                seed = self._seed + number
                k = self._n_clusters
                start = cold_start(space, k, seed=seed, constraints=held, like=warm)
            found = fit(space, start, constraints=held, max_iter=self._max_iter, tol=self._tol)
            # The warm start is first: a cold one has to beat it clearly.
            lead = _WARM_PREFERENCE if warm is not None and number == 0 else 0.0
            if best is None or found.inertia < best.inertia * (1 - lead):
                best = found
        assert best is not None, "n_init must be 1 or more"  # noqa: S101 - for the type checker
        return best


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
            "FAISS is not installed", "pip install 'organizer-photos[cpu]', or [gpu] beside a GPU"
        )
    if len(found) > 1:
        names = [item.split()[0] for item in found]
        raise PluginError(
            f"{' and '.join(names)} are both installed and overwrite each other's files",
            f"pip uninstall {' '.join(names)}, then install one of them",
        )
    return found[0]


def _faiss_products(space: MetricSpace) -> Products:
    """The nearest two by exact search of a FAISS index."""
    import faiss

    def searching(centroids: Vectors) -> Compare:
        index: Any = (faiss.IndexFlatIP if space.spherical else faiss.IndexFlatL2)(space.dim)
        index.add(np.ascontiguousarray(centroids - space.origin))

        def nearest(block: Vectors, squares: Squares) -> Nearest:
            found, rows = index.search(np.ascontiguousarray(block - space.origin), 2)
            found = np.where(rows < 0, np.float32(-np.inf if space.spherical else np.inf), found)
            distances = squares[:, None] + 1 - 2 * found if space.spherical else found
            distances = np.maximum(distances, 0).astype(np.float32)
            return rows[:, 0], distances[:, 0], distances[:, 1]

        return nearest

    return searching


@contextmanager
def running(space: MetricSpace, k: int, engine: KMeansEngine) -> Iterator[tuple[Lloyd, str]]:
    """What iterates on this machine with an engine, and its description for a person."""
    work = len(space) * space.dim * k
    gpu = find_gpu() if engine == "torch" or (engine == "auto" and work >= _WORTH_A_GPU) else ""
    if gpu or engine == "torch":
        device = gpu or "cpu"
        yield GpuLloyd(device), gpu_name(device)
        return
    if engine == "faiss":
        products, where, work = _faiss_products(space), installed_faiss(), 0  # its own threads
    else:
        products, where = blas_products(space), f"BLAS of numpy {np.__version__}"
    with workers(work) as run:
        yield partial(lloyd, products=products, run=run), f"processor ({where})"


def _placed(
    space: MetricSpace,
    fit: LloydFit,
    kept: Labels,
    run: Lloyd,
    held: RowConstraints,
) -> LloydFit:
    """All rows at some of the centroids of a fit."""
    left = fit.kept[kept]
    owned = RowConstraints(held.rows, held.fixed, held.banned, held.owners[left])
    centroids = fit.centroids[kept]
    found = run(space, centroids, constraints=owned, max_iter=0, tol=0)
    return replace(found, kept=left[found.kept], n_iter=fit.n_iter)


def _lost(space: MetricSpace, fit: LloydFit, held: RowConstraints) -> Labels:
    """Centroids that have no clear member, and no constrained rows.

    Of look-alike centroids one has all members by the rounding of one product, and the other by
    that of another; only these are looked at, in double precision.
    """
    k = len(fit.centroids)
    alike = fit.centroids @ fit.centroids.T >= 1 - 4 * space.rounding
    twins = np.flatnonzero(alike.sum(axis=1) > 1)
    if not space.spherical or not len(twins):
        return np.empty(0, dtype=np.int64)
    rows = np.flatnonzero(np.isin(fit.labels, twins))
    centroids = fit.centroids.T.astype(np.float64)
    members = np.zeros(k, dtype=np.int64)
    for block in blocks(len(rows), k):
        similarity = space.take(rows[block]).astype(np.float64) @ centroids
        best = np.partition(similarity, -2, axis=1)
        # A lead that rounding can take away is none: how it rounds differs between processors,
        # and with the number of rows of a product.
        leads = best[:, -1] - best[:, -2] > space.rounding
        members += np.bincount(similarity.argmax(axis=1)[leads], minlength=k)
    members[fit.labels[held.rows]] += 1
    return np.asarray(twins[members[twins] == 0], dtype=np.int64)


def _parted(space: MetricSpace, fit: LloydFit, held: RowConstraints) -> LloydFit:
    """Lost centroids and their look-alikes moved apart, where that makes the lost ones found.

    Each by the distance between the two, which float32 hardly tells from none.
    """
    lost = _lost(space, fit, held)
    if not len(lost):
        return fit
    similarity = fit.centroids[lost] @ fit.centroids.T
    similarity[np.arange(len(lost)), lost] = -np.inf
    twins = similarity.argmax(axis=1)
    apart = fit.centroids[lost] - fit.centroids[twins]
    centroids = fit.centroids.copy()
    centroids[lost] = space.normalised(centroids[lost] + apart)
    centroids[twins] = space.normalised(centroids[twins] - apart)
    parted = replace(fit, centroids=centroids)
    return parted if len(_lost(space, parted, held)) < len(lost) else fit


def _sample(n: int, most: int | None, needed: Labels, k: int, seed: int) -> Labels:
    """Rows to train on: all, or a seeded sample with all those that are needed."""
    most = n if most is None else max(most, k)
    if n <= most:
        return np.arange(n)
    drawn = np.random.default_rng(seed).choice(n, most, replace=False)
    return np.union1d(drawn, needed).astype(np.int64)
