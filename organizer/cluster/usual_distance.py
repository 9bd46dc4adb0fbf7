"""Which distances the images of a cluster have: a single distance is near or far by these.

There are two kinds of distances, and each is compared with its own. That of two images is measured
on the vectors of the embedder; that of an image to the centroid of its cluster in the space of the
clustering, where everything lies nearer together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.fit import LIMIT
from organizer.types import NOISE, Assignments, ClusterModels, UsualDistance


def usual_distances(models: ClusterModels) -> dict[int, UsualDistance]:
    """For each cluster, how far its images lie from the images there that are most like them.

    It is what decides whether a new image fits (`organizer.cluster.fit`): the mean cosine distance
    to the three nearest exemplars, on the vectors. Several modes count by their images.
    """
    found = {}
    for cluster_id in models.ids:
        mine = models.cluster_ids == cluster_id
        weights = np.maximum(models.counts[mine], 1)
        mean = float(np.average(models.fit_means[mine], weights=weights))
        deviation = float(np.average(models.fit_deviations[mine], weights=weights))
        found[cluster_id] = UsualDistance(mean, mean + LIMIT * deviation)
    return found


def usual_centroid_distances(members: Assignments) -> dict[int, UsualDistance]:
    """For each cluster, how far its images lie from the centroid, in the clustering's space."""
    found = {}
    order = np.argsort(members.cluster_ids, kind="stable")
    ids, starts = np.unique(members.cluster_ids[order], return_index=True)
    for cluster_id, rows in zip(ids.tolist(), np.split(order, starts[1:]), strict=True):
        if cluster_id != NOISE:
            found[cluster_id] = _usual(members.distances[rows].astype(np.float64))
    return found


def _usual(distances: NDArray[np.float64]) -> UsualDistance:
    mean = float(distances.mean())
    return UsualDistance(mean, mean + LIMIT * float(distances.std()))
