"""A map that was drawn of some vectors, and the places of any others on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from organizer.reduce.linear import Pca
from organizer.reduce.neighbours import memberships
from organizer.reduce.projection import COMPONENTS, Method, lay_out
from organizer.reduce.tsne import Points
from organizer.types import Labels, Vectors

_NEIGHBOURS = 8
_VALUES_AT_ONCE = 8_000_000
"""Products of a block of vectors with all landmarks: 32 MB."""

_OF_A_GROUP = 32
"""Landmarks of which first only the nearest is looked at."""

_ROUNDS = 12
_SMALLEST = 1e-4
"""Of the map's extent from -1 to 1: nearer is the same place."""


class MapLayout:
    """A map of some vectors, the landmarks, and what is needed to place others beside them.

    A vector lies at the weighted median of the places of the eight landmarks that are nearest to it
    in the principal components by which the map was drawn. The median, not the mean: between two
    groups that the map has drawn apart there is nothing, and a mean would lie there.

    Attributes:
        xy: ``(n, 2)`` float32 within -1 to 1: the places of the landmarks.
    """

    def __init__(self, pca: Pca, landmarks: Points, xy: Points) -> None:
        self._pca, self._landmarks, self.xy = pca, landmarks, xy

    @classmethod
    def draw(
        cls,
        vectors: Vectors,
        *,
        method: Method,
        seed: int,
        progress: Callable[[float], None] = lambda _: None,
    ) -> Self:
        """Draw the map of ``(n, dim)`` vectors of unit length; see `organizer.reduce.projection`.

        Raises:
            PluginError: UMAP is required and not installed.
        """
        pca = Pca(COMPONENTS, seed)
        landmarks = pca.fit_transform(vectors)
        xy = lay_out(landmarks, method=method, seed=seed, progress=progress)
        return cls(pca, landmarks, xy)

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """A map from its stored state."""
        pca = Pca(COMPONENTS, 0)
        pca.restore(state)
        return cls(pca, state["landmarks"], state["landmark_xy"])

    def state(self) -> dict[str, NDArray[Any]]:
        """What `restored` needs, to be stored."""
        return {**self._pca.state(), "landmarks": self._landmarks, "landmark_xy": self.xy}

    def place(self, vectors: Vectors) -> Points:
        """``(m, 2)`` float32: the places of vectors. O(m n d) time, bounded memory.

        Args:
            vectors: ``(m, dim)`` of unit length.
        """
        points = self._pca.transform(vectors)
        found = np.empty((len(points), 2), dtype=np.float32)
        search = _NearestLandmarks(self._landmarks, _NEIGHBOURS)
        step = max(1, _VALUES_AT_ONCE // len(self._landmarks))
        for start in range(0, len(points), step):
            rows = slice(start, start + step)
            nearest, distances = search.find(points[rows])
            found[rows] = weighted_medians(self.xy[nearest], memberships(distances))
        return found


class _NearestLandmarks:
    """The nearest landmarks of points, exactly, by products and the best of groups of landmarks.

    Where the k nearest are, there are at most k groups: so only the k groups with the best
    landmarks are looked into.
    """

    def __init__(self, landmarks: Points, k: int) -> None:
        n = len(landmarks)
        self._k = min(k, n)
        self._landmarks = landmarks
        self._groups = -(-n // _OF_A_GROUP)
        # |x - l|^2 = |x|^2 - 2 (x l - |l|^2 / 2): one more coordinate takes the last term.
        half = np.einsum("nd,nd->n", landmarks, landmarks) / 2
        self._table = np.zeros((landmarks.shape[1] + 1, self._groups * _OF_A_GROUP), np.float32)
        self._table[:-1, :n] = landmarks.T
        self._table[-1] = -np.float32(1e30)
        self._table[-1, :n] = -half

    def find(self, points: Points) -> tuple[Labels, NDArray[np.float32]]:
        """``(m, k)`` rows of the nearest landmarks, and the distances to them, ascending."""
        ones = np.ones((len(points), 1), dtype=np.float32)
        scores = np.hstack([points, ones]) @ self._table
        grouped = scores.reshape(len(points), _OF_A_GROUP, self._groups)
        groups = min(self._k, self._groups)
        best = _largest(grouped.max(axis=1), groups)
        inside = np.arange(_OF_A_GROUP) * self._groups
        candidates = (best[:, :, None] + inside).reshape(len(points), -1)
        found = np.take_along_axis(scores, candidates, axis=1)
        nearest = np.take_along_axis(candidates, _largest(found, self._k), axis=1)
        # Products of float32 tell a copy from a near one only roughly; differences do it exactly.
        apart = points[:, None] - self._landmarks[nearest]
        distances = np.sqrt(np.einsum("mkd,mkd->mk", apart, apart))
        order = np.lexsort((nearest, distances), axis=1)
        return (
            np.take_along_axis(nearest, order, axis=1),
            np.take_along_axis(distances, order, axis=1),
        )


def _largest(values: NDArray[np.float32], k: int) -> Labels:
    """``(m, k)`` the columns of the k largest values of each row."""
    n = values.shape[1]
    found = np.argpartition(values, n - k, axis=1)[:, n - k :] if k < n else np.arange(n)
    return np.broadcast_to(found, (len(values), k)).astype(np.int64, copy=False)


def weighted_medians(places: Points, weights: NDArray[np.float32]) -> Points:
    """The geometric median of each row of places: the sum of weighted distances to it is least.

    By Weiszfeld's rounds, from the mean.

    Args:
        places: ``(m, k, 2)``.
        weights: ``(m, k)``, positive.

    Returns:
        ``(m, 2)`` float32.
    """
    pull = weights
    for _ in range(_ROUNDS):
        middle = np.einsum("mk,mkp->mp", pull, places) / pull.sum(axis=1, keepdims=True)
        apart = places - middle[:, None]
        distances = np.sqrt(np.einsum("mkp,mkp->mk", apart, apart))
        pull = weights / np.maximum(distances, _SMALLEST)
    middle = np.einsum("mk,mkp->mp", pull, places) / pull.sum(axis=1, keepdims=True)
    return np.asarray(middle, dtype=np.float32)
