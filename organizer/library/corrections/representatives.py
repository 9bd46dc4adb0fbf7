"""The images that represent clusters in decisions: the most typical ones of each mode."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from organizer.cluster.assign import is_novel
from organizer.cluster.decisions import REPRESENTATIVES
from organizer.cluster.incremental import place_in_cluster, place_points
from organizer.library.clustering.build import PreparedImages, one_per_observation
from organizer.library.corrections.state import EditorState
from organizer.library.corrections.working import WorkingClusters
from organizer.types import ClusterModels, Labels


def representatives(
    clusters: WorkingClusters, state: EditorState, cluster_id: int
) -> tuple[list[str], list[int]]:
    """The most typical images of a cluster's modes, and the mode of each."""
    members, models = clusters.members, clusters.models
    rows = np.flatnonzero(members.cluster_ids == cluster_id)
    modes = np.flatnonzero(models.cluster_ids == cluster_id)
    mode_of = np.zeros(len(rows), dtype=np.int64)
    if len(modes) > 1 or state.preprocessor.bursts:
        images = clusters.images(rows, kept=True)
        mode_of = place_points(images.points, models.centroids[modes]).nearest
        if images.observations is not None:
            mode_of = one_per_observation(mode_of, images.observations)
    image_ids: list[str] = []
    groups: list[int] = []
    for mode in range(len(modes)):
        mine = rows[mode_of == mode]
        order = np.argsort(members.distances[mine], kind="stable")
        nearest = mine[order][:REPRESENTATIVES]
        image_ids += members.image_ids[nearest].tolist()
        groups += [int(models.mode_ids[modes[mode]])] * len(nearest)
    return image_ids, groups


def representatives_of_parts(
    images: PreparedImages,
    ids: Labels,
    models: ClusterModels,
    fixed: Mapping[str, int],
    cluster_id: int,
) -> tuple[list[str], list[int]]:
    """The most typical images of a cluster's parts, and all that were fixed to the cluster.

    Args:
        images: The images of the cluster.
        ids: ``(n,)`` the part of each image.
        models: The parts.
        fixed: The clusters that images are fixed to.
        cluster_id: The cluster.
    """
    at = place_in_cluster(images.points, models.centroids, models.cluster_ids, ids)
    image_ids: list[str] = []
    groups: list[int] = []
    for part in models.ids:
        mine = np.flatnonzero(ids == part)
        mine = mine[np.argsort(at.distances[mine], kind="stable")]
        others = [
            row
            for row in mine[REPRESENTATIVES:].tolist()
            if fixed.get(images.image_ids[row]) == cluster_id
        ]
        chosen = [*mine[:REPRESENTATIVES].tolist(), *others]
        image_ids += images.image_ids[chosen].tolist()
        groups += [part] * len(chosen)
    return image_ids, groups


def origin_of_parts(models: ClusterModels, cluster_id: int) -> str:
    """The origin of a cluster's parts; those of a novel cluster are novel to the space too."""
    split = f"split of {cluster_id}"
    mine = models.take(models.cluster_ids == cluster_id)
    return f"{mine.origins[0]}, {split}" if is_novel(mine).any() else split
