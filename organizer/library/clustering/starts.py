"""Where K-means starts: at the previous clusters, as their members lie in the new space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from organizer.cluster.incremental import place_points, unit_rows
from organizer.cluster.kmeans import warm_start
from organizer.library.clustering.build import PreparedImages
from organizer.library.clustering.previous import PreviousClusters
from organizer.library.clustering.required import RequiredClusters
from organizer.types import Labels, Vectors

_DRAWN_FROM, _DRAWN_FROM_EACH = 20_000, 20


def starting_centroids(
    images: PreparedImages,
    previous: PreviousClusters,
    required: RequiredClusters,
    count: int,
    *,
    seed: int,
) -> Vectors | None:
    """``(count, d)`` centroids of unit length, those of the required clusters first.

    Args:
        images: The images.
        previous: The previous clusters.
        required: The required clusters.
        count: Number of modes to start with.
        seed: Of the draw of further centroids.

    Returns:
        None where there are no clusters to start at.
    """
    if previous.clustering is None and not required:
        return None
    rows = [_with_members(images, previous, i, modes) for i, modes in required.items()]
    starts = [images.mean_point(mode) for modes in rows for mode in modes]
    free = sorted(set(previous.ids) - set(required))
    labels = previous.guiding(required)
    members = [np.flatnonzero(labels == i) for i in free]
    members = [mine for mine in members if len(mine)]
    others = [images.mean_point(mine) for mine in members]
    wanted = count - len(starts)
    sample = _sample(images.points, max(_DRAWN_FROM, _DRAWN_FROM_EACH * count), seed=seed)
    fixed = unit_rows(np.array(starts, dtype=np.float32).reshape(-1, images.points.shape[1]))
    if not wanted:
        return fixed
    if not starts and not others:
        return None
    if len(others) > wanted:
        counts = np.array([len(mine) for mine in members])
        merged = warm_start(
            images.points, unit_rows(np.stack(others).astype(np.float32)), counts, wanted, seed=seed
        )
        return np.concatenate([fixed, merged]) if len(fixed) else merged
    known = unit_rows(np.stack([*starts, *others]).astype(np.float32))
    counts = np.ones(len(known), dtype=np.int64)
    return warm_start(sample, known, counts, count, seed=seed)


def _sample(points: Vectors, most: int, *, seed: int) -> Vectors:
    """Points to draw further centroids from: all distances of all would not fit into memory."""
    if len(points) <= most:
        return points
    rows = np.random.default_rng(seed).choice(len(points), most, replace=False)
    return points[np.sort(rows)]


def _with_members(
    images: PreparedImages, previous: PreviousClusters, cluster_id: int, modes: Sequence[Labels]
) -> list[Labels]:
    """The images of each mode of a cluster: its representatives, and the previous members."""
    mine = np.flatnonzero(previous.labels == cluster_id)
    if not len(mine):
        return list(modes)
    means = unit_rows(np.stack([images.mean_point(mode) for mode in modes]).astype(np.float32))
    nearest = place_points(images.points[mine], means).nearest
    return [np.union1d(mode, mine[nearest == number]) for number, mode in enumerate(modes)]
