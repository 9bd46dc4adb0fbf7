"""What a person said about single images, carried out: they come before any distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.decisions import Constraints
from organizer.cluster.fit import LIMIT, misfit
from organizer.library.clustering.build import PreparedImages
from organizer.types import NOISE, ClusterModels, Exemplars, Labels


def constrained_rows(image_ids: NDArray[np.object_], constraints: Constraints) -> Labels:
    """The rows of images about which a person said something."""
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
    """Put images where a person said they belong, and take them from where they do not.

    An image that is not in its nearest cluster goes to the next that it fits, or to the pile.

    Args:
        images: The images.
        cluster_ids: ``(n,)`` where they would be by their distance alone.
        models: The clusters.
        exemplars: Those of the clusters.
        constraints: What a person said.

    Returns:
        ``(n,)`` where they are; NOISE for the unsure.
    """
    obeyed = cluster_ids.copy()
    here = set(models.cluster_ids.tolist())
    for row in constrained_rows(images.image_ids, constraints).tolist():
        image_id = images.image_ids[row]
        banned = constraints.banned.get(image_id, frozenset())
        if constraints.fixed.get(image_id) in here:
            obeyed[row] = constraints.fixed[image_id]
        elif obeyed[row] in banned:
            obeyed[row] = _next_best(images.take(np.array([row])), banned, models, exemplars)
    return obeyed


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
