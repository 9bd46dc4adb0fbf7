"""Which points of a map become pictures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from organizer.types import NOISE, Labels

_NEAREST = range(-1, 2)


def spots(
    xy: NDArray[np.float32], *, cluster_ids: Labels, size: float, limit: int
) -> NDArray[np.int64]:
    """Choose points to be drawn as pictures, so that no two pictures overlap.

    A picture is a square of side `size` centred on its point. Points are asked in an order, and
    each is taken that still has room. First every cluster is asked for one, the largest first and
    in it the point nearest to its median; then in turn all clusters, and in each its densest
    places. So a limit is shared among the clusters, an outlier gets a picture only after the
    others, and nobody gets one who has no room.

    Args:
        xy: ``(n, 2)``.
        cluster_ids: ``(n,)``; NOISE for an unsure image, asked last.
        size: Side of a picture in the unit of `xy`, more than 0.
        limit: Pictures at most.

    Returns:
        Rows of `xy` in the order in which they were taken. Below `limit` there is no further point
        with room.
    """
    taken = _Taken(np.asarray(xy, dtype=np.float64), size)
    rows: list[int] = []
    if limit > 0:
        for row in _order(taken.xy, cluster_ids, size):
            if taken.take(row):
                rows.append(row)
                if len(rows) == limit:
                    break
    return np.array(rows, dtype=np.int64)


class _Taken:
    """Pictures so far, by the cell of a grid as wide as a picture: no cell holds two."""

    def __init__(self, xy: NDArray[np.float64], size: float) -> None:
        self.xy = xy
        self._size = size
        self._points: list[list[float]] = xy.tolist()
        self._cells: list[list[int]] = _cells(xy, size).tolist()
        self._held: dict[tuple[int, int], int] = {}

    def take(self, row: int) -> bool:
        """Take the point, unless its picture would overlap another."""
        (x, y), (i, j) = self._points[row], self._cells[row]
        for di in _NEAREST:
            for dj in _NEAREST:
                other = self._held.get((i + di, j + dj))
                if other is not None and self._overlap(x, y, other):
                    return False
        self._held[i, j] = row
        return True

    def _overlap(self, x: float, y: float, other: int) -> bool:
        there = self._points[other]
        return abs(x - there[0]) < self._size and abs(y - there[1]) < self._size


def _cells(xy: NDArray[np.float64], size: float) -> NDArray[np.int64]:
    return np.floor(xy / size).astype(np.int64)


def _order(xy: NDArray[np.float64], cluster_ids: Labels, size: float) -> Iterator[int]:
    """All rows, best first; some come twice."""
    if not len(xy):
        return
    turns, sizes = _turns(xy, cluster_ids, size)
    unsure = cluster_ids == NOISE
    # By turn, and within a turn the larger clusters first; the row decides what is equal.
    yield from np.lexsort((np.arange(len(xy)), cluster_ids, -sizes, turns, unsure)).tolist()


def _turns(
    xy: NDArray[np.float64], cluster_ids: Labels, size: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When each point is asked among those of its cluster, 0 first, and how large that is."""
    crowd = _crowd(xy, cluster_ids, size)
    _, of, counts = np.unique(cluster_ids, return_inverse=True, return_counts=True)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    by_cluster = np.argsort(of, kind="stable")
    away = np.empty(len(xy))
    for start, count in zip(starts, counts, strict=True):
        rows = by_cluster[start : start + count]
        away[rows] = np.abs(xy[rows] - np.median(xy[rows], axis=0)).max(axis=1)
    first = np.lexsort((away, of))[starts]
    crowd[first] = crowd.max(initial=0) + 1
    order = np.lexsort((away, -crowd, of))
    turns = np.empty(len(xy), dtype=np.int64)
    turns[order] = np.arange(len(xy)) - np.repeat(starts, counts)
    return turns, counts[of]


def _crowd(xy: NDArray[np.float64], cluster_ids: Labels, size: float) -> NDArray[np.int64]:
    """How many of its own cluster lie in the same cell as each point."""
    keys = np.column_stack([_cells(xy, size), cluster_ids])
    _, of, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    return counts[of.ravel()].astype(np.int64)
