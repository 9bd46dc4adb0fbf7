"""The vectors as K-means sees them: float32 blocks, however they are stored.

No copy of all vectors is ever made: float16 becomes float32, and the metric's own scaling is
applied, some thousand rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from organizer.errors import ClusteringError
from organizer.types import Labels, Vectors

Metric = Literal["cosine", "euclidean"]
Stored = NDArray[np.float32] | NDArray[np.float16]

_ELEMENTS_AT_ONCE = 2**21
_ALREADY_UNIT = 1e-6
_ROUNDING = 1e-6
"""Bound of the rounding of a float32 product, as a share of the squared lengths. The typical error
of a product of d terms is 6e-8 times the square root of d at most; a blocked one's is far less."""


@dataclass(frozen=True, slots=True)
class Space:
    """Vectors with the metric's scaling, which is applied when rows are read.

    Cosine: rows are scaled to length one. Euclidean: the mean is taken off, which changes no
    distance and keeps the cancellation in ``|x|^2 - 2 x.c + |c|^2`` small.

    Attributes:
        vectors: ``(n, dim)`` float32 or float16, as they are stored.
        metric: ``cosine`` or ``euclidean``.
        squares: ``(n,)`` float32, squared length of each row as `take` gives it.
        scale: ``(n,)`` float32 factors, None where all rows have length one already.
        shift: ``(dim,)`` float32 that is taken off each row, None where nothing is.
    """

    vectors: Stored
    metric: Metric
    squares: NDArray[np.float32]
    scale: NDArray[np.float32] | None
    shift: NDArray[np.float32] | None

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.vectors)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.vectors.shape[1])

    @property
    def spherical(self) -> bool:
        """Whether centroids have unit length."""
        return self.metric == "cosine"

    def take(self, rows: Labels | slice) -> Vectors:
        """Some rows as float32; a view where nothing has to be done to them."""
        block = np.ascontiguousarray(self.vectors[rows], dtype=np.float32)
        if self.scale is not None:
            return np.asarray(block * self.scale[rows, None], dtype=np.float32)
        if self.shift is not None:
            return np.asarray(block - self.shift, dtype=np.float32)
        return block

    def only(self, rows: Labels) -> Space:
        """The space of some rows, which are copied as they are stored."""
        scale = None if self.scale is None else self.scale[rows]
        vectors: Stored = self.vectors[rows]
        return Space(vectors, self.metric, self.squares[rows], scale, self.shift)

    def inwards(self, centroids: Vectors) -> Vectors:
        """Centroids from the vectors' own coordinates to those of `take`."""
        centroids = np.asarray(centroids, dtype=np.float32)
        if self.shift is not None:
            return np.ascontiguousarray(centroids - self.shift)
        return self.normal(centroids)

    def normal(self, centroids: Vectors) -> Vectors:
        """Centroids of the length that the metric asks for."""
        return _unit(centroids) if self.spherical else np.ascontiguousarray(centroids)

    def outwards(self, centroids: Vectors) -> Vectors:
        """Centroids from the coordinates of `take` to the vectors' own."""
        return centroids if self.shift is None else np.asarray(centroids + self.shift, np.float32)

    def rounding(self) -> float:
        """Bound of the error of a squared distance that was computed from products."""
        return _ROUNDING * 2 * float(self.squares.max(initial=0.0))


def space_of(vectors: NDArray[Any], metric: Metric) -> Space:
    """Look once at all vectors.

    Args:
        vectors: ``(n, dim)``; what is neither float32 nor float16 is converted to float32.
        metric: ``cosine`` or ``euclidean``.

    Raises:
        ClusteringError: The metric is unknown, or a vector has a number that is not finite.
    """
    if metric not in get_args(Metric):
        raise ClusteringError(f"there is no metric {metric!r}", "cosine or euclidean")
    if vectors.dtype not in (np.float32, np.float16):
        vectors = vectors.astype(np.float32)
    squares, total, broken = np.empty(len(vectors), np.float32), np.zeros(vectors.shape[1]), 0
    for rows in blocks(len(vectors), vectors.shape[1]):
        block = np.ascontiguousarray(vectors[rows], dtype=np.float32)
        squares[rows] = np.einsum("ij,ij->i", block, block)
        if not np.isfinite(squares[rows]).all():
            broken += int(np.count_nonzero(~np.isfinite(block).all(axis=1)))
        elif metric == "euclidean":
            total += block.sum(axis=0, dtype=np.float64)
    if broken:
        raise ClusteringError(
            f"{broken} of {len(vectors)} vectors have numbers that are not finite"
        )
    if metric == "euclidean":
        return _centred(vectors, squares, np.asarray(total / max(len(vectors), 1), np.float32))
    off = np.abs(squares - 1).max(initial=0.0) > 2 * _ALREADY_UNIT
    scale = np.where(squares > 0, 1 / np.sqrt(np.where(squares > 0, squares, 1)), 0)
    unit = np.asarray(squares > 0, dtype=np.float32)
    return Space(vectors, metric, unit, np.asarray(scale, np.float32) if off else None, None)


def blocks(n: int, width: int) -> Iterator[slice]:
    """Slices over n rows, each small enough that a product of this width stays in the caches."""
    step = rows_at_once(width)
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def rows_at_once(width: int) -> int:
    """Rows of a block whose arrays are this wide."""
    return int(np.clip(_ELEMENTS_AT_ONCE // max(width, 1), 256, 8_192))


def _centred(vectors: Stored, squares: NDArray[np.float32], mean: NDArray[np.float32]) -> Space:
    for rows in blocks(len(vectors), vectors.shape[1]):
        block = vectors[rows] - mean
        squares[rows] = np.einsum("ij,ij->i", block, block)
    return Space(vectors, "euclidean", squares, None, mean)


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(vectors / np.where(norms > 0, norms, 1), dtype=np.float32)
