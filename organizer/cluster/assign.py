"""Which of the current clusters new images belong to, and which images fit none.

A reduced space separates what it was fitted to. Novel clusters, found since, were not part of
that: in a space that was smoothed over the earlier images, their images coincide with those of old
clusters. So the centroids decide among the old clusters, and the exemplars, in the embedder's own
space, between these and the novel ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.fit import AMBIGUOUS, LIMIT, exemplar_distance, is_ambiguous, misfit
from organizer.cluster.incremental import PointPlacement, place_in_cluster, place_points
from organizer.cluster.neighbours import NearestLabelled
from organizer.types import NOISE, ClusterModels, Exemplars, Labels, Vectors

NOVEL_ORIGIN = "ingest"
"""What the origin of a mode that was found among the unassigned images begins with."""


@dataclass(frozen=True, slots=True)
class ImageAssignment:
    """Where images lie, row by row.

    Attributes:
        placement: The mode of each image among all modes; see `PointPlacement`.
        unassigned: ``(n,)`` whether an image stays unassigned: it fits no cluster, or two alike.
    """

    placement: PointPlacement
    unassigned: NDArray[np.bool_]


def assign_images(
    models: ClusterModels,
    exemplars: Exemplars,
    vectors: Vectors,
    points: Vectors,
    *,
    by_centroid: bool = True,
) -> ImageAssignment:
    """Compare new images with the current clusters.

    Args:
        models: The clusters.
        exemplars: Their exemplars.
        vectors: ``(n, dim)`` float32 of unit length, in the embedder's own space.
        points: ``(n, d)`` float32 of unit length, in the clustering's space.
        by_centroid: Whether the clusters are those of centroids; otherwise the nearest exemplars
            vote.
    """
    novel = is_novel(models)
    known = ~novel if not novel.all() else novel
    old = models.take(known)
    placement = place_points(points, old.centroids, old.cluster_ids)
    if by_centroid:
        unassigned = is_ambiguous(old, placement.nearest, placement.margins)
    else:
        placement, unassigned = _voted(old, exemplars, vectors, points, placement)
    unassigned |= misfit(old, exemplars, vectors, placement.nearest) > LIMIT
    rows = np.flatnonzero(known)[placement.nearest]
    location = ImageAssignment(replace(placement, nearest=rows), unassigned)
    if known.all() or not novel.any():
        return location
    return _among_novel(models, exemplars, vectors, points, location, np.flatnonzero(~known))


def is_novel(models: ClusterModels) -> NDArray[np.bool_]:
    """``(m,)`` which modes were found among the unassigned since the clustering was made."""
    return np.array([origin.startswith(NOVEL_ORIGIN) for origin in models.origins], dtype=np.bool_)


def _voted(
    models: ClusterModels,
    exemplars: Exemplars,
    vectors: Vectors,
    points: Vectors,
    nearest: PointPlacement,
) -> tuple[PointPlacement, NDArray[np.bool_]]:
    """The nearest labelled neighbours decide; without any, the nearest centroid is a guess."""
    known = np.isin(exemplars.mode_ids, models.mode_ids)
    row_of = {int(mode): row for row, mode in enumerate(models.mode_ids)}
    labels = np.array([row_of[int(mode)] for mode in exemplars.mode_ids[known]], dtype=np.int64)
    voters = NearestLabelled().fit(exemplars.vectors[known].astype(np.float32), labels)
    rows = voters.predict(vectors)
    doubt = rows == NOISE
    near = models.cluster_ids[np.where(doubt, nearest.nearest, rows)]
    return place_in_cluster(points, models.centroids, models.cluster_ids, near), doubt


def _among_novel(
    models: ClusterModels,
    exemplars: Exemplars,
    vectors: Vectors,
    points: Vectors,
    location: ImageAssignment,
    novel: Labels,
) -> ImageAssignment:
    """Assign images to a novel cluster whose members are nearer to them, if they fit there."""
    rows, unassigned = location.placement.nearest.copy(), location.unassigned.copy()
    best = exemplar_distance(models, exemplars, vectors, rows)
    for mode in novel.tolist():
        distances = exemplar_distance(models, exemplars, vectors, np.full(len(vectors), mode))
        spread = max(float(models.fit_deviations[mode]), 1e-6)
        fits = distances <= models.fit_means[mode] + LIMIT * spread
        taken = fits & (distances < best)
        tied = fits & ~unassigned & (np.abs(distances - best) < AMBIGUOUS * spread)
        rows[taken], best[taken] = mode, distances[taken]
        unassigned[taken] = False
        unassigned[tied] = True
    placement = place_in_cluster(
        points, models.centroids, models.cluster_ids, models.cluster_ids[rows]
    )
    return ImageAssignment(replace(placement, nearest=rows), unassigned)
