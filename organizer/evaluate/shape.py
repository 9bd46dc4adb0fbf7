"""How compact clusters are and how far apart: scores of the vectors and labels alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.types import NOISE, ClusterShape, InternalScores, Labels, Vectors

_ROWS = 8_192

_ROUNDING = 1e-12
"""Lengths below this share of the vectors' own are rounding: equal vectors have none between them.
Different float32 vectors lie farther apart."""


def internal_scores(vectors: Vectors, labels: Labels) -> InternalScores:
    """Davies-Bouldin, Calinski-Harabasz, inertia, and the shape of each cluster; Euclidean.

    Exact, in two passes over the vectors: O(n dim + k^2 dim). The definitions are scikit-learn's.
    Noise is left out.

    Args:
        vectors: ``(n, dim)`` float32 or float16.
        labels: ``(n,)`` int64, -1 for noise.
    """
    order = np.flatnonzero(labels != NOISE)
    order = order[np.argsort(labels[order], kind="stable")]
    names, numbers, counts = np.unique(labels[order], return_inverse=True, return_counts=True)
    if not len(names):
        return InternalScores(None, None, 0.0, ())
    centre = _mean(vectors, order)
    means = _means(vectors, order, numbers, counts, centre)
    sums = _to_own(vectors, order, numbers, means, centre)
    spread = _Spread(
        counts=counts,
        means=means,
        distances=sums.distances / counts,
        squares=sums.squares,
        cosines=sums.cosines / counts,
        scale=float(np.linalg.norm(means + centre, axis=1).max()),
    )
    between = spread.between()
    return InternalScores(
        davies_bouldin=_davies_bouldin(spread, between),
        calinski_harabasz=_calinski_harabasz(spread),
        inertia=float(sums.squares.sum()),
        clusters=tuple(_shape(spread, between, names, row) for row in range(len(names))),
    )


@dataclass(frozen=True, slots=True)
class _Spread:
    """Clusters by their centroids.

    Attributes:
        counts: ``(k,)`` images.
        means: ``(k, dim)`` float64 centroids, measured from the mean of all images.
        distances: ``(k,)`` mean distances of the members to the centroid.
        squares: ``(k,)`` sums of the squared distances.
        cosines: ``(k,)`` mean cosine similarities of the members to the centroid.
        scale: Length of the longest centroid, measured from the origin.
    """

    counts: Labels
    means: NDArray[np.float64]
    distances: NDArray[np.float64]
    squares: NDArray[np.float64]
    cosines: NDArray[np.float64]
    scale: float

    def between(self) -> NDArray[np.float64]:
        """``(k, k)`` distances of the centroids."""
        from scipy.spatial.distance import cdist

        found = np.asarray(cdist(self.means, self.means))
        return np.where(found > _ROUNDING * self.scale, found, 0.0)

    @property
    def is_scored(self) -> bool:
        """Whether Davies-Bouldin and Calinski-Harabasz are defined."""
        return 2 <= len(self.counts) < int(self.counts.sum())


def _davies_bouldin(spread: _Spread, between: NDArray[np.float64]) -> float | None:
    if not spread.is_scored:
        return None
    if np.allclose(spread.distances, 0) or np.allclose(between, 0):
        return 0.0
    apart = np.where(between == 0, np.inf, between)
    ratios = (spread.distances[:, None] + spread.distances) / apart
    np.fill_diagonal(ratios, 0)
    return float(ratios.max(axis=1).mean())


def _calinski_harabasz(spread: _Spread) -> float | None:
    if not spread.is_scored:
        return None
    k, n, within = len(spread.counts), int(spread.counts.sum()), float(spread.squares.sum())
    if within == 0:
        return 1.0
    explained = float(spread.counts @ (spread.means**2).sum(axis=1))
    return explained * (n - k) / (within * (k - 1))


def _shape(spread: _Spread, between: NDArray[np.float64], names: Labels, row: int) -> ClusterShape:
    others = between[row].copy()
    others[row] = np.inf
    nearest = int(others.argmin())
    alone = len(names) == 1
    return ClusterShape(
        cluster_id=int(names[row]),
        count=int(spread.counts[row]),
        cohesion=float(spread.cosines[row]),
        spread=float(np.sqrt(spread.squares[row] / spread.counts[row])),
        inertia=float(spread.squares[row]),
        separation=None if alone else float(others[nearest]),
        nearest=None if alone else int(names[nearest]),
    )


def _mean(vectors: Vectors, order: Labels) -> NDArray[np.float64]:
    total = np.zeros(vectors.shape[1])
    for rows in _parts(order):
        total += vectors[rows].sum(axis=0, dtype=np.float64)
    return total / len(order)


def _means(
    vectors: Vectors, order: Labels, numbers: Labels, counts: Labels, centre: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Centroids from `centre`: near it differences of rounding are small."""
    sums = np.zeros((len(counts), vectors.shape[1]))
    for start in range(0, len(order), _ROWS):
        part = slice(start, start + _ROWS)
        mine = numbers[part]
        first = np.flatnonzero(np.diff(mine, prepend=-1))
        block = vectors[order[part]].astype(np.float64) - centre
        sums[mine[first]] += np.add.reduceat(block, first, axis=0)
    return sums / counts[:, None]


@dataclass(frozen=True, slots=True)
class _ToOwn:
    """For each cluster sums over its members: how they lie to their centroid."""

    distances: NDArray[np.float64]
    squares: NDArray[np.float64]
    cosines: NDArray[np.float64]


def _to_own(
    vectors: Vectors,
    order: Labels,
    numbers: Labels,
    means: NDArray[np.float64],
    centre: NDArray[np.float64],
) -> _ToOwn:
    sums = _ToOwn(*np.zeros((3, len(means))))
    centroids = means + centre
    lengths = np.linalg.norm(centroids, axis=1)
    for start in range(0, len(order), _ROWS):
        part = slice(start, start + _ROWS)
        mine = numbers[part]
        block = vectors[order[part]].astype(np.float64)
        apart = block - centroids[mine]
        own = np.sqrt(np.einsum("ij,ij->i", block, block))
        squares = np.einsum("ij,ij->i", apart, apart)
        squares[squares <= (_ROUNDING * own) ** 2] = 0
        scale = own * lengths[mine]
        along = np.einsum("ij,ij->i", block, centroids[mine])
        cosines = np.divide(along, scale, out=np.zeros_like(along), where=scale > 0)
        k = len(means)
        sums.distances[:] += np.bincount(mine, np.sqrt(squares), minlength=k)
        sums.squares[:] += np.bincount(mine, squares, minlength=k)
        sums.cosines[:] += np.bincount(mine, cosines, minlength=k)
    return sums


def _parts(order: Labels) -> Iterator[Labels]:
    for start in range(0, len(order), _ROWS):
        yield order[start : start + _ROWS]
