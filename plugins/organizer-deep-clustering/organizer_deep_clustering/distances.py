"""Distances of features to centroids, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from organizer.types import Vectors

_AT_ONCE = 2**22
"""Numbers of a block of distances."""


def squared_distances(features: Vectors, centroids: Vectors) -> NDArray[np.float32]:
    """``(n, k)`` float32, never negative."""
    squares = np.square(features).sum(axis=1)[:, None] + np.square(centroids).sum(axis=1)
    return np.asarray(np.maximum(squares - 2 * (features @ centroids.T), 0), dtype=np.float32)


def row_blocks(n: int, k: int) -> Iterator[slice]:
    """Slices of n rows, so that a block of their distances to k centroids is not too large."""
    step = max(_AT_ONCE // max(k, 1), 1)
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))
