"""The first clusters, of the features that an embedder gives: K-means or a Gaussian mixture."""

from __future__ import annotations

from typing import Literal

import numpy as np

from organizer.cluster.kmeans import KMeans
from organizer.cluster.limits import require_within
from organizer.cluster.metric_space import Metric
from organizer.cluster.mixture import gmm
from organizer.errors import ClusteringError
from organizer.training import TrainingImages
from organizer.types import NOISE, Labels

Boot = Literal["kmeans", "gmm"]


def boot_labels(images: TrainingImages, *, k: int, boot: Boot, metric: Metric, seed: int) -> Labels:
    """``(n,)`` int64 labels below `k`, in which every decision holds.

    Args:
        images: The images.
        k: Number of clusters.
        boot: What clusters them.
        metric: Of K-means.
        seed: Of what is drawn.

    Raises:
        ClusteringError: There are fewer images than clusters, or too many for a mixture.
    """
    if boot == "gmm":
        require_within(gmm, "a Gaussian mixture", len(images.points))
        labels = _with_decisions(gmm(n_clusters=k, random_state=seed).fit_predict(images.points),
                                 images, k)  # fmt: skip
        return _without_banned(labels, images, k)
    means = KMeans(n_clusters=k, random_state=seed, metric=metric)
    labels = means.fit_predict(images.points, fixed=images.decided, banned=images.banned)
    return means.owners_[labels]


def _with_decisions(labels: Labels, images: TrainingImages, k: int) -> Labels:
    """Number the clusters so that each required one is that of most of its decided images."""
    from scipy.optimize import linear_sum_assignment

    votes = np.zeros((k, k))
    decided = images.decided != NOISE
    np.add.at(votes, (images.decided[decided], labels[decided]), 1)
    numbers, found = linear_sum_assignment(votes, maximize=True)
    number_of = np.empty(k, dtype=np.int64)
    number_of[found] = numbers
    return np.where(decided, images.decided, number_of[labels])


def _without_banned(labels: Labels, images: TrainingImages, k: int) -> Labels:
    """Give images that a decision excludes from their cluster the nearest other one."""
    excluded_from: dict[int, set[int]] = {}
    for row, number in images.banned.tolist():
        excluded_from.setdefault(row, set()).add(number)
    wrong = {row for row, numbers in excluded_from.items() if int(labels[row]) in numbers}
    if not wrong:
        return labels
    filled = [number for number in range(k) if (labels == number).any()]
    centres = np.stack([images.points[labels == number].mean(axis=0) for number in filled])
    labels = labels.copy()
    for row in sorted(wrong):
        distances = np.linalg.norm(centres - images.points[row], axis=1)
        nearest = [filled[at] for at in np.argsort(distances, kind="stable")]
        allowed = (i for i in (*nearest, *range(k)) if i not in excluded_from[row])
        if (number := next(allowed, None)) is None:
            raise ClusteringError(
                "an image is excluded from every cluster that there is to be", "a larger --k"
            )
        labels[row] = number
    return labels
