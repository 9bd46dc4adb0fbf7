"""Which labels of a clustering are taken for reliable: those of images near their centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from organizer.types import Labels, Vectors


def centre_neighbours(
    features: Vectors, labels: Labels, open_rows: Labels, *, share: float
) -> Labels:
    """The cluster-centre neighbouring sets: of each cluster the open images nearest to its centre.

    Equations 15 to 18 of Dong and Wang 2018. The centre is the mean of all images of the cluster,
    also of those that were taken before.

    Args:
        features: ``(n, d)`` float32.
        labels: ``(n,)`` int64 the cluster of each image.
        open_rows: ``(m,)`` int64 the rows of the images that are not reliable yet.
        share: Of the open images of each cluster, above 0 and at most 1; at least one is taken.

    Returns:
        Ascending rows.
    """
    taken = []
    of_open = labels[open_rows]
    for label in np.unique(of_open).tolist():
        rows = open_rows[of_open == label]
        centre = features[labels == label].mean(axis=0, dtype=np.float64)
        distances = np.linalg.norm(features[rows] - centre, axis=1)
        count = max(1, round(share * len(rows)))
        taken.append(rows[np.argsort(distances, kind="stable")[:count]])
    return np.sort(np.concatenate(taken)) if taken else np.empty(0, dtype=np.int64)


def relaxed_share(share: float, factor: float, *, rounds: int) -> float:
    """The share after so many rounds: the published acceleration, at most everything."""
    return min(1.0, share + factor * rounds)


def allowed_labels(
    scores: NDArray[np.float32], rows: Labels, banned: Labels
) -> NDArray[np.float32]:
    """``(m, k)`` scores of some rows, where a cluster that a decision excludes is none.

    Args:
        scores: ``(m, k)``.
        rows: ``(m,)`` the rows that they are of, ascending.
        banned: ``(b, 2)`` rows and clusters.
    """
    if not len(banned):
        return scores
    scores = scores.copy()
    at = np.searchsorted(rows, banned[:, 0])
    inside = (at < len(rows)) & (rows[np.minimum(at, len(rows) - 1)] == banned[:, 0])
    scores[at[inside], banned[inside, 1]] = -np.inf
    return scores
