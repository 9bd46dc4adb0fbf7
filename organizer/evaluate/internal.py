"""Scores that need no truth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.types import NOISE, Labels, Silhouette, Vectors

_EXACT_UP_TO = 20_000
_SCORED = 5_000
_ROWS, _COLUMNS = 1_024, 4_096
_CLOSE = 1e-2
"""Squared distances below this share of the mean squared length are computed again, from the
difference: in float32 the product is off by some 1e-7 of it, too much for the root of less."""

METRIC = "euclidean, on vectors of unit length"


@dataclass(frozen=True, slots=True)
class _Clusters:
    """Images without noise, cluster by cluster.

    Attributes:
        vectors: ``(n, dim)`` of all images, noise too.
        order: ``(m,)`` int64, rows sorted by cluster.
        number: ``(n,)`` int64, the position of each row's cluster in `names`; -1 for noise.
        names: ``(k,)`` int64 labels.
        counts: ``(k,)`` int64.
        centre: ``(dim,)`` float32, the mean: lengths are measured from it.
        scale: Mean squared length.
    """

    vectors: Vectors
    order: Labels
    number: Labels
    names: Labels
    counts: Labels
    centre: Vectors
    scale: float


def silhouette(vectors: Vectors, labels: Labels, *, seed: int = 0) -> Silhouette | None:
    """scikit-learn's silhouette of unit vectors, with Euclidean distances.

    Exact up to 20,000 images. Above, it is that of a seeded sample of 5,000, each compared with
    all images, so that each value is exact and only their mean has an error. Noise is left out, an
    image alone in its cluster has silhouette 0. O(scored n dim); never more than a block of the
    distances is held.

    Args:
        vectors: ``(n, dim)`` float32 or float16.
        labels: ``(n,)`` int64, -1 for noise.
        seed: Of the sample.

    Returns:
        None where it is not defined: fewer than two clusters, or as many clusters as images.
    """
    clusters = _clusters(vectors, labels)
    if clusters is None:
        return None
    rows = np.sort(clusters.order)
    n = len(rows)
    if n > _EXACT_UP_TO:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _SCORED, replace=False))
    values = np.concatenate([_values(clusters, part) for part in _parts(rows, _ROWS)])
    return _summary(clusters, rows, values)


def _clusters(vectors: Vectors, labels: Labels) -> _Clusters | None:
    there = np.flatnonzero(labels != NOISE)
    names, numbers, counts = np.unique(labels[there], return_inverse=True, return_counts=True)
    if not 2 <= len(names) < len(there):
        return None
    number = np.full(len(labels), -1, dtype=np.int64)
    number[there] = numbers
    order = there[np.argsort(numbers, kind="stable")]
    total, squares = np.zeros(vectors.shape[1]), 0.0
    for part in _parts(there, _COLUMNS):
        block = np.asarray(vectors[part], dtype=np.float32)
        total += block.sum(axis=0)
        squares += float(np.einsum("ij,ij->i", block, block).sum(dtype=np.float64))
    centre = total / len(there)
    scale = squares / len(there) - float(centre @ centre)
    return _Clusters(vectors, order, number, names, counts, centre.astype(np.float32), scale)


def _values(clusters: _Clusters, rows: Labels) -> NDArray[np.float64]:
    """The silhouette of some rows, from their distances to all others."""
    block = _block(clusters, rows)
    squares = np.einsum("ij,ij->i", block, block)
    sums = np.zeros((len(rows), len(clusters.names)))
    for part in _parts(clusters.order, _COLUMNS):
        distances = _distances(block, squares, _block(clusters, part), clusters.scale)
        # A row has no distance to itself, whatever the rounding.
        distances[_common(rows, part)] = 0
        numbers = clusters.number[part]
        starts = _starts(numbers)
        # float32 within a block (numpy adds pairwise), float64 over all.
        sums[:, numbers[starts]] += np.add.reduceat(distances, starts, axis=1)
    return _scores(clusters, rows, sums)


def _distances(
    block: Vectors, squares: NDArray[np.float32], others: Vectors, scale: float
) -> NDArray[np.float32]:
    """``|x - y| = sqrt(|x|^2 - 2 x.y + |y|^2)``, and from the difference where that is inexact."""
    found = (-2 * block) @ others.T
    found += squares[:, None]
    found += np.einsum("ij,ij->i", others, others)
    close = found < _CLOSE * scale
    n_close = int(np.count_nonzero(close))
    if n_close * block.shape[1] > 4 * found.size:
        found = _in_double(block, others)
    elif n_close:
        at, to = np.nonzero(close)
        difference = block[at] - others[to]
        found[at, to] = np.einsum("ij,ij->i", difference, difference)
    return np.asarray(np.sqrt(np.maximum(found, 0, out=found), out=found), dtype=np.float32)


def _in_double(block: Vectors, others: Vectors) -> NDArray[np.float64]:
    """Squared distances in double precision, where too many are small to do them one by one."""
    wide, far = block.astype(np.float64), others.astype(np.float64)
    lengths = (wide**2).sum(axis=1)[:, None] + (far**2).sum(axis=1)
    return np.asarray(lengths - 2 * (wide @ far.T))


def _scores(clusters: _Clusters, rows: Labels, sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The silhouette from the sums of distances to each cluster."""
    own, at = clusters.number[rows], np.arange(len(rows))
    others = np.maximum(clusters.counts[own] - 1, 1)
    within = np.maximum(sums[at, own], 0) / others
    means = sums / clusters.counts
    means[at, own] = np.inf
    nearest = np.maximum(means.min(axis=1), 0)
    larger = np.maximum(within, nearest)
    values = (nearest - within) / np.where(larger > 0, larger, 1)
    return np.where(clusters.counts[own] > 1, values, 0.0)


def _summary(clusters: _Clusters, rows: Labels, values: NDArray[np.float64]) -> Silhouette:
    own, n = clusters.number[rows], len(clusters.order)
    counts = np.bincount(own, minlength=len(clusters.names))
    sums = np.bincount(own, values, minlength=len(clusters.names))
    per_cluster = {
        int(clusters.names[i]): float(sums[i] / counts[i]) for i in np.flatnonzero(counts)
    }
    error = 0.0
    if len(rows) < n:
        # Drawn without replacement: the finite population correction.
        error = float(values.std(ddof=1)) * math.sqrt((1 - len(rows) / n) / len(rows))
    return Silhouette(
        mean=float(values.mean()),
        per_cluster=per_cluster,
        n_scored=len(rows),
        sampled=len(rows) < n,
        standard_error=error,
        rows=rows,
        values=values,
    )


def _block(clusters: _Clusters, rows: Labels) -> Vectors:
    return np.asarray(clusters.vectors[rows].astype(np.float32) - clusters.centre)


def _parts(rows: Labels, size: int) -> Iterator[Labels]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _starts(numbers: Labels) -> Labels:
    """Where another cluster begins, in numbers that are sorted."""
    return np.flatnonzero(np.diff(numbers, prepend=-1))


def _common(rows: Labels, columns: Labels) -> tuple[Labels, Labels]:
    """Positions in both of what is in both."""
    _, at, to = np.intersect1d(rows, columns, assume_unique=True, return_indices=True)
    return at, to
