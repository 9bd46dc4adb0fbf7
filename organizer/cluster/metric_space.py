"""The vectors as K-means uses them: float32 blocks, however they are stored.

No copy of all vectors is ever made: float16 becomes float32, and the metric's own scaling is
applied, some thousand rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from organizer.errors import ClusteringError
from organizer.types import Labels, Vectors

Metric = Literal["cosine", "euclidean"]
SpaceVectors = NDArray[np.float32] | NDArray[np.float16]

_ELEMENTS_AT_ONCE = 2**21
_ALREADY_UNIT = 1e-6
_ROUNDING = 1e-6
"""Bound of the rounding of a float32 product, as a share of the lengths. The typical error of a
product of d terms is 6e-8 times the square root of d at most; a blocked one's is far less."""


@dataclass(frozen=True, slots=True)
class MetricSpace:
    """Vectors with the metric's scaling, which is applied when rows are read.

    Attributes:
        vectors: ``(n, dim)`` float32 or float16, as they are stored.
        metric: ``cosine``: rows count as scaled to length one. ``euclidean``: as they are.
        scale: ``(n,)`` float32 factors, None where no row has to be scaled.
        origin: ``(dim,)`` float32, where lengths are measured from. It changes no distance, and
            close to the vectors (their mean) it keeps the cancellation in
            ``|x|^2 - 2 x.c + |c|^2`` small. Zero for cosine.
        squares: ``(n,)`` float32, squared distance of each row from the origin.
        rounding: Bound of the error of a squared distance that was computed from products.
    """

    vectors: SpaceVectors
    metric: Metric
    scale: NDArray[np.float32] | None
    origin: Vectors
    squares: NDArray[np.float32]
    rounding: float

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
        if self.scale is None:
            return block
        return np.asarray(block * self.scale[rows, None], dtype=np.float32)

    def subset(self, rows: Labels) -> MetricSpace:
        """The space of some rows, which are copied as they are stored."""
        vectors: SpaceVectors = self.vectors[rows]
        scale = None if self.scale is None else self.scale[rows]
        return replace(self, vectors=vectors, scale=scale, squares=self.squares[rows])

    def normalised(self, centroids: Vectors) -> Vectors:
        """Centroids scaled as the metric needs them."""
        centroids = np.asarray(centroids, dtype=np.float32)
        if self.spherical:
            norms = np.linalg.norm(centroids, axis=1, keepdims=True)
            unit = centroids / np.where(norms > 0, norms, 1)
            return np.ascontiguousarray(unit, dtype=np.float32)
        return np.ascontiguousarray(centroids)

    def directions(self, centroids: Vectors) -> tuple[Vectors, NDArray[np.float32]]:
        """Directions and offsets: a squared distance is ``squares - 2 (x.direction - offset)``."""
        directions = np.ascontiguousarray(centroids - self.origin)
        lengths = np.einsum("ij,ij->i", directions, directions)
        return directions, np.asarray(lengths / 2 + directions @ self.origin, dtype=np.float32)


def metric_space(vectors: NDArray[Any], metric: Metric) -> MetricSpace:
    """Prepare vectors for K-means, in one pass over them.

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
    squares, mean = _lengths_and_mean(vectors)
    longest = float(squares.max(initial=0.0))
    if metric == "cosine":
        unit = np.asarray(squares > 0, dtype=np.float32)
        scale = np.asarray(unit / np.sqrt(np.where(squares > 0, squares, 1)), dtype=np.float32)
        off = np.abs(squares - unit).max(initial=0.0) > 2 * _ALREADY_UNIT
        origin = np.zeros_like(mean)
        return MetricSpace(vectors, metric, scale if off else None, origin, unit, 2 * _ROUNDING)
    for rows in blocks(len(vectors), vectors.shape[1]):
        block = vectors[rows] - mean
        squares[rows] = np.einsum("ij,ij->i", block, block)
    # A product is that of a vector as it is with a centroid less the mean.
    lengths = float(np.sqrt(longest * squares.max(initial=0.0)))
    return MetricSpace(vectors, metric, None, mean, squares, 2 * _ROUNDING * lengths)


def _lengths_and_mean(vectors: SpaceVectors) -> tuple[NDArray[np.float32], Vectors]:
    """Squared lengths of the rows, and their mean."""
    squares, total, broken = np.empty(len(vectors), np.float32), np.zeros(vectors.shape[1]), 0
    for rows in blocks(len(vectors), vectors.shape[1]):
        block = np.ascontiguousarray(vectors[rows], dtype=np.float32)
        squares[rows] = np.einsum("ij,ij->i", block, block)
        if np.isfinite(squares[rows]).all():
            total += block.sum(axis=0)
        else:
            broken += int(np.count_nonzero(~np.isfinite(squares[rows])))
    if broken:
        raise ClusteringError(f"{broken} of {len(vectors)} vectors are not finite")
    return squares, np.asarray(total / max(len(vectors), 1), dtype=np.float32)


def blocks(n: int, width: int) -> Iterator[slice]:
    """Slices over n rows, each small enough that a product of this width stays in the caches."""
    step = rows_at_once(width)
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def as_slice(rows: Labels) -> Labels | slice:
    """Rows that follow each other as a slice, which numpy does not copy."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def rows_at_once(width: int) -> int:
    """Rows of a block whose arrays are this wide."""
    return int(np.clip(_ELEMENTS_AT_ONCE // max(width, 1), 256, 8_192))
