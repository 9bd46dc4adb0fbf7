"""The current clustering and its clusters, where there have to be some."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from organizer.cluster.decisions import Constraints, compile_constraints
from organizer.errors import ClusteringError, SettingsError
from organizer.store import Store, StoredClustering


def require_clustering(store: Store) -> StoredClustering:
    """The current clustering.

    Raises:
        ClusteringError: There is none yet.
    """
    current = store.clusterings.current()
    if current is None:
        raise ClusteringError(
            "there are no clusters yet", "make them: organizer recluster --k auto"
        )
    return current


def require_cluster(
    store: Store,
    clustering: StoredClustering,
    cluster_id: int,
    constraints: Constraints | None = None,
) -> None:
    """Make sure that a cluster is in a clustering.

    Raises:
        SettingsError: It is not.
    """
    ids = store.clusterings.cluster_ids(clustering.clustering_id)
    if cluster_id not in ids:
        retired = (constraints or compile_constraints(store.decisions.current())).retired
        raise unknown_cluster(store, ids, retired, cluster_id)


def unknown_cluster(
    store: Store, ids: Sequence[int], retired: Collection[int], cluster_id: int
) -> SettingsError:
    """The error for a cluster that is not there.

    Args:
        store: The library.
        ids: The clusters that are there.
        retired: Those that were retired or merged.
        cluster_id: The cluster that was asked for.
    """
    known = ", ".join(map(str, ids[:20])) + (" ..." if len(ids) > 20 else "")
    was = cluster_id in retired or cluster_id in store.clusterings.origins()
    what = f"cluster {cluster_id} is gone" if was else f"there is no cluster {cluster_id}"
    history = f"; what became of it: organizer clusters history {cluster_id}" if was else ""
    return SettingsError(what, f"there are: {known}{history}")
