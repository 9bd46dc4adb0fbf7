"""Images whose neighbours are in another cluster."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from organizer.types import NOISE, Labels

NEIGHBOURS = 10
DOUBTFUL_FROM = 0.6
"""Share of the neighbours from which an image is doubtful: six of ten."""

StoredRows = NDArray[np.float32] | NDArray[np.float16]

_ROWS, _COLUMNS = 512, 8_192
_MOST = 64
"""Candidates of a row in a block. More neighbours than that are not looked up."""


def neighbour_disagreement(
    vectors: StoredRows,
    labels: Labels,
    *,
    rows: Labels | None = None,
    neighbours: int = NEIGHBOURS,
) -> tuple[NDArray[np.float64], Labels]:
    """How many of an image's nearest neighbours are in another cluster, and in which.

    The neighbours are exact, by cosine distance, among all images that are in a cluster; noise is
    nobody's neighbour and has none. Of an image in a cluster of fewer than 11 images only as many
    neighbours are looked at as its cluster could give; every image of a small cluster would
    disagree otherwise. O(rows n dim); 512 rows times 8,192 columns of the distances
    are held at once, however many there are.

    Args:
        vectors: ``(n, dim)`` float32 or float16 of unit length.
        labels: ``(n,)`` int64, -1 for noise.
        rows: ``(m,)`` int64, the images to look at; all where None.
        neighbours: How many; cut to the images that there are, and to 64.

    Returns:
        ``(m,)`` float64, the share of the neighbours that are in another cluster, and ``(m,)``
        int64, the cluster in which most of these are (of several, the nearest neighbour's); -1
        where there are none.
    """
    rows = np.arange(len(labels), dtype=np.int64) if rows is None else rows
    clustered = np.flatnonzero(labels != NOISE)
    k = min(neighbours, len(clustered) - 1, _MOST)
    share = np.zeros(len(rows))
    majority = np.full(len(rows), NOISE, dtype=np.int64)
    inside = np.flatnonzero(labels[rows] != NOISE)
    companions = _companions(labels)
    if k < 1:
        return share, majority
    for start in range(0, len(inside), _ROWS):
        at = inside[start : start + _ROWS]
        near = labels[_nearest(vectors, rows[at], clustered, k)]
        looked_at = np.minimum(companions[rows[at]], k)
        others = near != labels[rows[at]][:, None]
        others &= np.arange(k) < looked_at[:, None]
        share[at] = others.sum(axis=1) / np.maximum(looked_at, 1)
        majority[at] = _majority(near, others)
    return share, majority


def _companions(labels: Labels) -> Labels:
    """``(n,)`` the other images in the cluster of each; of noise, of the noise."""
    _, at, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return np.asarray(counts[at] - 1, dtype=np.int64)


def _nearest(vectors: StoredRows, rows: Labels, columns: Labels, k: int) -> Labels:
    """``(len(rows), k)`` the nearest of the columns to each row, nearest first, itself left out."""
    queries = vectors[rows].astype(np.float32)
    best = np.full((len(rows), k), -np.inf, dtype=np.float32)
    found = np.full((len(rows), k), -1, dtype=np.int64)
    for start in range(0, len(columns), _COLUMNS):
        part = columns[start : start + _COLUMNS]
        cosines = queries @ vectors[part].astype(np.float32).T
        _, own, at = np.intersect1d(rows, part, assume_unique=True, return_indices=True)
        cosines[own, at] = -np.inf
        near, place = _candidates(cosines, best[:, -1:])
        # Each row's best so far and what is better than the last of these, sorted together.
        of = np.concatenate([np.repeat(np.arange(len(rows)), k), near])
        values = np.concatenate([best.ravel(), cosines[near, place]])
        ids = np.concatenate([found.ravel(), part[place]])
        order = np.lexsort((-values, of))
        starts = np.searchsorted(of[order], np.arange(len(rows)))
        first = order[starts[:, None] + np.arange(k)]
        best, found = values[first], ids[first]
    return found


def _candidates(
    cosines: NDArray[np.float32], bar: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where a cosine is above the row's bar; of many, the highest `_MOST` of each row."""
    above = cosines > bar
    if cosines.shape[1] <= _MOST or np.count_nonzero(above) <= len(cosines) * _MOST:
        near, place = np.nonzero(above)
        return near, place
    highest = np.argpartition(cosines, -_MOST, axis=1)[:, -_MOST:]
    return np.repeat(np.arange(len(cosines)), _MOST), highest.ravel()


def _majority(near: Labels, others: NDArray[np.bool_]) -> Labels:
    """The most frequent label among the others of each row, the nearest one's of several."""
    alike = near[:, :, None] == near[:, None, :]
    counts = (alike & others[:, None, :]).sum(axis=2)
    counts[~others] = 0
    most = counts.argmax(axis=1)
    labels = near[np.arange(len(near)), most]
    return np.where(others.any(axis=1), labels, NOISE)
