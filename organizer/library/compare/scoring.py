"""The scores of one clustering, by name: those that are defined, and finite."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organizer.errors import SettingsError
from organizer.evaluate.external import against_truth
from organizer.evaluate.internal import silhouette

# The one place where labels are read as for a report.
from organizer.library.views import _truth as read_truth
from organizer.store import Store
from organizer.types import NOISE, Labels, Vectors

BY_TRUTH = (
    "purity", "nmi", "ami", "ari", "acc", "fmi", "jaccard", "homogeneity", "completeness",
    "bcubed_precision", "bcubed_recall", "bcubed_f1",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """The truth about some of the images.

    Attributes:
        rows: ``(m,)`` int64, the images that have a label.
        truth: ``m`` labels.
        unmatched: Labels of files that are not in the library.
        conflicting: Images whose files have different labels.
    """

    rows: Labels
    truth: tuple[str, ...]
    unmatched: int = 0
    conflicting: int = 0

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(set(self.truth))


NOTHING_KNOWN = Known(np.empty(0, dtype=np.int64), ())


def known_of(store: Store, labels: str | None, below: Path, image_ids: Sequence[str]) -> Known:
    """The truth about images.

    Args:
        store: The library.
        labels: See `organizer.library.Library.report`.
        below: What a relative path of labels is relative to.
        image_ids: The images.

    Raises:
        SettingsError: The labels cannot be read, or fit no image.
    """
    if labels is None:
        return NOTHING_KNOWN
    truth, unmatched, conflicting = read_truth(store, labels, below)
    rows = [row for row, image_id in enumerate(image_ids) if image_id in truth]
    if not rows:
        raise SettingsError(
            f"no image of the library has a label in {labels}",
            "paths in the file are relative to it, to the current folder or to an ingested folder",
        )
    found = tuple(truth[image_ids[row]] for row in rows)
    return Known(np.array(rows, dtype=np.int64), found, unmatched, conflicting)


def by_vectors(vectors: Vectors, labels: Labels, *, seed: int) -> dict[str, float]:
    """The scores that need no truth, Euclidean. Noise is left out.

    Args:
        vectors: ``(n, dim)``.
        labels: ``(n,)``, -1 for noise.
        seed: Of the sample that the silhouette of very many images is taken of.
    """
    scores = _shape(vectors, labels)
    found = silhouette(vectors, labels, seed=seed)
    if found is not None:
        scores = {"silhouette": found.mean, **scores}
    return {name: value for name, value in scores.items() if math.isfinite(value)}


def by_truth(labels: Labels, known: Known) -> dict[str, float]:
    """The scores against truth, of the images that have a label.

    Noise counts as one more cluster, as it does where scikit-learn is given the labels: an
    algorithm that calls most images noise must not be scored on the few that are left.
    """
    if not len(known.rows):
        return {}
    found = against_truth(labels[known.rows], known.truth)
    return {name: float(getattr(found, name)) for name in BY_TRUTH}


def ordered(scores: Mapping[str, float], titles: Mapping[str, str]) -> dict[str, float]:
    """Scores in the order of their titles."""
    return {name: scores[name] for name in titles if name in scores}


def _shape(vectors: Vectors, labels: Labels) -> dict[str, float]:
    """Davies-Bouldin, Calinski-Harabasz and inertia, as scikit-learn has them."""
    from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

    there = labels != NOISE
    points, inside = vectors[there].astype(np.float32, copy=False), labels[there]
    clusters = np.unique(inside)
    scores: dict[str, float] = {}
    if 2 <= len(clusters) < len(inside):
        scores["davies_bouldin"] = float(davies_bouldin_score(points, inside))
        scores["calinski_harabasz"] = float(calinski_harabasz_score(points, inside))
    if len(clusters):
        scores["inertia"] = sum(_inertia(points[inside == i]) for i in clusters)
    return scores


def _inertia(members: Vectors) -> float:
    difference = members - members.mean(axis=0, dtype=np.float64)
    return float(np.einsum("ij,ij->", difference, difference))
