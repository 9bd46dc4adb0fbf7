"""Centroids to start from: k-means++, seeds that a person fixed, the previous centroids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.constrained import RowConstraints
from organizer.cluster.metric_space import MetricSpace
from organizer.types import Labels, Vectors

_DRAWN_FROM, _DRAWN_FROM_EACH = 10_000, 10
"""A cold start is drawn from a sample of this many images, or of this many for each cluster."""

_SKETCHED, _SKETCH = 2_000_000_000, 256
"""From this many multiplications a draw goes by distances in a random projection of this width. It
costs about 1% of the objective of the start."""


def cold_start(
    space: MetricSpace,
    k: int,
    *,
    seed: int,
    constraints: RowConstraints,
    like: Vectors | None = None,
) -> Vectors:
    """Greedy k-means++ (Arthur and Vassilvitskii 2007), given the means of what is fixed.

    Of large sets a sample is drawn from. Where the draw is long, it goes by distances in a random
    projection (Johnson and Lindenstrauss 1984); what is drawn are vectors themselves.

    Args:
        space: The vectors.
        k: How many.
        seed: Of the draw.
        constraints: The first centroid of an owner with fixed rows is their mean, as in Seeded
            K-means (Basu, Banerjee and Mooney 2002).
        like: ``(k, dim)`` centroids that the others are put in the order of, the nearest first,
            so that what is banned from an owner stays so in meaning.

    Returns:
        ``(k, dim)`` float32, in the coordinates of the space.
    """
    draw = np.random.default_rng(seed)
    most = max(_DRAWN_FROM, _DRAWN_FROM_EACH * k)
    rows = np.arange(len(space))
    if len(space) > most:
        rows = np.sort(draw.choice(len(space), most, replace=False))
    sample = space.take(rows)
    seeds = constraints.seeds()
    if not seeds:
        start = sample[_plus_plus(_sketch(sample, k, draw), k, seed=seed)]
        return start if like is None or not len(constraints.rows) else _in_order(start, like)
    return _seeded(space, sample, k, seeds, constraints.owners, like, draw)


def warm_start(
    vectors: Vectors, centroids: Vectors, counts: NDArray[np.int64], k: int, *, seed: int
) -> Vectors:
    """The previous centroids as a start for k clusters.

    Too many are joined, the nearest first (average linkage, weighted by count); too few are
    completed by k-means++ (Arthur and Vassilvitskii 2007), given those.

    Returns:
        ``(k, dim)`` float32 of unit length.
    """
    if k < len(centroids):
        centroids = _joined(centroids, counts, k)
    if k > len(centroids):
        draw = np.random.default_rng(seed)
        centroids = _completed(vectors, centroids, k, draw=draw)
    return np.ascontiguousarray(centroids, dtype=np.float32)


def _plus_plus(sample: Vectors, k: int, *, seed: int) -> Labels:
    from sklearn.cluster import kmeans_plusplus

    _, rows = kmeans_plusplus(sample, k, random_state=seed % 2**32)
    return np.asarray(rows, dtype=np.int64)


def _sketch(sample: Vectors, k: int, draw: np.random.Generator) -> Vectors:
    dim = sample.shape[1]
    if sample.size * k <= _SKETCHED or dim <= _SKETCH:
        return sample
    return sample @ draw.standard_normal((dim, _SKETCH), dtype=np.float32)


def _seeded(
    space: MetricSpace,
    sample: Vectors,
    k: int,
    seeds: dict[int, Labels],
    owners: Labels,
    like: Vectors | None,
    draw: np.random.Generator,
) -> Vectors:
    first = {int(owner): int(np.flatnonzero(owners == owner)[0]) for owner in seeds}
    means = np.stack([space.take(rows).mean(axis=0) for rows in seeds.values()])
    every = _completed(sample, means, k, draw=draw)
    start = np.empty_like(every)
    taken = np.array(list(first.values()))
    others = np.setdiff1d(np.arange(k), taken)
    start[taken] = means
    drawn = every[len(means) :]
    start[others] = drawn if like is None or not len(others) else _in_order(drawn, like[others])
    return space.normalised(start)


def _in_order(found: Vectors, like: Vectors) -> Vectors:
    """One for one, so that the sum of squared distances is least."""
    from scipy.optimize import linear_sum_assignment

    lengths = np.einsum("ij,ij->i", found, found)
    _, order = linear_sum_assignment(lengths - 2 * (like @ found.T))
    return np.ascontiguousarray(found[order])


def _joined(centroids: Vectors, counts: NDArray[np.int64], k: int) -> Vectors:
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(centroids, method="average", metric="cosine")
    group = fcluster(tree, t=k, criterion="maxclust")
    weighted = centroids * np.maximum(counts, 1)[:, None]
    sums = np.stack([weighted[group == g].sum(axis=0) for g in np.unique(group)])
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), dtype=np.float32)


def _completed(vectors: Vectors, given: Vectors, k: int, *, draw: np.random.Generator) -> Vectors:
    """Rows drawn by their squared distance to what is given and drawn, added to it."""
    squares = np.einsum("ij,ij->i", vectors, vectors)

    def to(centroids: Vectors) -> NDArray[np.float32]:
        lengths = np.einsum("ij,ij->i", centroids, centroids)
        return np.asarray(squares - (2 * (vectors @ centroids.T) - lengths).max(axis=1))

    nearest = to(given)
    chosen = list(given)
    while len(chosen) < k:
        weights = np.maximum(nearest, 0).astype(np.float64)
        total = weights.sum()
        share = weights / total if total > 0 else np.full(len(vectors), 1 / len(vectors))
        chosen.append(vectors[draw.choice(len(vectors), p=share)])
        nearest = np.minimum(nearest, to(chosen[-1][None, :]))
    return np.stack(chosen)
