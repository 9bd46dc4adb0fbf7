"""New images into present clusters, without moving anybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.types import Labels, Vectors

_ROWS_AT_ONCE = 8_192
_UNSURE_BEYOND = 3.0
"""Standard deviations beyond the mean distance of a cluster's members."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where images lie among centroids, row by row.

    Attributes:
        nearest: ``(n,)`` int64, the row of the nearest centroid.
        distances: ``(n,)`` float32 cosine distance to it.
        margins: ``(n,)`` float32, how much farther the second nearest is; infinite for one cluster.
    """

    nearest: Labels
    distances: NDArray[np.float32]
    margins: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the members of clusters lie from their centroids, cluster by cluster.

    Attributes:
        means: ``(k,)`` float32, mean cosine distance.
        deviations: ``(k,)`` float32, standard deviation of it.
        medoids: ``(k,)`` int64, row of the member nearest to the centroid. For unit vectors and the
            cosine distance that is the medoid: the sum of the distances to all members is smallest
            where the similarity to their mean is largest.
    """

    means: NDArray[np.float32]
    deviations: NDArray[np.float32]
    medoids: Labels


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length one; a row of zeros stays as it is."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), dtype=np.float32)


def place(vectors: Vectors, centroids: Vectors) -> Placement:
    """The nearest centroid of each unit vector. O(n k dim), some rows at a time."""
    n = len(vectors)
    nearest = np.empty(n, dtype=np.int64)
    distances = np.empty(n, dtype=np.float32)
    margins = np.full(n, np.inf, dtype=np.float32)
    for start in range(0, n, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        similarity = vectors[rows] @ centroids.T
        nearest[rows] = similarity.argmax(axis=1)
        best = similarity.max(axis=1)
        distances[rows] = np.maximum(1 - best, 0)
        if len(centroids) > 1:
            margins[rows] = best - np.partition(similarity, -2, axis=1)[:, -2]
    return Placement(nearest, distances, margins)


def spread(placement: Placement, k: int) -> Spread:
    """Mean and deviation of the members' distances, and the medoids. No cluster may be empty."""
    means, deviations = np.zeros(k, np.float32), np.zeros(k, np.float32)
    medoids = np.zeros(k, np.int64)
    order = np.lexsort((placement.distances, placement.nearest))
    starts = np.searchsorted(placement.nearest[order], np.arange(k + 1))
    for cluster in range(k):
        members = order[starts[cluster] : starts[cluster + 1]]
        means[cluster] = placement.distances[members].mean()
        deviations[cluster] = placement.distances[members].std()
        medoids[cluster] = members[0]
    return Spread(means, deviations, medoids)


def is_unsure(
    placement: Placement, means: NDArray[np.float32], deviations: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Whether an image lies farther out than the cluster's own members do.

    A cluster of a few look-alikes has next to no deviation of its own: half of what clusters of
    this library usually have is the least that counts.
    """
    floor = np.median(deviations) / 2 if len(deviations) else 0.0
    limits = means + _UNSURE_BEYOND * np.maximum(deviations, floor)
    return np.asarray(placement.distances > limits[placement.nearest])
