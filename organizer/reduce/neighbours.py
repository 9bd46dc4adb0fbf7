"""Nearest neighbours among unit vectors, and the graph that they make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.types import Vectors

_ROWS_AT_ONCE = 512
_BISECTIONS = 40


def normalised(vectors: Vectors) -> Vectors:
    """Rows scaled to length one; a row of zeros stays as it is."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), dtype=np.float32)


def weighted_mean(queries: Vectors, landmarks: Vectors, values: Vectors, k: int) -> Vectors:
    """The mean of the values of the k landmarks nearest to each query, the nearer the weightier.

    Args:
        queries: ``(m, d)`` of unit length.
        landmarks: ``(n, d)`` of unit length.
        values: ``(n, p)``, a row for each landmark.
        k: Cut to n.

    Returns:
        ``(m, p)`` float32. O(m n d), some queries at a time.
    """
    found = np.empty((len(queries), values.shape[1]), dtype=np.float32)
    for rows, nearest, distances in _nearest(queries, landmarks, k, itself=True):
        weights = memberships(distances)
        weights /= weights.sum(axis=1, keepdims=True)
        found[rows] = np.einsum("mk,mkp->mp", weights, values[nearest])
    return found


def neighbour_graph(points: Vectors, k: int) -> Any:
    """The symmetric graph of the k nearest neighbours, without loops.

    Edges weigh what UMAP's do: the memberships a and b of the two directions give a + b - ab.

    Args:
        points: ``(n, d)`` of unit length, n at least 2.
        k: Cut to n - 1.

    Returns:
        ``(n, n)`` scipy.sparse CSR array of float32.
    """
    from scipy.sparse import csr_array

    n, k = len(points), min(k, len(points) - 1)
    ends = np.empty((n, k), dtype=np.int64)
    weights = np.empty((n, k), dtype=np.float32)
    for rows, nearest, distances in _nearest(points, points, k, itself=False):
        ends[rows], weights[rows] = nearest, memberships(distances)
    starts = np.repeat(np.arange(n), k)
    directed = csr_array((weights.ravel(), (starts, ends.ravel())), shape=(n, n))
    return csr_array(directed + directed.T - directed * directed.T)


def memberships(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much each neighbour belongs: 1 for the nearest, falling off by the local scale.

    UMAP's fuzzy set (McInnes, Healy and Melville 2018, section 3.1): exp(-(d - d_1) / s), with s
    such that the memberships of k neighbours add up to log2 k.

    Args:
        distances: ``(n, k)``, each row ascending.
    """
    beyond = (distances - distances[:, :1]).astype(np.float64)
    wanted = np.log2(distances.shape[1])
    low = np.zeros(len(beyond))
    high = np.maximum(beyond[:, -1], 1e-12) * 1e3
    for _ in range(_BISECTIONS):
        scale = (low + high) / 2
        too_wide = np.exp(-beyond / scale[:, None]).sum(axis=1) > wanted
        high, low = np.where(too_wide, scale, high), np.where(too_wide, low, scale)
    return np.asarray(np.exp(-beyond / high[:, None]), dtype=np.float32)


def _nearest(
    queries: Vectors, landmarks: Vectors, k: int, *, itself: bool
) -> Iterator[tuple[slice, NDArray[np.int64], NDArray[np.float32]]]:
    """Rows of the queries, their k nearest landmarks, ascending, and the cosine distances.

    Without `itself`, query i is landmark i and not its own neighbour.
    """
    n, k = len(landmarks), min(k, len(landmarks))
    for start in range(0, len(queries), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        cosines = queries[rows] @ landmarks.T
        if not itself:
            own = np.arange(len(cosines))
            cosines[own, start + own] = -np.inf
        nearest = np.argpartition(cosines, n - k, axis=1)[:, n - k :]
        found = np.take_along_axis(cosines, nearest, axis=1)
        order = np.argsort(-found, axis=1, kind="stable")
        distances = np.maximum(1 - np.take_along_axis(found, order, axis=1), 0)
        yield rows, np.take_along_axis(nearest, order, axis=1), distances
