"""New images into the clusters of their nearest labelled neighbours.

For the clusterers that cannot predict. It needs neither scikit-learn nor FAISS.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from organizer.types import NOISE, Labels, Vectors

_VALUES_AT_ONCE = 16_000_000
"""Products of a block of vectors with all landmarks: 64 MB."""

_LEAST_OF_A_CLUSTER = 5
"""Landmarks of each cluster, where it has so many and the limit allows: what a vote needs."""


class NearestLabelled:
    """Places vectors by the vote of their nearest landmarks, each weighted by 1 / distance.

    It is scikit-learn's ``KNeighborsClassifier(weights="distance")``, with two differences. Noise
    votes too, and wins like a cluster; and what lies farther from every cluster than the members
    of clusters lie from one another is noise, whatever the vote.

    Args:
        n_neighbors: How many vote.
        quantile: Share of the labelled landmarks that must lie as near to another one as a new
            vector to its nearest for it to be placed. 1 accepts all that is as near as the most
            remote landmark is.

    Attributes:
        reach_: Euclidean distance to the nearest labelled landmark beyond which a vector is noise;
            infinite where fewer than two landmarks are labelled.
    """

    def __init__(self, *, n_neighbors: int = 5, quantile: float = 0.99) -> None:
        self._n_neighbors = n_neighbors
        self._quantile = quantile

    def fit(self, vectors: Vectors, labels: Labels) -> NearestLabelled:
        """Take landmarks.

        Args:
            vectors: ``(m, dim)`` float32.
            labels: ``(m,)`` clusters; -1 is noise.
        """
        self._landmarks, self._labels = vectors, labels
        self._members = vectors[labels != NOISE]
        self.reach_ = self._calibrated()
        return self

    def predict(self, vectors: Vectors) -> Labels:
        """The cluster of each of ``(n, dim)`` vectors, or -1. O(n m dim) time, bounded memory."""
        placed = np.full(len(vectors), NOISE, dtype=np.int64)
        if not len(self._members):
            return placed
        for rows in _blocks(len(vectors), len(self._landmarks)):
            near, distances = _nearest(vectors[rows], self._landmarks, self._n_neighbors)
            labels = self._labels[near]
            # Where no voter is a member the vote is noise already.
            to_member = np.where(labels == NOISE, np.inf, distances).min(axis=1)
            within = to_member <= self.reach_
            placed[rows] = np.where(within, _vote(labels, distances), NOISE)
        return placed

    def _calibrated(self) -> float:
        """How far labelled landmarks lie from the nearest other one, all but the most remote."""
        m = len(self._members)
        if m < 2:
            return float("inf")
        alone = np.empty(m)
        for rows in _blocks(m, m):
            near, distances = _nearest(self._members[rows], self._members, 2)
            own = near[:, 0] == np.arange(m)[rows]
            alone[rows] = np.where(own, distances[:, 1], distances[:, 0])
        return float(np.quantile(alone, self._quantile))


def landmarks(labels: Labels, most: int, *, seed: int) -> Labels:
    """Rows of a sample in which every cluster, and the noise, is represented.

    Each has five where it has so many and `most` allows, and one in any case, even if there are
    more clusters than `most`; the rest are shared out by size.

    Args:
        labels: ``(n,)`` clusters; -1 is noise.
        most: How many rows to take.
        seed: Of the draw.

    Returns:
        ``(m,)`` int64 rows, ascending; all of them where they are not more than `most`.
    """
    if len(labels) <= most:
        return np.arange(len(labels), dtype=np.int64)
    _, cluster, counts = np.unique(labels, return_inverse=True, return_counts=True)
    least = max(1, min(_LEAST_OF_A_CLUSTER, most // len(counts)))
    first = np.minimum(counts, least)
    left = max(0, most - int(first.sum()))
    quotas = first + left * (counts - first) // max(1, int((counts - first).sum()))
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_cluster = shuffled[np.argsort(cluster[shuffled], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rank_in_cluster = np.arange(len(labels)) - np.repeat(starts, counts)
    return np.sort(by_cluster[rank_in_cluster < np.repeat(quotas, counts)])


def _blocks(n: int, width: int) -> list[slice]:
    step = max(1, _VALUES_AT_ONCE // max(1, width))
    return [slice(start, start + step) for start in range(0, n, step)]


def _nearest(
    vectors: Vectors, landmarks: Vectors, count: int
) -> tuple[Labels, NDArray[np.float64]]:
    """Rows of the nearest landmarks and the distances to them, the nearest first."""
    count = min(count, len(landmarks))
    # |x - y|^2 / 2 without |x|^2, which is the same for all landmarks.
    half = 0.5 * np.einsum("md,md->m", landmarks, landmarks)
    apart = half - vectors @ landmarks.T
    near = np.empty((len(vectors), count), dtype=np.int64)
    for column in range(count):  # a few passes for the least are faster than one argpartition
        near[:, column] = apart.argmin(axis=1)
        np.put_along_axis(apart, near[:, column, None], np.inf, axis=1)
    # Products of float32 separate a copy from a near one only to 0.0003; differences do it exactly.
    distances = np.empty(near.shape)
    for column in range(count):
        difference = vectors.astype(np.float64) - landmarks[near[:, column]]
        distances[:, column] = np.linalg.norm(difference, axis=1)
    order = np.lexsort((near, distances), axis=1)
    return (
        np.take_along_axis(near, order, axis=1),
        np.take_along_axis(distances, order, axis=1),
    )


def _vote(labels: Labels, distances: NDArray[np.float64]) -> Labels:
    """The label with the most weight in each row; of equals that of the nearest."""
    with np.errstate(divide="ignore"):
        weights = 1 / distances
    same = np.isinf(weights)
    weights = np.where(same.any(axis=1, keepdims=True), same, weights)
    agree = labels[:, :, None] == labels[:, None, :]
    totals = (agree * weights[:, None, :]).sum(axis=2)
    # Sums of the same weights in another order may differ in their last bits.
    best = totals >= totals.max(axis=1, keepdims=True) * (1 - 1e-12)
    return np.take_along_axis(labels, best.argmax(axis=1)[:, None], axis=1)[:, 0]
