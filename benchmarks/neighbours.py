"""How two embedders' vectors of the same images agree: nearest neighbours, by cosine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.incremental import unit_rows
from organizer.types import Vectors

_NONE = -9  # less than any cosine
_CLEARLY = 1.005


def cosines(vectors: Vectors) -> Vectors:
    """Cosines of all pairs of rows, without the diagonal."""
    unit = unit_rows(vectors)
    alike = unit @ unit.T
    np.fill_diagonal(alike, _NONE)
    return np.asarray(alike, dtype=np.float32)


def right_neighbours(vectors: Vectors, labels: NDArray[Any]) -> float:
    """Share of the rows whose nearest other row is of their class."""
    return float((labels[cosines(vectors).argmax(axis=1)] == labels).mean())


def centred_cosines(exact: Vectors, other: Vectors) -> NDArray[np.float32]:
    """``(n,)`` the cosine of each row's vectors, the mean of the exact ones taken off."""
    centre = exact.mean(axis=0)
    return np.asarray((unit_rows(other - centre) * unit_rows(exact - centre)).sum(axis=1))


def changed_neighbours(exact: Vectors, other: Vectors) -> tuple[float, float]:
    """Share of the rows with another nearest row, and with one farther by half a percent."""
    alike = cosines(exact)
    rows = np.arange(len(exact))
    nearest, found = alike.argmax(axis=1), cosines(other).argmax(axis=1)
    # Of copies any may come first: their distance is rounding.
    farther = 1 - alike[rows, found] > _CLEARLY * (1 - alike[rows, nearest]) + 1e-6
    return float((nearest != found).mean()), float(farther.mean())
