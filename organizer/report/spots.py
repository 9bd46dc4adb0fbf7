"""Chooses the points of a map that are drawn as pictures."""

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
    first, with one picture each: first as close to their median as possible, then in their densest
    places. So the limit is shared among the clusters, and outliers come last.

    Args:
        xy: ``(n, 2)``.
        cluster_ids: ``(n,)``; NOISE for an unassigned image, considered last.
        size: Side of a picture in the unit of `xy`, more than 0.
        limit: Pictures at most.

    Returns:
        Rows of `xy` in the order in which they were chosen; fewer than `limit` where there is no
        space for more.
    """
    placer = _Placer(np.asarray(xy, dtype=np.float64), size)
    groups = _by_cluster(placer.xy, cluster_ids, size)
    unassigned = groups.pop(NOISE, [])
    by_size = sorted(groups.values(), key=len, reverse=True)
    chosen = chain(
        _in_turn([placer.place_all(rows) for rows in by_size]), placer.place_all(unassigned)
    )
    return np.fromiter(islice(chosen, max(limit, 0)), dtype=np.int64)


class _Placer:
    """Places pictures without overlap, by a grid with cells as wide as a picture."""

    def __init__(self, xy: NDArray[np.float64], size: float) -> None:
        self.xy = xy
        self._size = size
        self._points: list[list[float]] = xy.tolist()
        self._cells: list[list[int]] = _cells(xy, size).tolist()
        self._placed: dict[tuple[int, int], int] = {}

    def place_all(self, rows: Sequence[int]) -> Iterator[int]:
        """Place pictures of these points where there is space, lazily."""
        return filter(self.place, rows)

    def place(self, row: int) -> bool:
        """Place a picture, unless it would overlap another."""
        (x, y), (i, j) = self._points[row], self._cells[row]
        for di in _NEAREST:
            for dj in _NEAREST:
                other = self._placed.get((i + di, j + dj))
                if other is not None and self._overlap(x, y, other):
                    return False
        self._placed[i, j] = row
        return True

    def _overlap(self, x: float, y: float, other: int) -> bool:
        there = self._points[other]
        return abs(x - there[0]) < self._size and abs(y - there[1]) < self._size


def _cells(xy: NDArray[np.float64], size: float) -> NDArray[np.int64]:
    return np.floor(xy / size).astype(np.int64)


def _in_turn(iterators: list[Iterator[int]]) -> Iterator[int]:
    """Alternate between iterators until all are exhausted."""
    while iterators:
        remaining = []
        for one in iterators:
            row = next(one, None)
            if row is not None:
                remaining.append(one)
                yield row
        iterators = remaining


def _by_cluster(xy: NDArray[np.float64], cluster_ids: Labels, size: float) -> dict[int, list[int]]:
    """The rows of each cluster: first those nearest to its median, then the densest."""
    density = _density(xy, cluster_ids, size)
    groups = {}
    for cluster_id, rows in _grouped(cluster_ids).items():
        away = np.abs(xy[rows] - np.median(xy[rows], axis=0)).max(axis=1)
        near = np.argsort(away, kind="stable")
        middle = near[away[near] < size / 2]
        dense = np.lexsort((away, -density[rows]))
        groups[cluster_id] = rows[np.concatenate([middle, dense])].tolist()
    return groups


def _grouped(cluster_ids: Labels) -> dict[int, NDArray[np.intp]]:
    """The rows of each cluster, ascending."""
    order = np.argsort(cluster_ids, kind="stable")
    ids, starts = np.unique(cluster_ids[order], return_index=True)
    return dict(zip(ids.tolist(), np.split(order, starts[1:]), strict=False))


def _density(xy: NDArray[np.float64], cluster_ids: Labels, size: float) -> NDArray[np.int64]:
    """For each point, how many of its cluster lie in the same cell."""
    if not len(xy):
        return np.zeros(0, dtype=np.int64)
    keys = np.column_stack([_cells(xy, size), cluster_ids])
    _, of, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    return counts[of.ravel()].astype(np.int64)
