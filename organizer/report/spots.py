"""Which points of a map become pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from organizer.types import NOISE, Labels

_NEAREST = range(-1, 2)


def spots(
    xy: NDArray[np.float32], *, cluster_ids: Labels, size: float, limit: int
) -> NDArray[np.int64]:
    """Choose points to be drawn as pictures, so that no two pictures overlap.

    A picture is a square of side `size` centred on its point. The clusters take turns, the largest
    first, and take one picture each while they have room: at first as near to their median as there
    is room, then in their densest places. So a limit is shared among the clusters, and an outlier
    gets a picture only after the others.

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
    groups = _by_cluster(taken.xy, cluster_ids, size)
    unsure = groups.pop(NOISE, [])
    by_size = sorted(groups.values(), key=len, reverse=True)
    chosen = chain(_in_turn([taken.those(rows) for rows in by_size]), taken.those(unsure))
    return np.fromiter(islice(chosen, max(limit, 0)), dtype=np.int64)


class _Taken:
    """Pictures so far, by the cell of a grid as wide as a picture: no cell holds two."""

    def __init__(self, xy: NDArray[np.float64], size: float) -> None:
        self.xy = xy
        self._size = size
        self._points: list[list[float]] = xy.tolist()
        self._cells: list[list[int]] = _cells(xy, size).tolist()
        self._held: dict[tuple[int, int], int] = {}

    def those(self, rows: Sequence[int]) -> Iterator[int]:
        """Take of some points, one by one as asked, those that have room."""
        return filter(self.take, rows)

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


def _in_turn(ways: list[Iterator[int]]) -> Iterator[int]:
    """One of each in turn, until all have ended."""
    while ways:
        going = []
        for way in ways:
            row = next(way, None)
            if row is not None:
                going.append(way)
                yield row
        ways = going


def _by_cluster(xy: NDArray[np.float64], cluster_ids: Labels, size: float) -> dict[int, list[int]]:
    """The rows of each cluster, best first: nearest to its median, then where it is dense."""
    crowd = _crowd(xy, cluster_ids, size)
    groups = {}
    for cluster_id, rows in _grouped(cluster_ids).items():
        away = np.abs(xy[rows] - np.median(xy[rows], axis=0)).max(axis=1)
        near = np.argsort(away, kind="stable")
        middle = near[away[near] < size / 2]
        dense = np.lexsort((away, -crowd[rows]))
        groups[cluster_id] = rows[np.concatenate([middle, dense])].tolist()
    return groups


def _grouped(cluster_ids: Labels) -> dict[int, NDArray[np.intp]]:
    """The rows of each cluster, ascending."""
    order = np.argsort(cluster_ids, kind="stable")
    ids, starts = np.unique(cluster_ids[order], return_index=True)
    return dict(zip(ids.tolist(), np.split(order, starts[1:]), strict=False))


def _crowd(xy: NDArray[np.float64], cluster_ids: Labels, size: float) -> NDArray[np.int64]:
    """How many of its own cluster lie in the same cell as each point."""
    if not len(xy):
        return np.zeros(0, dtype=np.int64)
    keys = np.column_stack([_cells(xy, size), cluster_ids])
    _, of, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    return counts[of.ravel()].astype(np.int64)
