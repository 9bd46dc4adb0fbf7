"""Constraints on single images, which decisions set and which come before any distance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.assign import assign_images
from organizer.cluster.decisions import Constraints
from organizer.cluster.fit import LIMIT, misfit
from organizer.library.clustering.build import PreparedImages
from organizer.library.images.decided import decided_singly
from organizer.types import NOISE, ClusterModels, Decision, Exemplars, Labels


def constrained_rows(image_ids: NDArray[np.object_], constraints: Constraints) -> Labels:
    """``(m,)`` the rows of images that constraints fix to a cluster or exclude from one."""
    if not constraints.fixed and not constraints.banned:
        return np.empty(0, dtype=np.int64)
    rows = [
        row
        for row, image_id in enumerate(image_ids)
        if image_id in constraints.fixed or image_id in constraints.banned
    ]
    return np.array(rows, dtype=np.int64)


def apply_constraints(
    images: PreparedImages,
    cluster_ids: Labels,
    models: ClusterModels,
    exemplars: Exemplars,
    constraints: Constraints,
) -> Labels:
    """Assign images to the clusters they are fixed to, and remove them from excluded ones.

    An image that is removed goes to the next nearest cluster that it fits, or is unassigned.

    Args:
        images: The images.
        cluster_ids: ``(n,)`` the cluster of each by distance alone.
        models: The clusters.
        exemplars: Those of the clusters.
        constraints: The constraints that follow from the decisions.

    Returns:
        ``(n,)`` the clusters; NOISE for the unassigned.
    """
    constrained = cluster_ids.copy()
    known = set(models.cluster_ids.tolist())
    for row in constrained_rows(images.image_ids, constraints).tolist():
        image_id = images.image_ids[row]
        banned = constraints.banned.get(image_id, frozenset())
        if constraints.fixed.get(image_id) in known:
            constrained[row] = constraints.fixed[image_id]
        elif constrained[row] in banned:
            constrained[row] = _next_best(images.take(np.array([row])), banned, models, exemplars)
    return constrained


def assign_within_constraints(
    images: PreparedImages, models: ClusterModels, exemplars: Exemplars, constraints: Constraints
) -> Labels:
    """Compare images with the clusters, and apply the constraints; see `apply_constraints`."""
    found = assign_images(models, exemplars, images.vectors, images.points)
    nearest = models.cluster_ids[found.placement.nearest]
    assigned = np.where(found.unassigned, NOISE, nearest)
    return apply_constraints(images, assigned, models, exemplars, constraints)


def _next_best(
    image: PreparedImages, banned: frozenset[int], models: ClusterModels, exemplars: Exemplars
) -> int:
    allowed = np.flatnonzero(~np.isin(models.cluster_ids, list(banned)))
    if not len(allowed):
        return NOISE
    best = allowed[[int((models.centroids[allowed] @ image.points[0].astype(np.float32)).argmax())]]
    if misfit(models, exemplars, image.vectors, best)[0] > LIMIT:
        return NOISE
    return int(models.cluster_ids[best[0]])


def constraint_keys(
    image_ids: Sequence[str],
    bursts: Labels,
    decisions: Iterable[Decision],
    constraints: Constraints,
) -> list[Any]:
    """A key for each image; images of a burst whose keys differ are separate observations.

    What was decided of one image (moved, excluded) holds for no other of its burst. A
    representative of a named cluster takes its burst along, unless other images of the burst
    represent other clusters.
    """
    singly = decided_singly(decisions)
    represented: dict[int, set[int]] = {}
    for image_id, burst in zip(image_ids, bursts.tolist(), strict=True):
        if image_id not in singly and image_id in constraints.fixed:
            represented.setdefault(burst, set()).add(constraints.fixed[image_id])
    keys: list[Any] = []
    for image_id, burst in zip(image_ids, bursts.tolist(), strict=True):
        fixed = constraints.fixed.get(image_id)
        if image_id in singly:
            keys.append((fixed, constraints.banned.get(image_id, frozenset())))
        else:
            keys.append(fixed if len(represented.get(burst, ())) > 1 else None)
    return keys
