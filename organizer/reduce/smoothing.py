"""Whitening by the scatter of near neighbours, then smoothing over their graph.

Two images that are each other's neighbours are mostly of one kind, so what they differ in is mostly
noise. The first half scales that down, along directions (the criterion is that of locality
preserving projections, He and Niyogi 2003, and of discriminant analysis with neighbours in the
place of classes); the second averages it out, point by point (a low-pass filter on the graph, as
Zhang et al. 2019, arXiv 1906.01210, use it before clustering). `benchmarks/spaces.py` measures it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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


def smooth(*, n_components: int = 64, n_neighbors: int = 20, random_state: int = 0) -> Smooth:
    """Local whitening and smoothing over the graph of nearest neighbours.

    Returns:
        A `organizer.protocols.Reducer`.
    """
    return Smooth(n_components, n_neighbors, random_state)


class Smooth:
    """See the module.

    Args:
        n_components: Dimensions of the points.
        n_neighbors: Of each image in the graph; at most a twentieth of the images, but five.
        random_state: Seed of the landmarks: 10,000 images, all where there are fewer.
    """

    def __init__(self, n_components: int, n_neighbors: int, random_state: int) -> None:
        self._n_components = n_components
        self._n_neighbors = n_neighbors
        self._seed = random_state
        self._mean: Vectors
        self._matrix: Vectors
        self._landmarks: Vectors
        self._points: Vectors
        self._k = 1

    def fit_transform(self, vectors: Vectors, /) -> Vectors:
        """Fit to ``(n, dim)`` vectors; ``(n, n_components)`` float32 points of unit length."""
        known = normalised(sampled(vectors, _LANDMARKS, seed=self._seed))
        drawn = sampled(known, _DRAWN, seed=self._seed)
        self._mean, components = principal_components(drawn, _WHITENED, seed=self._seed)
        components = _with_variance(known - self._mean, components)
        if not len(components):
            # All alike: their common direction is all that there is.
            self._mean, components = np.zeros_like(self._mean), known[:1]
        self._matrix = _float32(components.T)
        if len(known) >= _FEWEST and len(components) > 1:
            self._fit(known, drawn)
        else:
            self._k, self._landmarks = 1, np.zeros((0, self._matrix.shape[1]), np.float32)
            self._points = self._landmarks
        return self.transform(vectors)

    def transform(self, vectors: Vectors, /) -> Vectors:
        """``(m, dim)`` vectors among the fitted points: O(m), whatever n was."""
        vectors = normalised(np.asarray(vectors, dtype=np.float32))
        whitened = normalised(_float32((vectors - self._mean) @ self._matrix))
        if not len(self._landmarks):
            return whitened
        return normalised(weighted_mean(whitened, self._landmarks, self._points, self._k))

    def state(self) -> dict[str, NDArray[np.generic]]:
        """What was fitted."""
        return {
            "mean": self._mean,
            "matrix": self._matrix,
            "landmarks": self._landmarks,
            "points": self._points,
            "n_neighbors": np.array(self._k),
        }

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Restore the state of a fitted reducer."""
        self._mean = np.asarray(state["mean"], dtype=np.float32)
        self._matrix = np.asarray(state["matrix"], dtype=np.float32)
        self._landmarks = np.asarray(state["landmarks"], dtype=np.float32)
        self._points = np.asarray(state["points"], dtype=np.float32)
        self._k = int(state["n_neighbors"])

    def _fit(self, known: Vectors, drawn: Vectors) -> None:
        self._k = min(self._n_neighbors, max(_LEAST_NEIGHBORS, len(known) // _SHARE))
        components = _float32((drawn - self._mean) @ self._matrix)
        points = drawn
        for _ in range(_PASSES):
            whitening = _local_whitening(components, neighbour_graph(points, self._k))
            points = normalised(_float32(components @ whitening))
        self._matrix = _float32(self._matrix @ whitening)
        points = normalised(_float32((known - self._mean) @ self._matrix))
        self._landmarks = points
        smoothed = _smoothed(points, neighbour_graph(points, self._k))
        self._points = _fewer_dimensions(smoothed, self._n_components)


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
    degrees = np.asarray(neighbours.sum(axis=1)).ravel()
    scatter = components.T @ (degrees[:, None] * components - neighbours @ components)
    scatter = np.asarray(scatter, dtype=np.float64) / degrees.sum()
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
