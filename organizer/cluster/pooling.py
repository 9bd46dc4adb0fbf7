"""Bursts of images -> observations.

The frames of a burst show one animal before one background, so they are one piece of evidence, not
ten: the unit of camera-trap statistics is the sequence. An observation has the mean of its
images' unit vectors, and counts once however many they are: an animal that sat before the camera
for an hour would otherwise be a cluster's centroid.

An image far from the others of its burst is an observation of its own: a different animal walked
in. How far is measured on the bursts themselves: beyond their median distance by two deviations,
of the median absolute deviation, which the outliers themselves hardly move.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.incremental import unit_rows
from organizer.types import NOISE, Labels

DEVIATIONS = 2.0
"""On simulated bursts (`benchmarks/bursts.py --deviations`) some 6% of the images leave theirs for
nothing, which costs little, for they are still clustered by themselves. At 3 half as many outliers
are found, and each that stays draws a burst along; at 1.5 a few more, and up to twice as many leave
for nothing."""

_NORMAL = 1.4826
"""Standard deviations in a median absolute deviation, for a normal distribution."""

_LEAST = 0.5
"""Where the frames of bursts are alike to the last bit, this share of the median is tolerated."""

_LEAST_DISTANCE = 1e-3
"""What half precision and a second JPEG can make of one picture is no other animal."""

_TENTH = 10
_ROWS_AT_ONCE = 4_096


def burst_limit(vectors: NDArray[Any], bursts: Labels, *, deviations: float = DEVIATIONS) -> float:
    """The distance to the others of its burst beyond which an image is not of it.

    Args:
        vectors: ``(n, dim)`` float32 or float16 of unit length.
        bursts: ``(n,)`` the burst of each; NOISE for an image that is of none.
        deviations: So many beyond the median.

    Returns:
        A cosine distance; NaN where no burst has two images.
    """
    found = [_to_the_others(vectors[rows]) for rows in _rows_of(bursts) if len(rows) > 1]
    if not found:
        return float("nan")
    distances = np.concatenate(found)
    median = float(np.median(distances))
    deviation = _NORMAL * float(np.median(np.abs(distances - median)))
    return median + max(deviations * deviation, _LEAST * median, _LEAST_DISTANCE)


def group_bursts(vectors: NDArray[Any], bursts: Labels, *, limit: float) -> Labels:
    """Number the observations: a burst each, but for images that lie far from the others of theirs.

    The farthest image leaves first, then the distances of those that are left are measured anew: of
    three frames one outlier makes the two others look like outliers as well.

    Args:
        vectors: ``(n, dim)`` float32 or float16 of unit length.
        bursts: ``(n,)`` the burst of each; NOISE for an image that is of none.
        limit: See `burst_limit`; NaN for none.

    Returns:
        ``(n,)`` int64 from 0, in the order of the first images.
    """
    of = np.arange(len(bursts), dtype=np.int64)
    for rows in _rows_of(bursts):
        inside = _together(vectors, rows, limit)
        of[inside] = inside.min(initial=len(bursts))
    return np.unique(of, return_inverse=True)[1].astype(np.int64)


def pool_vectors(vectors: NDArray[Any], numbers: Labels) -> NDArray[Any]:
    """The direction of each observation's mean.

    Args:
        vectors: ``(n, dim)`` float32 or float16 of unit length.
        numbers: ``(n,)`` the observation of each, from 0, none left out.

    Returns:
        ``(m, dim)`` of unit length, of the type of the vectors.
    """
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    ends = np.append(starts[1:], len(order))
    found = vectors[order[starts]].copy()
    for number in np.flatnonzero(ends - starts > 1).tolist():
        members = vectors[order[starts[number] : ends[number]]]
        found[number] = unit_rows(members.mean(axis=0, dtype=np.float64, keepdims=True))[0]
    return found


def _together(vectors: NDArray[Any], rows: Labels, limit: float) -> Labels:
    """The rows of a burst that are one observation; none where no two of them are."""
    while len(rows) > 1:
        distances = _to_the_others(vectors[rows])
        beyond = int(np.count_nonzero(distances > limit))
        if not beyond:
            return rows
        # One by one where they are few; of a burst of thousands that would take an hour.
        leaving = np.argsort(-distances, kind="stable")[: max(1, beyond // _TENTH)]
        rows = np.delete(rows, leaving)
    return rows[:0]


def _to_the_others(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """The cosine distance of each to the mean of the others, from their sum: O(n dim)."""
    blocks = [slice(s, s + _ROWS_AT_ONCE) for s in range(0, len(vectors), _ROWS_AT_ONCE)]
    total = np.sum([vectors[rows].sum(axis=0, dtype=np.float64) for rows in blocks], axis=0)
    products, squares = np.empty(len(vectors)), np.empty(len(vectors))
    for rows in blocks:
        wide = vectors[rows].astype(np.float64)
        products[rows] = wide @ total
        squares[rows] = np.einsum("ij,ij->i", wide, wide)
    others = np.sqrt(np.maximum(total @ total - 2 * products + squares, 0))
    return np.asarray(1 - (products - squares) / np.where(others > 0, others, 1))


def _rows_of(bursts: Labels) -> list[Labels]:
    """The rows of each burst, ascending; those of none left out."""
    order = np.argsort(bursts, kind="stable")
    order = order[bursts[order] != NOISE]
    return np.split(order, np.flatnonzero(np.diff(bursts[order])) + 1) if len(order) else []
