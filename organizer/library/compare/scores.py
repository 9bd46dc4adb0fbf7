"""Scores of one clustering by name: those that are defined and finite."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organizer.evaluate.external import against_truth
from organizer.evaluate.internal import silhouette
from organizer.evaluate.shape import internal_scores
from organizer.library.images.truth import read_truth, require_labelled
from organizer.store import Store
from organizer.training import TrainedClusters
from organizer.types import Labels, Vectors

BY_TRUTH = (
    "purity", "nmi", "ami", "ari", "acc", "fmi", "jaccard", "homogeneity", "completeness",
    "bcubed_precision", "bcubed_recall", "bcubed_f1",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownTruth:
    """The known classes of images.

    Attributes:
        rows: ``(m,)`` int64, the images that have a label.
        truth: The ``m`` labels.
        reasons: Why labels match no photo, a line for each reason.
        conflict: A note on images with several labels; None where there are none.
    """

    rows: Labels
    truth: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    conflict: str | None = None

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(set(self.truth))


NOTHING_KNOWN = KnownTruth(np.empty(0, dtype=np.int64), ())


def read_known_truth(
    store: Store, labels: str | None, below: Path, image_ids: Sequence[str]
) -> KnownTruth:
    """Read the known classes of images.

    Args:
        store: The library.
        labels: See `Reports.make`; None where nothing is known.
        below: What a relative path of labels is relative to.
        image_ids: The images.

    Raises:
        SettingsError: The labels cannot be read, or fit no image.
    """
    if labels is None:
        return NOTHING_KNOWN
    truth = read_truth(store, labels, below=below)
    require_labelled(truth, image_ids, labels)
    rows = [row for row, image_id in enumerate(image_ids) if image_id in truth.of]
    classes = tuple(truth.of[image_ids[row]] for row in rows)
    return KnownTruth(np.array(rows, dtype=np.int64), classes, truth.reasons, truth.conflict)


def score_by_vectors(vectors: Vectors, labels: Labels, *, seed: int) -> dict[str, float]:
    """The scores that need no truth, by Euclidean distances. Noise is left out.

    Args:
        vectors: ``(n, dim)``.
        labels: ``(n,)``, -1 for noise.
        seed: Of the sample that the silhouette of very many images is computed on.
    """
    shape = internal_scores(vectors, labels)
    outline = silhouette(vectors, labels, seed=seed)
    found = {
        "silhouette": outline.mean if outline is not None else None,
        "davies_bouldin": shape.davies_bouldin,
        "calinski_harabasz": shape.calinski_harabasz,
        "inertia": shape.inertia if shape.clusters else None,
    }
    return {n: value for n, value in found.items() if value is not None and math.isfinite(value)}


def score_trained(vectors: Vectors, trained: TrainedClusters) -> dict[str, float]:
    """The Davies-Bouldin index of trained clusters over that of the clusters it began with.

    Each is taken in its own features, so the two can only be compared as this ratio (section 4.2 of
    Dong and Wang 2018).

    Args:
        vectors: ``(n, dim)`` those of the first clusters.
        trained: The clusters and features after it.
    """
    if trained.first_labels is None:
        return {}
    first = internal_scores(vectors, trained.first_labels).davies_bouldin
    last = internal_scores(trained.features, trained.labels).davies_bouldin
    if first is None or last is None or not first:
        return {}
    return {"davies_bouldin_ratio": last / first}


def score_by_truth(labels: Labels, known: KnownTruth) -> dict[str, float]:
    """The scores against truth, for the images that have a label.

    Noise counts as one more cluster, as in scikit-learn: an algorithm that calls most images noise
    must not be scored on the few that are left.
    """
    if not len(known.rows):
        return {}
    found = against_truth(labels[known.rows], known.truth)
    return {name: float(getattr(found, name)) for name in BY_TRUTH}


def in_title_order(scores: Mapping[str, float], titles: Mapping[str, str]) -> dict[str, float]:
    """Scores in the order of their titles."""
    return {name: scores[name] for name in titles if name in scores}
