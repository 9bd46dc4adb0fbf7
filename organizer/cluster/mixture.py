"""Gaussian mixture: scikit-learn's, with settings that suit embeddings.

The limit keeps to 4 GB and to 5 minutes of two cores. Measured (scikit-learn 1.9, two busy cores of
a server processor; a mixture of sqrt(n) groups of unit vectors in 64 dimensions): 20,000 images,
6 s CPU, 0.2 GB; 50,000 images, 18 s CPU, 0.4 GB, and 80 s CPU where the groups overlap, in 25
iterations. One takes n k d^2 multiplications.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from organizer.cluster.limits import with_limits
from organizer.errors import ClusteringError
from organizer.types import Labels, Vectors

_STARTS, _STARTS_IF_LONG, _SHORT = 5, 1, 5_000_000_000
"""Starts of which the likeliest counts, by the multiplications of one iteration."""

_MOST_ITERATIONS = 1_000
"""EM ends by itself after 5 to 100; scikit-learn's own 100 would now and then end it too early."""

_LONGEST = 8_000
"""Dimensions beyond which a covariance and its factors take more than 2 GB."""

_REGULARISATION = 1e-4
"""Added to each variance: a hundredth of what unit vectors have in 64 dimensions, 1/64 at most.
Ten times as much loses clusters in a space made by UMAP, which is narrow in some directions."""


@with_limits(
    max_images=50_000,
    reason="each iteration compares every image with every component in all pairs of dimensions",
    instead="kmeans or birch",
)
def gmm(*, n_clusters: int = 8, random_state: int = 0) -> Any:
    """Gaussian mixture by expectation-maximisation (Dempster, Laird and Rubin 1977).

    Args:
        n_clusters: How many components.
        random_state: Seed.

    Returns:
        A `Mixture`.
    """
    return Mixture(n_clusters=n_clusters, random_state=random_state)


class Mixture:
    """scikit-learn's GaussianMixture, whose components share one full covariance ("tied").

    A full covariance each has d (d + 1) / 2 parameters, 2,080 in 64 dimensions: more than most
    clusters have images. A diagonal one each has few, but cannot say that the directions in which
    photos of one thing differ (light, pose, background) go together and are the same for all.

    Args:
        n_clusters: How many components. There are fewer clusters where images cannot be
            distinguished, or where a component is nowhere the likeliest.
        random_state: Seed.
    """

    def __init__(self, *, n_clusters: int = 8, random_state: int = 0) -> None:
        self._n_clusters = n_clusters
        self._seed = random_state
        self._fitted: Any = None

    def fit_predict(self, vectors: Vectors, /) -> Labels:
        """Cluster ``(n, dim)`` vectors.

        Raises:
            ClusteringError: Their covariance would take too much memory.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        if vectors.shape[1] > _LONGEST:
            raise ClusteringError(
                f"a Gaussian mixture keeps a covariance of all pairs of {vectors.shape[1]:,} "
                "dimensions",
                "reduce them: --reduce pca:64",
            )
        if len(vectors) < 2:  # scikit-learn wants a variance
            return np.zeros(len(vectors), dtype=np.int64)
        work = len(vectors) * self._n_clusters * vectors.shape[1] ** 2
        self._fitted = GaussianMixture(
            n_components=self._n_clusters,
            covariance_type="tied",
            reg_covar=_REGULARISATION,
            max_iter=_MOST_ITERATIONS,
            n_init=_STARTS if work <= _SHORT else _STARTS_IF_LONG,
            random_state=self._seed,
        )
        with warnings.catch_warnings():
            # Of the K-means that it starts from, where images are the same: it is only a start.
            warnings.filterwarnings("ignore", "Number of distinct clusters", ConvergenceWarning)
            labels = self._fitted.fit_predict(vectors)
        return np.asarray(labels, dtype=np.int64)

    def predict(self, vectors: Vectors, /) -> Labels:
        """The likeliest component of each vector."""
        return np.asarray(self._fitted.predict(vectors), dtype=np.int64)
