"""The columns of points that tell images apart, at the scale that a network learns well."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from organizer.types import Vectors

_AT_ONCE = 2**24
"""Numbers of a block of columns."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What of a point goes into a network.

    Nothing is lost: a constant column tells nothing, and of columns that are the same one is kept,
    times the square root of their number, so that distances between points stay.

    Attributes:
        kept: ``(d,)`` int64 the columns that are kept.
        weights: ``(d,)`` float32 what each is multiplied by.
        width: Number of columns of a point.
    """

    kept: NDArray[np.int64]
    weights: NDArray[np.float32]
    width: int

    @classmethod
    def fit(cls, points: Vectors) -> Self:
        """The columns of ``(n, width)`` points, scaled to a mean squared length of d.

        So are the data in DEC (Xie et al. 2016, section 4.2).
        """
        kept, counts = _distinct(points)
        weights = np.sqrt(counts)
        squares = np.array(
            [np.square(points[:, column].astype(np.float64)).mean() for column in kept]
        )
        length = float(np.sum(counts * squares))
        weights *= np.sqrt(len(kept) / length) if length > 0 else 1.0
        return cls(kept, weights.astype(np.float32), points.shape[1])

    def __call__(self, points: Vectors) -> Vectors:
        """``(n, width)`` points as ``(n, d)`` float32."""
        return np.asarray(points[:, self.kept], dtype=np.float32) * self.weights

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What makes it again, with its width."""
        return {"columns": self.kept, "column_weights": self.weights}

    @classmethod
    def restored(cls, tensors: Mapping[str, NDArray[Any]], *, width: int) -> Self:
        """The inverse of `tensors`."""
        return cls(
            np.asarray(tensors["columns"], dtype=np.int64),
            np.asarray(tensors["column_weights"], dtype=np.float32),
            width,
        )


def _distinct(points: Vectors) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The first of each kind of column that is not constant, and how many there are of it.

    Where all are constant the first one, for a network must have an input.
    """
    counts: dict[bytes, int] = {}
    first: dict[bytes, int] = {}
    step = max(_AT_ONCE // max(len(points), 1), 1)
    for start in range(0, points.shape[1], step):
        block = np.ascontiguousarray(points[:, start : start + step].T)
        varying = np.flatnonzero((block != block[:, :1]).any(axis=1))
        for number in varying:
            key = hashlib.blake2b(block[number].data, digest_size=16).digest()
            counts[key] = counts.get(key, 0) + 1
            first.setdefault(key, start + int(number))
    if not first:
        return np.zeros(1, dtype=np.int64), np.ones(1)
    kept = np.array(list(first.values()), dtype=np.int64)
    return kept, np.array([counts[key] for key in first], dtype=np.float64)
