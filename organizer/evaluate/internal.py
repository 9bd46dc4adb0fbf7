"""Scores that need no truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from organizer.types import NOISE, Labels, Vectors

_EXACT_UP_TO = 20_000
METRIC = "euclidean, on vectors of unit length"


@dataclass(frozen=True, slots=True)
class Silhouette:
    """The silhouette of a clustering (Rousseeuw 1987).

    Attributes:
        mean: Over all images that were scored.
        per_cluster: Mean over each cluster's images.
        n_scored: Images that were scored; fewer than there are where a sample was drawn.
        sampled: Whether a sample was drawn.
    """

    mean: float
    per_cluster: dict[int, float]
    n_scored: int
    sampled: bool


def silhouette(vectors: Vectors, labels: Labels, *, seed: int = 0) -> Silhouette | None:
    """scikit-learn's silhouette of unit vectors, with Euclidean distances.

    Exact up to 20,000 images; above, that of a seeded sample of 20,000. Noise is left out.

    Returns:
        None where it is not defined: fewer than two clusters, or as many clusters as images.
    """
    from sklearn.metrics import silhouette_samples

    rows = np.flatnonzero(labels != NOISE)
    sampled = len(rows) > _EXACT_UP_TO
    if sampled:
        draw = np.random.default_rng(seed)
        rows = np.sort(draw.choice(rows, _EXACT_UP_TO, replace=False))
    scored = labels[rows]
    found = np.unique(scored)
    if not 2 <= len(found) < len(rows):
        return None
    values = silhouette_samples(vectors[rows], scored, metric="euclidean")
    per_cluster = {int(label): float(values[scored == label].mean()) for label in found}
    return Silhouette(float(values.mean()), per_cluster, len(rows), sampled)
