"""New images among present clusters; nobody else moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from organizer.cluster.incremental import is_unsure, place, unit
from organizer.store import Assignments, ClusterModels, Store, StoredClustering
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


def join_late(store: Store, clustering: StoredClustering | None) -> None:
    """Let images with a vector that are not in a clustering join its clusters.

    They came after a clustering that was brought back, or an ingest was cut short between their
    vectors and their clusters. Where there are none, it costs two counts.
    """
    if clustering is None:
        return
    clustering_id, embedder = clustering.clustering_id, clustering.embedder
    if store.vectors.count(embedder) == store.clusterings.count(clustering_id):
        return
    members = set(store.clusterings.assignments(clustering_id).image_ids.tolist())
    image_ids, vectors = store.vectors.read(embedder)
    rows = [row for row, image_id in enumerate(image_ids) if image_id not in members]
    models = store.clusterings.models(clustering_id)
    newcomers = join(models, [image_ids[row] for row in rows], vectors[rows])
    store.clusterings.append_members(clustering_id, newcomers)
