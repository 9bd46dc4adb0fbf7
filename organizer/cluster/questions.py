"""What to ask a person next: the images whose answers help most.

A batch of questions has to be both uncertain and varied: ten photos of one strange pose teach less
than one of each. As DropQuery (Gupta et al. 2024, arXiv 2401.14555) the least certain images are
grouped by K-means and one is asked of each group. Uncertain is where the two most probable clusters
lie close together. DropQuery's own measure, whether the answer changes under dropout of features,
was tried and asks no better (`benchmarks/learning.py --questions`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from organizer.types import Labels, Vectors

_EACH, _SHARE = 5, 0.2
"""The questions are drawn from five times as many of the least certain images, or from a fifth of
all, whichever are more."""

_LEAST = 1e-3
_CANDIDATES = 20_000


def certainty(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(n,)`` how much more probable the first cluster of each image is than the second."""
    ordered = np.sort(probabilities, axis=1)
    second = ordered[:, -2] if probabilities.shape[1] > 1 else np.zeros(len(ordered))
    return np.asarray(ordered[:, -1] - second)


def choose_questions(
    points: Vectors, certain: NDArray[np.float64], count: int, *, seed: int
) -> Labels:
    """Choose images that are uncertain and unlike each other.

    Args:
        points: ``(n, d)`` float32 of unit length.
        certain: ``(n,)`` how certain the cluster of each is, 0 to 1; see `certainty`.
        count: The number of images.
        seed: Of the grouping.

    Returns:
        ``(count,)`` rows, or all where there are fewer; the least certain first.
    """
    n = len(points)
    if n <= count:
        return np.argsort(certain, kind="stable").astype(np.int64)
    wanted = min(n, max(_EACH * count, round(_SHARE * n)), _CANDIDATES)
    rows = np.argsort(certain, kind="stable")[:wanted]
    weights = 1 - certain[rows] + _LEAST
    groups = _grouped(points[rows], weights, count, seed=seed)
    chosen = []
    for group in range(count):
        mine = np.flatnonzero(groups == group)
        if len(mine):
            centre = points[rows[mine]].mean(axis=0)
            chosen.append(rows[mine[np.argmax(weights[mine] * (points[rows[mine]] @ centre))]])
    return _filled(np.array(chosen, dtype=np.int64), rows, certain, count)


def _filled(chosen: Labels, rows: Labels, certain: NDArray[np.float64], count: int) -> Labels:
    """Where images are too alike for so many groups, the least certain of the others."""
    others = rows[~np.isin(rows, chosen)][: count - len(chosen)]
    every = np.concatenate([chosen, others])
    return every[np.argsort(certain[every], kind="stable")]


def _grouped(
    points: Vectors, weights: NDArray[np.float64], count: int, *, seed: int
) -> NDArray[np.int32]:
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    model = KMeans(count, n_init=1, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Number of distinct clusters", ConvergenceWarning)
        found: NDArray[np.int32] = model.fit(points, sample_weight=weights).labels_
    return found
