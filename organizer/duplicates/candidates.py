"""Vectors -> pairs of images that may be copies: the nearest neighbours of each.

Many are searched in cells: a cell is what lies nearest to one of some images that were drawn, and
each image is in the cells of two. So the time grows with n, not with its square; of neighbours as
near as copies are few are in no common cell.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from organizer.types import Labels, Vectors

NEIGHBOURS = 8
"""Of each image; more copies than these are found by way of one another."""

_ITERATIONS = 4
_CELL = 6_000
_CELLS_OF_EACH = 2
_ROWS_AT_ONCE = 1_024


def likely_pairs(points: Vectors, *, least: float, seed: int) -> tuple[Labels, Labels]:
    """Pairs of near neighbours.

    Args:
        points: ``(n, d)`` of unit length; a row of zeros has no neighbours.
        least: Cosine from which two are near.
        seed: Of the draw.

    Returns:
        Two arrays ``(m,)`` of rows, the first of each pair smaller than the second, each pair once.
    """
    n = len(points)
    keys = [
        np.minimum(rows, others) * n + np.maximum(rows, others)
        for cell in _cells(points, seed)
        for rows, others in _near_in(points, cell, least)
    ]
    pairs = np.unique(np.concatenate(keys)) if keys else np.empty(0, dtype=np.int64)
    return pairs // max(n, 1), pairs % max(n, 1)


def principal_axes(sample: Vectors, count: int, *, seed: int) -> tuple[Vectors, Vectors]:
    """The mean of vectors, and the directions in which they differ most, roughly.

    By subspace iteration: the last of them need not be exact, and all eigenvectors of a covariance
    take seconds.

    Args:
        sample: ``(n, d)`` vectors.
        count: Cut to d.
        seed: Of the directions that it begins with.

    Returns:
        ``(d,)`` and ``(d, count)``.
    """
    mean = sample.mean(axis=0)
    centred = sample - mean
    width = sample.shape[1]
    axes = np.random.default_rng(seed).standard_normal((width, min(count, width)))
    for _ in range(_ITERATIONS):
        axes = np.linalg.qr(centred.T @ (centred @ axes.astype(np.float32)))[0]
    return np.asarray(mean, dtype=np.float32), np.asarray(axes, dtype=np.float32)


def of_unit_length(vectors: Vectors) -> Vectors:
    """Rows scaled to length one; one of zeros stays as it is."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), dtype=np.float32)


def _cells(points: Vectors, seed: int) -> Iterator[Labels]:
    """The rows of each cell; all rows where they are few."""
    n = len(points)
    if n <= 2 * _CELL:
        yield np.arange(n)
        return
    drawn = np.random.default_rng(seed).choice(n, size=-(-n // _CELL), replace=False)
    middles = points[np.sort(drawn)]
    owners = np.empty((n, _CELLS_OF_EACH), dtype=np.int64)
    for start in range(0, n, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        cosines = points[rows] @ middles.T
        owners[rows] = np.argpartition(-cosines, _CELLS_OF_EACH - 1, axis=1)[:, :_CELLS_OF_EACH]
    order = np.argsort(owners.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(owners.ravel(), minlength=len(middles)))
    for cell in np.split(order, ends[:-1]):
        yield cell // _CELLS_OF_EACH


def _near_in(points: Vectors, cell: Labels, least: float) -> Iterator[tuple[Labels, Labels]]:
    """Rows of a cell and their nearest neighbours in it."""
    inside = points[cell]
    count = min(NEIGHBOURS, len(cell) - 1)
    if count < 1:
        return
    for start in range(0, len(cell), _ROWS_AT_ONCE):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(cell)))
        cosines = inside[rows] @ inside.T
        cosines[np.arange(len(rows)), rows] = -np.inf
        nearest = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        row, place = np.nonzero(np.take_along_axis(cosines, nearest, axis=1) >= least)
        yield cell[rows[row]], cell[nearest[row, place]]
