"""Compares the network with its teacher on held-out photos, without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.photos import Pack, slices
from training.teacher import answers

NEIGHBOURS = 10


class Watch:
    """Held-out photos with the teacher's outputs for their first crops."""

    def __init__(self, work: Path, rows: NDArray[np.int64]) -> None:
        first = answers(work)[0]
        self._photos, self._rows, self._boxes = Pack(work), rows, first.boxes
        self._theirs = np.asarray(first.maps[rows], np.float32).mean(1)

    def __call__(self, vectors: Any, *, side: int) -> dict[str, float]:
        """Mean cosine to the teacher's centred vectors, and shared nearest neighbours.

        Args:
            vectors: From ``(n, side, side, 3)`` uint8 to ``(n, DIM)``.
            side: Pixels of the crops.
        """
        ours = np.concatenate(
            [
                vectors(self._photos.crops(rows, self._boxes[rows], side))
                for rows in slices(self._rows, 125)
            ]
        )
        return {
            "cosine": float((unit(ours) * unit(self._theirs)).sum(1).mean()),
            "neighbours": shared_neighbours(ours, self._theirs),
        }


def shared_neighbours(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    """The mean share of the ten nearest rows by cosine that both have in common."""
    near = [_nearest(unit(vectors)) for vectors in (ours, theirs)]
    both = [len(set(one) & set(other)) for one, other in zip(*near, strict=True)]
    return float(np.mean(both)) / NEIGHBOURS


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length one."""
    scaled: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def _nearest(vectors: NDArray[np.float32]) -> list[list[int]]:
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    found: list[list[int]] = np.argsort(-cosines, axis=1)[:, :NEIGHBOURS].tolist()
    return found
