"""Principal components, and no reduction at all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from organizer.types import Vectors

ReducerState = Mapping[str, NDArray[np.generic]]


def pca(*, n_components: int = 64, random_state: int = 0) -> Pca:
    """Principal components. Fewer vectors or dimensions than that give as many as there are.

    Returns:
        A `organizer.protocols.Reducer`.
    """
    return Pca(n_components, random_state)


def none(*, n_components: int = 0, random_state: int = 0) -> Unreduced:  # noqa: ARG001 - as its peers
    """The vectors as they are.

    Returns:
        A `organizer.protocols.Reducer`.
    """
    return Unreduced()


class Unreduced:
    """The vectors as they are."""

    def fit_transform(self, vectors: Vectors, /) -> Vectors:
        """The vectors."""
        return np.asarray(vectors, dtype=np.float32)

    def transform(self, vectors: Vectors, /) -> Vectors:
        """The vectors."""
        return np.asarray(vectors, dtype=np.float32)

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Nothing is fitted."""
        return {}

    def restore(self, state: ReducerState) -> None:
        """Nothing is fitted."""


class Pca:
    """scikit-learn's PCA with a number of components that always fits the data."""

    def __init__(self, n_components: int, random_state: int) -> None:
        self._n_components = n_components
        self._random_state = random_state
        self._mean: Vectors
        self._components: Vectors

    def fit_transform(self, vectors: Vectors, /) -> Vectors:
        """Fit to ``(n, dim)`` vectors; ``(n, n_components)`` float32."""
        self._mean, self._components = principal_components(
            vectors, self._n_components, seed=self._random_state
        )
        return self.transform(vectors)

    def transform(self, vectors: Vectors, /) -> Vectors:
        """``(m, dim)`` vectors in the fitted space."""
        centred = np.asarray(vectors, dtype=np.float32) - self._mean
        return np.asarray(centred @ self._components.T, dtype=np.float32)

    def state(self) -> dict[str, NDArray[np.generic]]:
        """What was fitted."""
        return {"mean": self._mean, "components": self._components}

    def restore(self, state: ReducerState) -> None:
        """Restore the state of a fitted reducer."""
        self._mean = np.asarray(state["mean"], dtype=np.float32)
        self._components = np.asarray(state["components"], dtype=np.float32)


def principal_components(
    vectors: Vectors, n_components: int, *, seed: int
) -> tuple[Vectors, Vectors]:
    """The mean ``(dim,)`` and at most n_components directions ``(d, dim)`` of greatest variance."""
    from sklearn.decomposition import PCA

    if len(vectors) < 2:
        # One image has no variance: any direction will do, and its own mean is where it lies.
        mean = vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1])
        directions = np.eye(min(1, len(vectors)), vectors.shape[1])
        return mean.astype(np.float32), directions.astype(np.float32)
    fitted = PCA(min(n_components, *vectors.shape), random_state=seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        # All alike: the share of the variance, which nobody reads, is 0 / 0.
        fitted.fit(vectors)
    return fitted.mean_.astype(np.float32), np.ascontiguousarray(fitted.components_, np.float32)
