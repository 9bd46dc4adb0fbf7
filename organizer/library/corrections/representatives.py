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

_AT_ONCE = 1_024
"""Members that are compared with the modes at once, the most typical first: mostly enough."""


def representatives(
    clusters: WorkingClusters, state: EditorState, cluster_id: int
) -> tuple[list[str], list[int]]:
    """The most typical images of a cluster's modes, and the mode of each."""
    members, models = clusters.members, clusters.models
    rows = np.flatnonzero(members.cluster_ids == cluster_id)
    rows = rows[np.argsort(members.distances[rows], kind="stable")]
    modes = np.flatnonzero(models.cluster_ids == cluster_id)
    found: list[list[int]] = [[] for _ in modes]
    # Of a burst only all images say which mode it is of.
    at_once = max(1, len(rows) if state.preprocessor.bursts else _AT_ONCE)
    for start in range(0, len(rows), at_once):
        part = rows[start : start + at_once]
        mode_of = _modes_of(part, modes, clusters, state)
        for mode, mine in enumerate(found):
            mine.extend(part[mode_of == mode][: REPRESENTATIVES - len(mine)].tolist())
        if all(len(mine) == REPRESENTATIVES for mine in found):
            break
    image_ids = [members.image_ids[row] for mine in found for row in mine]
    groups = [int(models.mode_ids[m]) for m, mine in zip(modes, found, strict=True) for _ in mine]
    return image_ids, groups


def _modes_of(rows: Labels, modes: Labels, clusters: WorkingClusters, state: EditorState) -> Labels:
    """Of which of the modes of their cluster some members are, by place."""
    if len(modes) == 1 and not state.preprocessor.bursts:
        return np.zeros(len(rows), dtype=np.int64)
    images = clusters.counted_images(rows)
    mode_of = place_points(images.points, clusters.models.centroids[modes]).nearest
    if images.observations is not None:
        mode_of = one_per_observation(mode_of, images.observations)
    return mode_of


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
