"""Run a clusterer for a comparison."""

from __future__ import annotations

import inspect

import numpy as np

from organizer import registry
from organizer.errors import ClusteringError
from organizer.library.clustering.fit import CLUSTERERS
from organizer.types import NOISE, Labels, PartSpec, Vectors

_LONGEST_COVARIANCE = 8_000
"""Dimensions beyond which a mixture's covariance and its factors take more than 2 GB."""


def takes_seed(algorithm: str) -> bool:
    """Whether a clusterer draws anything."""
    parameters = inspect.signature(registry.part_factory(CLUSTERERS, algorithm)).parameters
    return "random_state" in parameters


def require_memory(algorithm: str, dim: int) -> None:
    """Make sure that a clusterer can hold what it needs for vectors of so many dimensions.

    Raises:
        ClusteringError: It cannot.
    """
    if algorithm == "gmm" and dim > _LONGEST_COVARIANCE:
        raise ClusteringError(
            f"gmm keeps a covariance of all pairs of {dim:,} dimensions: reduce them, --reduce "
            "pca:64"
        )


def fit_labels(algorithm: str, points: Vectors, k: int | None, seed: int, *, kept: bool) -> Labels:
    """Cluster points; returns ``(n,)`` labels from 0, -1 for noise.

    Args:
        algorithm: Name of the clusterer.
        points: ``(n, dim)``.
        k: Clusters to make; None for a clusterer that finds its own number.
        seed: Of what it draws.
        kept: Whether lengths count: K-means is then the plain one, not the spherical.

    Raises:
        ClusteringError: The images cannot be clustered so.
    """
    options: dict[str, object] = {"n_clusters": k, "random_state": seed}
    if algorithm == "kmeans" and kept:
        options["metric"] = "euclidean"
    _, part = registry.create_part(CLUSTERERS, PartSpec(algorithm), options=options)
    labels = np.asarray(part.fit_predict(points), dtype=np.int64)
    found, numbers = np.unique(labels, return_inverse=True)
    return numbers.astype(np.int64) - (1 if found[0] == NOISE else 0)
