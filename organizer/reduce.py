"""Vectors -> fewer dimensions: scikit-learn's PCA, and UMAP where it is installed."""

from __future__ import annotations

from typing import Any

from organizer.errors import PluginError


def pca(*, n_components: int = 64, random_state: int = 0) -> Any:
    """Principal components. Fewer vectors or dimensions than asked for give as many as there are.

    Returns:
        A `organizer.protocols.Reducer`.
    """
    return _Pca(n_components, random_state)


def umap(*, n_components: int = 10, n_neighbors: int = 15, random_state: int = 0) -> Any:
    """UMAP (McInnes, Healy and Melville 2018, arXiv 1802.03426), seeded and so on one thread.

    Returns:
        A `organizer.protocols.Reducer`.

    Raises:
        PluginError: umap-learn is not installed.
    """
    try:
        from umap import UMAP
    except ImportError as error:
        raise PluginError("UMAP is not installed", "pip install 'organizer[umap]'") from error
    return UMAP(
        n_components=n_components,
        n_neighbors=n_neighbors,
        min_dist=0.0,
        random_state=random_state,
        n_jobs=1,
    )


class _Pca:
    """scikit-learn's PCA with a number of components that always fits the data."""

    def __init__(self, n_components: int, random_state: int) -> None:
        self._n_components = n_components
        self._random_state = random_state
        self._fitted: Any = None

    def fit_transform(self, vectors: Any, /) -> Any:
        from sklearn.decomposition import PCA

        n_components = min(self._n_components, *vectors.shape)
        self._fitted = PCA(n_components=n_components, random_state=self._random_state)
        return self._fitted.fit_transform(vectors)

    def transform(self, vectors: Any, /) -> Any:
        return self._fitted.transform(vectors)
