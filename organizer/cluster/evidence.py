"""The evidence for a number of clusters: measures of one clustering, and of clustering again.

All take points of unit length, in the space in which they were clustered.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.incremental import place_points, unit_rows
from organizer.cluster.kmeans import KMeans
from organizer.types import Labels, Vectors

_SPLITS = 3
_STARTS = 3
_REFERENCES = 5
_REFERENCE_ROWS = 2_000


def space_silhouette(points: Vectors, labels: Labels) -> float:
    """The silhouette (Rousseeuw 1987) of the cosine distance, a mean over clusters.

    Each cluster counts alike, large or small: a mean over images would let a few large clusters
    decide alone. A single image counts 0, as Rousseeuw has it. The cosine distance is linear in the
    sums of the clusters, so this is exact and O(n k d).

    Returns:
        -1 to 1; -1 where there are not at least two clusters.
    """
    groups, labels = np.unique(labels, return_inverse=True)
    k, n = len(groups), len(points)
    if not 2 <= k < n:
        return -1.0
    counts = np.bincount(labels, minlength=k)
    sums = np.zeros((k, points.shape[1]))
    np.add.at(sums, labels, points)
    rows = np.arange(n)
    totals = np.maximum(counts - points.astype(np.float64) @ sums.T, 0)
    # A point lies at distance 0 to itself, which its own length, if not 1, would belie.
    own = np.maximum(totals[rows, labels] - (1 - np.sum(points**2, axis=1)), 0)
    within = own / np.maximum(counts[labels] - 1, 1)
    means = totals / counts
    means[rows, labels] = np.inf
    nearest = means.min(axis=1)
    scores = (nearest - within) / np.maximum(np.maximum(nearest, within), 1e-12)
    scores[counts[labels] == 1] = 0
    return float(np.mean(np.bincount(labels, weights=scores, minlength=k) / counts))


def davies_bouldin(points: Vectors, labels: Labels) -> float | None:
    """Davies and Bouldin 1979; smaller is better. None where it is not defined."""
    from sklearn.metrics import davies_bouldin_score

    if not 2 <= len(np.unique(labels)) < len(points):
        return None
    return float(davies_bouldin_score(points, labels))


def calinski_harabasz(points: Vectors, labels: Labels) -> float | None:
    """Calinski and Harabasz 1974; larger is better. None where it is not defined."""
    from sklearn.metrics import calinski_harabasz_score

    if not 2 <= len(np.unique(labels)) < len(points):
        return None
    return float(calinski_harabasz_score(points, labels))


def stability(points: Vectors, k: int, *, seed: int) -> float | None:
    """Whether two halves of the images give the same clusters of all.

    Each half makes a model, each model places every image; the adjusted Rand index (Hubert and
    Arabie 1985) of the two, a mean of three ways to halve.

    Returns:
        1 where they agree, about 0 where they agree by chance; None where a half is too small.
    """
    from sklearn.metrics import adjusted_rand_score

    half = len(points) // 2
    if half < 2 * k:
        return None
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(_SPLITS):
        order = draw.permutation(len(points))
        placed = []
        for rows in (order[:half], order[half:]):
            kmeans = KMeans(n_clusters=k, n_init=_STARTS, random_state=seed)
            kmeans.fit_predict(points[np.sort(rows)])
            placed.append(place_points(points, kmeans.cluster_centers_).nearest)
        found.append(adjusted_rand_score(*placed))
    return float(np.mean(found))


def gaps(
    points: Vectors, ks: Sequence[int], *, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The gap statistic (Tibshirani, Walther and Hastie 2001) of each k, and its error s_k.

    The references are uniform in the box along the principal axes, laid on the sphere like the
    points. Above 2,000 points, those are a seeded sample.
    """
    draw = np.random.default_rng(seed)
    if len(points) > _REFERENCE_ROWS:
        points = points[np.sort(draw.choice(len(points), _REFERENCE_ROWS, replace=False))]
    mean = points.mean(axis=0)
    _, _, axes = np.linalg.svd(points - mean, full_matrices=False)
    along = (points - mean) @ axes.T
    logs = np.empty((_REFERENCES, len(ks)))
    for reference in logs:
        drawn = draw.uniform(along.min(axis=0), along.max(axis=0), size=along.shape)
        reference[:] = _log_inertias(unit_rows((drawn @ axes + mean).astype(np.float32)), ks, seed)
    observed = _log_inertias(points, ks, seed)
    return logs.mean(axis=0) - observed, logs.std(axis=0) * np.sqrt(1 + 1 / _REFERENCES)


def elbow(ks: Sequence[int], inertias: Sequence[float]) -> int:
    """The k whose inertia lies farthest below the chord of the curve, both axes from 0 to 1.

    Kneedle (Satopaa et al. 2011) for one knee and without smoothing.
    """
    if len(ks) < 3 or inertias[0] <= inertias[-1]:
        return int(ks[0])
    k, inertia = np.array(ks, dtype=float), np.array(inertias)
    x = (k - k[0]) / (k[-1] - k[0])
    y = (inertia - inertia[-1]) / (inertia[0] - inertia[-1])
    return int(ks[int(np.argmax(1 - x - y))])


def _log_inertias(points: Vectors, ks: Sequence[int], seed: int) -> NDArray[np.float64]:
    inertias = []
    for k in ks:
        kmeans = KMeans(n_clusters=k, n_init=1, random_state=seed)
        kmeans.fit_predict(points)
        inertias.append(max(kmeans.inertia_, 1e-12))
    return np.log(inertias)
