"""Exemplars and fit of clusterings that were stored without them."""

from __future__ import annotations

from organizer.cluster.fit import calibrate
from organizer.cluster.incremental import place_in_cluster, unit_rows
from organizer.library.clustering.space import ClusterSpace
from organizer.store import Store, StoredClustering
from organizer.types import ClusterModels, Exemplars


def measure_fit(
    store: Store,
    clustering: StoredClustering,
    models: ClusterModels,
    space: ClusterSpace,
    *,
    seed: int,
) -> tuple[ClusterModels, Exemplars]:
    """Measure the exemplars and fit of a clustering that was stored without them."""
    members = store.clusterings.assignments(clustering.clustering_id)
    members = members.take(~members.unassigned)
    vectors = unit_rows(store.vectors.read_rows(clustering.embedder, members.image_ids.tolist()))
    at = place_in_cluster(
        space.points(vectors), models.centroids, models.cluster_ids, members.cluster_ids
    )
    return calibrate(models, vectors, at.nearest, seed=seed)
