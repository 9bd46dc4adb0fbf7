"""What to ask a person next: the images whose answers help most.

A batch of questions has to be both uncertain and varied: ten photos of one strange pose teach less
than one of each. As DropQuery (Gupta et al. 2024, arXiv 2401.14555) the least certain images are
grouped by K-means and one is asked of each group. Uncertain is where the two most probable clusters
lie close together. DropQuery's own measure, whether the answer changes under dropout of features,
was tried on five labelled sets and long-tailed cuts of them: after 50 answers it was right about as
many images.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from organizer.types import Labels, Vectors

_EACH, _SHARE = 5, 0.2
"""The questions are drawn from five times as many of the least certain images, or from a fifth of
all, whichever are more."""

_LEAST = 1e-3
_CANDIDATES, _GROUPS = 20_000, 500
"""Images that are grouped, and groups, at most: a person who answers more questions at once gets
the least certain of the others, and K-means stays a matter of seconds."""


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
    wanted = min(max(_EACH * count, round(_SHARE * n)), _CANDIDATES)
    order = np.argsort(certain, kind="stable")
    rows = order[:wanted]
    weights = 1 - certain[rows] + _LEAST
    n_groups = min(count, _GROUPS)
    groups = _grouped(points[rows], weights, n_groups, seed=seed)
    chosen = []
    for group in range(n_groups):
        mine = np.flatnonzero(groups == group)
        if len(mine):
            centre = points[rows[mine]].mean(axis=0)
            chosen.append(rows[mine[np.argmax(weights[mine] * (points[rows[mine]] @ centre))]])
    return _filled(np.array(chosen, dtype=np.int64), order, certain, count)


def _filled(chosen: Labels, order: Labels, certain: NDArray[np.float64], count: int) -> Labels:
    """Where there are fewer groups than questions, the least certain of the others."""
    others = order[~np.isin(order, chosen)][: count - len(chosen)]
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
