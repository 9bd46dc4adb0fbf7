"""New images among present clusters; nobody else moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from organizer.cluster.incremental import is_unsure, place, unit
from organizer.store import Assignments, ClusterModels
from organizer.types import AssignmentState, Vectors


def join(models: ClusterModels, image_ids: Sequence[str], vectors: Vectors) -> Assignments:
    """New images among present clusters, each to the nearest; those that fit none are unsure."""
    placement = place(unit(vectors), models.centroids)
    unsure = is_unsure(placement, models.mean_distances, models.spreads)
    states = np.where(unsure, AssignmentState.UNSURE.value, AssignmentState.AUTO.value)
    return Assignments(
        np.array(image_ids, dtype=object),
        models.cluster_ids[placement.nearest],
        placement.distances,
        placement.margins,
        states.astype(object),
    )
