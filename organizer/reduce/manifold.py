"""UMAP, where it is installed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from organizer.errors import PluginError
from organizer.reduce.neighbours import normalised, weighted_mean
from organizer.reduce.smoothing import sampled
from organizer.types import Vectors

_LANDMARKS = 20_000


def umap(*, n_components: int = 10, n_neighbors: int = 15, random_state: int = 0) -> Umap:
    """UMAP (McInnes, Healy and Melville 2018, arXiv 1802.03426), seeded and so on one thread.

    Returns:
        A `organizer.protocols.Reducer`.

    Raises:
        PluginError: umap-learn is not installed.
    """
    try:
        import umap as installed  # noqa: F401 - only whether it is installed
    except ImportError as error:
        raise PluginError(
            "UMAP is not installed", "pip install 'organizer-photos[umap]'"
        ) from error
    return Umap(n_components, n_neighbors, random_state)


class Umap:
    """UMAP of at most 20,000 landmarks, centred; every vector lies at its near landmarks' mean.

    UMAP's own way to place further vectors is slow and random.
    """

    def __init__(self, n_components: int, n_neighbors: int, random_state: int) -> None:
        self._n_components = n_components
        self._k = n_neighbors
        self._seed = random_state
        self._landmarks: Vectors
        self._points: Vectors

    def fit_transform(self, vectors: Vectors, /) -> Vectors:
        """Fit to ``(n, dim)`` vectors; ``(n, n_components)`` float32."""
        from umap import UMAP

        self._landmarks = normalised(sampled(vectors, _LANDMARKS, seed=self._seed))
        fitted = UMAP(
            n_components=self._n_components,
            n_neighbors=self._k,
            min_dist=0.0,
            random_state=self._seed,
            n_jobs=1,
        ).fit_transform(self._landmarks)
        self._points = np.asarray(fitted - fitted.mean(axis=0), dtype=np.float32)
        return self.transform(vectors)

    def transform(self, vectors: Vectors, /) -> Vectors:
        """``(m, dim)`` vectors among the fitted points: O(m), whatever n was."""
        queries = normalised(np.asarray(vectors, dtype=np.float32))
        return weighted_mean(queries, self._landmarks, self._points, self._k)

    def state(self) -> dict[str, NDArray[np.generic]]:
        """What was fitted."""
        return {
            "landmarks": self._landmarks,
            "points": self._points,
            "n_neighbors": np.array(self._k),
        }

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Restore the state of a fitted reducer."""
        self._landmarks = np.asarray(state["landmarks"], dtype=np.float32)
        self._points = np.asarray(state["points"], dtype=np.float32)
        self._k = int(state["n_neighbors"])
