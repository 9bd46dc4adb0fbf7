"""From labels to a clustering: models with their fit, exemplars, assignments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.fit import calibrate
from organizer.cluster.incremental import fit_models, place_in_cluster, place_points
from organizer.types import (
    NOISE,
    Assignments,
    AssignmentState,
    ClusterModels,
    Exemplars,
    Labels,
    Vectors,
)

_ROWS_AT_ONCE = 8_192


@dataclass(frozen=True, slots=True)
class ModeNames:
    """Ids and origins of the modes of a clustering, row by row; see `ClusterModels`."""

    cluster_ids: Sequence[int]
    mode_ids: Sequence[int]
    origins: Sequence[str]


@dataclass(frozen=True, slots=True)
class PreparedImages:
    """Images with their preprocessed vectors.

    Attributes:
        image_ids: ``(n,)`` ids in an object array.
        vectors: ``(n, dim)`` float32 or float16 of unit length, in the embedder's own space:
            centred, and the mean of its burst where bursts are one observation.
        points: ``(n, d)`` the same, in the clustering's space.
        observations: ``(n,)`` the observation that each is part of; None where each image is one
            of its own.
    """

    image_ids: NDArray[np.object_]
    vectors: Vectors
    points: Vectors
    observations: Labels | None = None

    def take(self, rows: Labels) -> PreparedImages:
        """The images of some rows."""
        some = None if self.observations is None else self.observations[rows]
        return PreparedImages(self.image_ids[rows], self.vectors[rows], self.points[rows], some)

    def mean_point(self, rows: Labels) -> NDArray[np.float64]:
        """``(d,)`` the mean of the points of some rows."""
        return np.asarray(self.points[rows].mean(axis=0, dtype=np.float64))


def one_per_observation(labels: Labels, observations: Labels) -> Labels:
    """``(n,)`` labels in which each pair of observation and label occurs once; else NOISE."""
    first = np.unique(np.column_stack([observations, labels]), axis=0, return_index=True)[1]
    found = np.full(len(labels), NOISE, dtype=np.int64)
    found[first] = labels[first]
    return found


def build_models(
    images: PreparedImages,
    labels: Labels,
    modes: ModeNames,
    *,
    seed: int,
    usual: ClusterModels | None = None,
) -> tuple[ClusterModels, Exemplars]:
    """Build the models and exemplars of labelled images.

    Args:
        images: The images.
        labels: ``(n,)`` the row in `modes` of each image's mode; NOISE is left out.
        modes: The modes.
        seed: Of the draw of exemplars.
        usual: Other clusters of the library; see `organizer.cluster.fit.calibrate`.
    """
    if images.observations is not None:
        labels = one_per_observation(labels, images.observations)
    models = fit_models(
        images.points,
        labels,
        images.image_ids,
        mode_ids=modes.mode_ids,
        cluster_ids=modes.cluster_ids,
        origins=modes.origins,
    )
    row_of = np.full(len(modes.mode_ids) + 1, NOISE, dtype=np.int64)
    for row, mode_id in enumerate(modes.mode_ids):
        row_of[row] = models.row_of(mode_id)
    return calibrate(models, images.vectors, row_of[labels], seed=seed, usual=usual)


def rebuild_models(
    images: PreparedImages,
    cluster_ids: Labels,
    models: ClusterModels,
    *,
    seed: int,
    owners: Labels | None = None,
    usual: ClusterModels | None = None,
) -> tuple[ClusterModels, Exemplars]:
    """Rebuild the modes of clusters from their members; modes without members are dropped.

    Args:
        images: The images.
        cluster_ids: ``(n,)`` the cluster of each, one of `owners`; NOISE for none.
        models: The modes that the images may be of.
        seed: Of the draw of exemplars.
        owners: ``(m,)`` the cluster of each mode while images are assigned to modes; that of
            `models` where None.
        usual: See `build_models`.
    """
    labels = np.full(len(cluster_ids), NOISE, dtype=np.int64)
    inside = np.flatnonzero(cluster_ids != NOISE)
    owners = models.cluster_ids if owners is None else owners
    at = place_in_cluster(images.points[inside], models.centroids, owners, cluster_ids[inside])
    held, labels[inside] = np.unique(at.nearest, return_inverse=True)
    left = models.take(held)
    modes = ModeNames(left.cluster_ids.tolist(), left.mode_ids.tolist(), left.origins)
    return build_models(images, labels, modes, seed=seed, usual=usual)


def build_assignments(
    images: PreparedImages,
    cluster_ids: Labels,
    models: ClusterModels,
    *,
    states: NDArray[np.object_],
    since: Labels,
) -> Assignments:
    """The assignments of images to clusters, with distances and margins to the centroids.

    Args:
        images: The images.
        cluster_ids: ``(n,)`` the cluster of each; NOISE for the unassigned.
        models: All clusters.
        states: ``(n,)`` the `AssignmentState` of each.
        since: ``(n,)`` the ingest that assigned each; 0 for a recluster.
    """
    centroids = models.centroids
    n = len(cluster_ids)
    candidates = cluster_ids.copy()
    distances, margins = np.empty(n, np.float32), np.empty(n, np.float32)
    for start in range(0, n, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        points = images.points[rows]
        unassigned = cluster_ids[rows] == NOISE
        if unassigned.any():
            nearest = place_points(points[unassigned], centroids).nearest
            candidates[rows][unassigned] = models.cluster_ids[nearest]
        found = place_in_cluster(points, centroids, models.cluster_ids, candidates[rows])
        distances[rows], margins[rows] = found.distances, found.margins
    return Assignments(images.image_ids, cluster_ids, candidates, distances, margins, states, since)


def assignment_states(
    image_ids: NDArray[np.object_], cluster_ids: Labels, fixed: Collection[str]
) -> NDArray[np.object_]:
    """``(n,)`` the states of images, given the ids of those that a decision fixes."""
    states = np.full(len(image_ids), AssignmentState.AUTO.value, dtype=object)
    states[cluster_ids == NOISE] = AssignmentState.UNSURE.value
    if fixed:
        decided = np.fromiter((i in fixed for i in image_ids), dtype=np.bool_, count=len(image_ids))
        states[decided & (cluster_ids != NOISE)] = AssignmentState.DECIDED.value
    return states
