"""Vectors -> a map: points in the plane.

The protocol is that of Kobak and Berens 2019 (Nature Communications 10): the vectors' first 50
principal components, in which the neighbours are found; a start from the first two, scaled down,
that keeps the large picture and makes the map the same every time; for t-SNE perplexity 30, early
exaggeration 12 for 250 of 750 iterations, learning rate n / 12.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from organizer.errors import PluginError
from organizer.reduce.linear import Pca
from organizer.reduce.tsne import Points, tsne

Method = Literal["pca", "tsne", "umap"]

COMPONENTS = 50
"""Principal components in which neighbours are found."""

_NEIGHBOURS = 15
_FEWEST = 4
"""Fewer images have no neighbourhoods: their map is that of the principal components."""

_UMAP_START = 10.0
"""Half the extent of UMAP's start; its own spectral one is as large."""


def project(
    vectors: NDArray[np.floating],
    *,
    method: Method = "tsne",
    seed: int = 0,
    progress: Callable[[float], None] = lambda _: None,
) -> Points:
    """Lay vectors out in the plane.

    Args:
        vectors: ``(n, dim)`` float32 or float16 of unit length, n at least 1. Some 20,000 are the
            most that a map can show; time and memory are sized for that.
        method: "pca": the first two principal components, seconds. "tsne": neighbours stay
            neighbours, groups apart; distances between groups mean little. "umap": alike, denser.
        seed: Of everything that draws; the same seed gives the same map.
        progress: Called with the share that is done, 0 to 1.

    Returns:
        ``(n, 2)`` float32 within -1 to 1: centred, both axes with the same unit.

    Raises:
        PluginError: UMAP is required and not installed.
    """
    if method == "umap":
        require_umap()
    components = Pca(COMPONENTS, seed).fit_transform(np.asarray(vectors, dtype=np.float32))
    return lay_out(components, method=method, seed=seed, progress=progress)


def lay_out(
    components: Points,
    *,
    method: Method,
    seed: int,
    progress: Callable[[float], None] = lambda _: None,
) -> Points:
    """Lay principal components out in the plane; see `project`.

    Args:
        components: ``(n, d)`` float32, at most `COMPONENTS` of them.
        method: See `project`.
        seed: See `project`.
        progress: See `project`.

    Returns:
        ``(n, 2)`` float32; see `project`.

    Raises:
        PluginError: UMAP is required and not installed.
    """
    if method == "umap":
        require_umap()
    components = np.pad(components, ((0, 0), (0, max(0, 2 - components.shape[1]))))
    xy = components[:, :2]
    if method == "tsne":
        xy = tsne(components, xy, seed=seed, progress=progress)
    elif method == "umap" and len(components) >= _FEWEST:
        xy = _umap(components, seed=seed)
    progress(1.0)
    return scaled(xy)


def require_umap() -> None:
    """Make sure that UMAP is installed, before anything long begins.

    Raises:
        PluginError: It is not installed.
    """
    if find_spec("umap") is None:
        raise PluginError("UMAP is not installed", "pip install 'organizer-photos[umap]'")


def scaled(xy: NDArray[np.floating]) -> Points:
    """Points centred and within -1 to 1, with one unit for both axes; all alike lie at zero."""
    low, high = xy.min(axis=0).astype(np.float64), xy.max(axis=0).astype(np.float64)
    half = float((high - low).max()) / 2
    if half <= 0:
        return np.zeros(xy.shape, dtype=np.float32)
    return np.asarray(np.clip((xy - (low + high) / 2) / half, -1, 1), dtype=np.float32)


def _umap(components: Points, *, seed: int) -> Points:
    """UMAP (McInnes, Healy and Melville 2018) of exact neighbours, on one thread for the seed.

    umap-learn finds neighbours by NN-descent, whose compilation and search take most of its time;
    here they are computed before.
    """
    k = min(_NEIGHBOURS, len(components) - 1)
    nearest, distances = _nearest(components, k)
    largest = float(np.abs(components[:, :2]).max()) or 1.0
    jitter = np.random.default_rng(seed).normal(scale=1e-3, size=(len(components), 2))
    start = components[:, :2] * (_UMAP_START / largest) + jitter
    with warnings.catch_warnings():
        # It warns of what is not installed, and of what seeds and given neighbours mean.
        warnings.simplefilter("ignore")
        from umap import UMAP

        fitted = UMAP(
            n_neighbors=k,
            init=start.astype(np.float32),
            random_state=seed,
            n_jobs=1,
            precomputed_knn=(nearest, distances),
            force_approximation_algorithm=True,
        ).fit_transform(components)
    return np.nan_to_num(np.asarray(fitted, dtype=np.float32))


def _nearest(points: Points, k: int) -> tuple[NDArray[np.int32], Points]:
    """Each point itself and its k - 1 nearest: rows and distances, ``(n, k)``."""
    from sklearn.neighbors import NearestNeighbors

    distances, rows = (
        NearestNeighbors(n_neighbors=k - 1, algorithm="brute").fit(points).kneighbors()
    )
    itself = np.arange(len(points))
    with_itself = np.column_stack([itself, rows]).astype(np.int32)
    return with_itself, np.column_stack([np.zeros(len(points)), distances]).astype(np.float32)
