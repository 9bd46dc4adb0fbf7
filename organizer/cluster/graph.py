"""Spectral clustering of the graph of nearest neighbours, for few images.

The limit keeps to 5 minutes. Measured (scikit-learn 1.9, two busy cores of a server processor; a
mixture of 100 groups of unit vectors in 64 dimensions that overlap so much that none can be
distinguished): 10,000 images, 52 s CPU, 0.2 GB. Time grows with n k^2, and k with n.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.limits import with_limits
from organizer.types import Labels, Vectors

_LINK = 0.5
"""Weight of an edge that joins components: that of two images one of which is the other's
neighbour but not the other way round."""


@with_limits(
    max_images=10_000,
    reason="it needs as many eigenvectors as there are clusters",
    instead="ward, birch or kmeans",
)
def spectral(*, n_clusters: int = 8, n_neighbors: int = 10, random_state: int = 0) -> Any:
    """Spectral clustering (Ng, Jordan and Weiss 2001).

    Args:
        n_clusters: How many clusters. There are fewer where images are the same.
        n_neighbors: Edges of each image in the graph.
        random_state: Seed.

    Returns:
        A `Spectral`.
    """
    return Spectral(n_clusters=n_clusters, n_neighbors=n_neighbors, random_state=random_state)


class Spectral:
    """Spectral clustering of a graph that is always connected.

    scikit-learn's SpectralClustering does not fit, for two reasons. The graph of nearest neighbours
    falls apart where groups lie far from one another, which is the usual case; components beyond
    the number of clusters then take the place of clusters. Here each component is joined by its
    shortest edge to the others, and what is the same counts once, so that many copies are not a
    component. And it finds the eigenvectors by factorising the graph, which fills up where clusters
    overlap: minutes for 5,000 images in 64 dimensions, where products with it take a second.

    Args:
        n_clusters: See `spectral`.
        n_neighbors: See `spectral`.
        random_state: See `spectral`.
    """

    def __init__(
        self, *, n_clusters: int = 8, n_neighbors: int = 10, random_state: int = 0
    ) -> None:
        self._n_clusters = n_clusters
        self._n_neighbors = n_neighbors
        self._seed = random_state

    def fit_predict(self, vectors: Vectors, /) -> Labels:
        """Cluster ``(n, dim)`` vectors."""
        different, row = np.unique(vectors, axis=0, return_inverse=True)
        if len(different) <= self._n_clusters:
            return row.astype(np.int64)
        graph = connected_graph(different, self._n_neighbors)
        return self._split(spectral_embedding(graph, self._n_clusters, seed=self._seed))[row]

    def _split(self, positions: NDArray[np.float64]) -> Labels:
        from sklearn.cluster import KMeans
        from sklearn.exceptions import ConvergenceWarning

        model = KMeans(self._n_clusters, n_init=10, random_state=self._seed)
        with warnings.catch_warnings():
            # Vectors with the same neighbours may have the same position: there are fewer clusters.
            warnings.filterwarnings("ignore", "Number of distinct clusters", ConvergenceWarning)
            labels = model.fit_predict(positions)
        return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def spectral_embedding(graph: Any, k: int, *, seed: int) -> NDArray[np.float64]:
    """The first eigenvectors of the random walk on a graph (Shi and Malik 2000).

    Args:
        graph: ``(n, n)`` symmetric sparse matrix of weights, connected.
        k: How many, fewer than n.
        seed: Of the vector that the iteration starts from.

    Returns:
        ``(n, k)``, row i the position of vertex i.
    """
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import eigsh

    scale = 1 / np.sqrt(np.asarray(graph.sum(axis=1)).ravel())
    walk = diags_array(scale) @ graph @ diags_array(scale)
    start = np.random.default_rng(seed).uniform(-1, 1, graph.shape[0])
    _, vectors = eigsh(walk, k=k, which="LA", v0=start)
    return np.asarray(scale[:, None] * vectors, dtype=np.float64)


def connected_graph(vectors: Vectors, n_neighbors: int) -> Any:
    """The graph of nearest neighbours, its components joined.

    Args:
        vectors: ``(n, dim)``, two or more.
        n_neighbors: Edges of each vector before the graph is made symmetric.

    Returns:
        ``(n, n)`` symmetric CSR matrix of weights: 1 between mutual neighbours, else a half.
    """
    from scipy.sparse.csgraph import connected_components
    from sklearn.neighbors import kneighbors_graph

    directed = kneighbors_graph(vectors, min(n_neighbors, len(vectors) - 1))
    graph = 0.5 * (directed + directed.T)
    count, component = connected_components(graph, directed=False)
    while count > 1:
        graph = _joined(graph, vectors, component, count)
        count, component = connected_components(graph, directed=False)
    return graph.tocsr()


def _joined(graph: Any, vectors: Vectors, component: Any, count: int) -> Any:
    """One step of Boruvka's algorithm: each component's shortest edge to the rest is added."""
    from scipy.sparse import coo_array
    from sklearn.metrics import pairwise_distances_argmin_min

    ends = []
    for number in range(count):
        inside, outside = np.flatnonzero(component == number), np.flatnonzero(component != number)
        nearest, distances = pairwise_distances_argmin_min(vectors[inside], vectors[outside])
        shortest = int(distances.argmin())
        ends.append((inside[shortest], outside[nearest[shortest]]))
    pairs = np.array([*ends, *(pair[::-1] for pair in ends)])
    pairs = np.unique(pairs, axis=0)
    links = coo_array((np.full(len(pairs), _LINK), pairs.T), shape=graph.shape)
    return graph + links.tocsr()
