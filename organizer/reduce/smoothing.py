"""Whitening by the scatter of near neighbours, then smoothing over their graph.

Two images that are each other's neighbours are mostly of one kind, so what they differ in is mostly
noise. The first half scales that down, along directions (the criterion is that of locality
preserving projections, He and Niyogi 2003, and of discriminant analysis with neighbours in the
place of classes); the second averages it out, point by point (a low-pass filter on the graph, as
Zhang et al. 2019, arXiv 1906.01210, use it before clustering). `benchmarks/spaces.py` measures it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from organizer.reduce.linear import principal_components
from organizer.reduce.neighbours import neighbour_graph, normalised, weighted_mean
from organizer.types import Vectors

_WHITENED = 256
"""Principal components that are whitened; beyond them there is next to no variance."""

_PASSES = 2
"""The second finds its neighbours in the space that the first made; a third changes little."""

_SHRINKAGE = 0.1
"""Share of the mean local variance that is added to every direction (Ledoit and Wolf's target)."""

_ROUNDS = 8
"""Of smoothing. From 4 to 16 it makes little difference."""

_SHARE = 20
"""Of a small library a neighbourhood is one in so many at most, lest it swallow small groups."""

_LEAST_NEIGHBORS = 5
_DRAWN = 5_000
"""Images that the scatter is measured on: it has far fewer numbers than they have."""

_LANDMARKS = 10_000
_FEWEST = 32
"""Below this many images a neighbourhood would be most of the library: they are only centred."""


def smooth(
    *,
    n_components: int = 64,
    n_neighbors: int = 20,
    parts: Sequence[int] = (),
    random_state: int = 0,
) -> Smooth:
    """Local whitening and smoothing over the graph of nearest neighbours.

    Returns:
        A `organizer.protocols.Reducer`.
    """
    return Smooth(n_components, n_neighbors, parts, random_state)


class Smooth:
    """See the module.

    Args:
        n_components: Dimensions of the points.
        n_neighbors: Of each image in the graph; at most a twentieth of the images, but five.
        parts: Where the vectors are those of several embedders side by side, the length of each:
            every part is whitened by itself first, so that none drowns another.
        random_state: Seed of the landmarks: 10,000 images, all where there are fewer.
    """

    def __init__(
        self, n_components: int, n_neighbors: int, parts: Sequence[int], random_state: int
    ) -> None:
        self._n_components = n_components
        self._n_neighbors = n_neighbors
        self._bounds = np.cumsum(parts)[:-1] if len(parts) > 1 else np.empty(0, dtype=np.int64)
        self._seed = random_state
        self._parts: list[_Whitening] = []
        self._whitening: _Whitening
        self._landmarks: Vectors
        self._points: Vectors
        self._k = 1

    def fit_transform(self, vectors: Vectors, /) -> Vectors:
        """Fit to ``(n, dim)`` vectors; ``(n, n_components)`` float32 points of unit length."""
        known = normalised(sampled(vectors, _LANDMARKS, seed=self._seed))
        self._k = min(self._n_neighbors, max(_LEAST_NEIGHBORS, len(known) // _SHARE))
        columns = self._columns(known)
        if len(columns) > 1:
            self._parts = [self._fitted(part) for part in columns]
        known = self._joined(known)
        self._whitening = self._fitted(known)
        whitened = self._whitening(known)
        if self._is_small(known) or whitened.shape[1] < 2:
            self._k, self._landmarks = 1, np.zeros((0, whitened.shape[1]), np.float32)
            self._points = self._landmarks
        else:
            self._landmarks = whitened
            smoothed = _smoothed(whitened, neighbour_graph(whitened, self._k))
            self._points = _fewer_dimensions(smoothed, self._n_components)
        return self.transform(vectors)

    def transform(self, vectors: Vectors, /) -> Vectors:
        """``(m, dim)`` vectors among the fitted points: O(m), whatever n was."""
        vectors = normalised(np.asarray(vectors, dtype=np.float32))
        whitened = self._whitening(self._joined(vectors))
        if not len(self._landmarks):
            return whitened
        return normalised(weighted_mean(whitened, self._landmarks, self._points, self._k))

    def state(self) -> dict[str, NDArray[np.generic]]:
        """What was fitted."""
        state: dict[str, NDArray[np.generic]] = {
            "mean": self._whitening.mean,
            "matrix": self._whitening.matrix,
            "landmarks": self._landmarks,
            "points": self._points,
            "n_neighbors": np.array(self._k),
        }
        for number, part in enumerate(self._parts):
            state |= {f"part{number}.mean": part.mean, f"part{number}.matrix": part.matrix}
        return state

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Restore the state of a fitted reducer."""
        self._whitening = _Whitening.restored(state, "")
        count = sum(name.startswith("part") and name.endswith(".mean") for name in state)
        self._parts = [_Whitening.restored(state, f"part{number}.") for number in range(count)]
        self._landmarks = np.asarray(state["landmarks"], dtype=np.float32)
        self._points = np.asarray(state["points"], dtype=np.float32)
        self._k = int(state["n_neighbors"])

    def _columns(self, vectors: Vectors) -> list[Vectors]:
        """The vectors of each part, of unit length."""
        return [normalised(part) for part in np.split(vectors, self._bounds, axis=1)]

    def _joined(self, vectors: Vectors) -> Vectors:
        if not self._parts:
            return vectors
        columns = zip(self._parts, self._columns(vectors), strict=True)
        return normalised(np.concatenate([part(column) for part, column in columns], axis=1))

    def _fitted(self, known: Vectors) -> _Whitening:
        passes = 0 if self._is_small(known) else _PASSES
        return _Whitening.fit(known, self._k, passes=passes, seed=self._seed)

    def _is_small(self, known: Vectors) -> bool:
        return len(known) < _FEWEST


@dataclass(frozen=True, slots=True)
class _Whitening:
    """A linear map after which near neighbours differ equally in every direction.

    Attributes:
        mean: ``(dim,)`` what is taken off a vector.
        matrix: ``(dim, d)`` what it is multiplied by.
    """

    mean: Vectors
    matrix: Vectors

    @classmethod
    def fit(cls, known: Vectors, n_neighbors: int, *, passes: int, seed: int) -> Self:
        """Fit to ``(n, dim)`` vectors of unit length; without passes to their variance alone."""
        drawn = sampled(known, _DRAWN, seed=seed)
        mean, axes = principal_components(drawn, _WHITENED, seed=seed)
        axes = _with_variance(known - mean, axes)
        if not len(axes):
            # All alike: their common direction is all that there is.
            return cls(np.zeros_like(mean), _float32(known[:1].T))
        matrix = _float32(axes.T)
        components, points = _float32((drawn - mean) @ matrix), drawn
        whitening = None
        for _ in range(passes if len(axes) > 1 else 0):
            whitening = _local_whitening(components, neighbour_graph(points, n_neighbors))
            points = normalised(_float32(components @ whitening))
        return cls(mean, matrix if whitening is None else _float32(matrix @ whitening))

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[np.generic]], prefix: str) -> Self:
        """One that was fitted before."""
        return cls(
            np.asarray(state[f"{prefix}mean"], dtype=np.float32),
            np.asarray(state[f"{prefix}matrix"], dtype=np.float32),
        )

    def __call__(self, vectors: Vectors) -> Vectors:
        """``(m, d)`` of unit length."""
        return normalised(_float32((vectors - self.mean) @ self.matrix))


def sampled(vectors: Vectors, size: int, *, seed: int) -> Vectors:
    """All of them, or a seeded sample, in their order; float32."""
    if len(vectors) > size:
        rows = np.random.default_rng(seed).choice(len(vectors), size, replace=False)
        vectors = vectors[np.sort(rows)]
    return np.asarray(vectors, dtype=np.float32)


def _with_variance(centred: Vectors, components: Vectors) -> Vectors:
    """The components along which the vectors differ by more than rounding."""
    if not len(centred):
        return components[:0]
    return _float32(components[np.abs(centred @ components.T).max(axis=0) > 1e-5])


def _local_whitening(components: Vectors, neighbours: Any) -> Vectors:
    """``(d, d)`` matrix W: in ``components @ W`` neighbours differ equally in every direction.

    The scatter of neighbours is that of X' L X with the Laplacian L of the graph.
    """
    # In single precision the scatter of points that hardly differ is rounding, also below zero.
    components, neighbours = components.astype(np.float64), neighbours.astype(np.float64)
    degrees = np.asarray(neighbours.sum(axis=1)).ravel()
    scatter = components.T @ (degrees[:, None] * components - neighbours @ components)
    scatter /= degrees.sum()
    mean = np.trace(scatter) / len(scatter)
    # The floor keeps copies, of which neighbours differ in nothing, from dividing by zero.
    shrunk = scatter + max(_SHRINKAGE * mean, 1e-12) * np.eye(len(scatter))
    variances, directions = np.linalg.eigh((shrunk + shrunk.T) / 2)
    return np.asarray(directions / np.sqrt(variances), dtype=np.float32)


def _smoothed(points: Vectors, neighbours: Any) -> Vectors:
    """Each point the mean of itself and its neighbours, again and again.

    One round less than `_ROUNDS`: placing a point among the landmarks is the last.
    """
    degrees = np.asarray(neighbours.sum(axis=1)).ravel()[:, None]
    for _ in range(_ROUNDS - 1):
        points = (points + neighbours @ points) / (1 + degrees)
    return np.asarray(points, dtype=np.float32)


def _fewer_dimensions(points: Vectors, n_components: int) -> Vectors:
    """The best linear subspace through the origin, so that angles stay as they are."""
    directions = normalised(points)
    _, axes = np.linalg.eigh((directions.T @ directions).astype(np.float64))
    return _float32(points @ axes[:, ::-1][:, :n_components])


def _float32(array: Any) -> Vectors:
    return np.ascontiguousarray(array, dtype=np.float32)
