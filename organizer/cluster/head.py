"""A head that is learned from decisions: from a few decided images to the cluster of any image.

A linear classifier on frozen vectors, which is what wins with few labels (Gupta et al. 2024,
arXiv 2401.14555): class-balanced ridge regression on the clusters' indicators (Hastie, Tibshirani
and Friedman 2009, section 4.2), in closed form, so that hundreds of decisions take milliseconds and
what it would have said of each decided image without that image is known exactly (Allen 1974; the
book's equation 7.46). By these held-out scores its confidence is calibrated (temperature scaling,
Guo et al. 2017, arXiv 1706.04599), and it is told whether the head helps at all.

With one to four images a cluster it is as good as the nearest mean: on four labelled sets the
difference was 2 points at most, either way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.types import Labels, Vectors

TYPICAL_WEIGHT = 0.125
"""Weight of a typical image of a cluster that a person named, beside one that was decided by
itself: most of them are right, and nobody looked at each."""

_RIDGE = 0.01
"""Penalty, where the weights of all images add up to one. Three times as much or as little changes
the accuracy by less than half a point."""

_TEMPERATURES = (2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0)
"""Factors of the scores to choose from. Many clusters need larger ones."""

_USUAL, _PRIOR = 5.0, 2.0
"""The factor where little was decided, and how much likelier the decisions must be (in nats) under
one that is half of it or twice: 87% of the suggestions after ten decisions are right then."""

_SMALLEST_LEVERAGE, _LEAST = 1e-6, 1e-9


@dataclass(frozen=True, slots=True)
class DecidedImages:
    """Images whose clusters follow from decisions.

    Attributes:
        features: ``(m, f)`` see `head_features`.
        cluster_ids: ``(m,)`` the cluster of each.
        is_single: ``(m,)`` whether a person decided it by itself; otherwise it is a typical image
            of a cluster that the person named, pinned, merged or split, or that nobody decided
            about.
    """

    features: Vectors
    cluster_ids: Labels
    is_single: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.cluster_ids)


@dataclass(frozen=True, slots=True)
class LearnedHead:
    """A fitted head.

    Attributes:
        cluster_ids: ``(c,)`` the clusters that it tells apart, two or more.
        coefficients: ``(f, c)`` float32.
        offsets: ``(c,)`` float32.
        temperature: Factor of its scores in the softmax.
        held_out: ``(m,)`` the cluster that a head without it would give each decided image.
    """

    cluster_ids: Labels
    coefficients: Vectors
    offsets: NDArray[np.float32]
    temperature: float
    held_out: Labels

    def probabilities(self, features: Vectors) -> NDArray[np.float64]:
        """``(n, c)`` the probability of each cluster, given that it is one of them."""
        scores = features @ self.coefficients + self.offsets
        return _softmax(self.temperature * scores.astype(np.float64))


def head_features(vectors: Vectors, points: Vectors) -> Vectors:
    """What a head is fitted to: the vector and the point of an image side by side.

    Points hold what all images of the library tell about each; where a space has drawn two kinds
    together, the vectors still tell them apart.

    Args:
        vectors: ``(n, dim)`` float32 or float16 of unit length.
        points: ``(n, d)`` of unit length, in the clustering's space.

    Returns:
        ``(n, dim + d)`` float32 of unit length.
    """
    both = np.concatenate([vectors, points], axis=1, dtype=np.float32)
    return np.asarray(both / np.float32(np.sqrt(2)), dtype=np.float32)


def fit_head(decided: DecidedImages) -> LearnedHead | None:
    """Fit a head. O(m^2 f), or O(m f^2) where there are more images than features.

    Returns:
        None where fewer than two clusters have a decided image: there is nothing to tell apart.
    """
    cluster_ids, classes = np.unique(decided.cluster_ids, return_inverse=True)
    if len(cluster_ids) < 2:
        return None
    single = decided.is_single
    weights = _balanced(classes, np.where(single, 1.0, TYPICAL_WEIGHT))
    features = decided.features.astype(np.float64)
    coefficients, offsets, scores = _ridge(features, classes, weights)
    return LearnedHead(
        cluster_ids.astype(np.int64),
        coefficients.astype(np.float32),
        offsets.astype(np.float32),
        _temperature(scores[single], classes[single]),
        cluster_ids[scores.argmax(axis=1)].astype(np.int64),
    )


def is_better(head: LearnedHead, nearest: Labels, decided: DecidedImages) -> bool:
    """Whether a head is right more often than the clusters themselves, on held-out decisions.

    Args:
        head: The head.
        nearest: ``(m,)`` the cluster whose centroid is nearest to each of the decided images.
        decided: The decided images that it was fitted to.

    Returns:
        False also where no image was decided by itself: nothing is known of it then.
    """
    single, wanted = decided.is_single, decided.cluster_ids
    right = np.count_nonzero(head.held_out[single] == wanted[single])
    return bool(right > np.count_nonzero(nearest[single] == wanted[single]))


def trusted_clusters(head: LearnedHead, decided: DecidedImages) -> NDArray[np.bool_]:
    """Which clusters a head is right about at least every other time that it names them.

    A rare cluster among many images of a common one that look alike is named far too often.

    Args:
        head: The head.
        decided: The decided images that it was fitted to.

    Returns:
        ``(c,)``; True where it never named the cluster for an image that was decided by itself.
    """
    single = decided.is_single
    named = head.held_out[single][:, None] == head.cluster_ids[None, :]
    right = (head.held_out == decided.cluster_ids)[single]
    return np.asarray(2 * (named & right[:, None]).sum(axis=0) >= named.sum(axis=0))


def _ridge(
    features: NDArray[np.float64], classes: Labels, weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Weighted ridge regression on indicators, and the scores of each row when it is left out.

    In the dual where there are fewer images than features. The weighted mean is taken out first,
    and that of all rows is used for those that are left out.

    Returns:
        ``(f, c)`` coefficients, ``(c,)`` offsets, ``(m, c)`` held-out scores.
    """
    root = np.sqrt(weights)[:, None]
    wanted = np.eye(int(classes.max()) + 1)[classes]
    centre, usual = weights @ features, weights @ wanted
    centred = (features - centre) * root
    targets = (wanted - usual) * root
    m, f = centred.shape
    if m <= f:
        products = centred @ centred.T
        inverse = np.linalg.inv(products + _RIDGE * np.eye(m))
        coefficients = centred.T @ (inverse @ targets)
        leverages = 1 - _RIDGE * np.diag(inverse)
    else:
        inverse = np.linalg.inv(centred.T @ centred + _RIDGE * np.eye(f))
        coefficients = inverse @ (centred.T @ targets)
        leverages = np.einsum("ij,jk,ik->i", centred, inverse, centred, optimize=True)
    offsets = usual - centre @ coefficients
    errors = wanted - (features @ coefficients + offsets)
    left = np.maximum(1 - leverages, _SMALLEST_LEVERAGE)[:, None]
    return coefficients, offsets, wanted - errors / left


def _balanced(classes: Labels, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of which each class has the same sum, and all together one."""
    sums = np.bincount(classes, weights)
    return np.asarray(weights / sums[classes] / len(sums))


def _temperature(scores: NDArray[np.float64], classes: Labels) -> float:
    """The inverse temperature under which the held-out decisions are likeliest, and the prior."""
    rows = np.arange(len(classes))

    def loss(temperature: float) -> float:
        likely = _softmax(temperature * scores)[rows, classes]
        unusual = math.log2(_USUAL / temperature) ** 2
        return float(-np.log(np.maximum(likely, _LEAST)).sum()) + _PRIOR * unusual

    return min(_TEMPERATURES, key=loss)


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
