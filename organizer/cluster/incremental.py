"""Images among the current clusters: where they lie, and how the clusters grow by new ones.

The mean of a mode is kept exactly, so that a centroid after any number of ingests is what one pass
over all members would give (Sculley 2010, Web-scale k-means clustering, algorithm 1, whose learning
rate 1 / n is this mean), whatever the size of the batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.types import ClusterModels, Labels, Vectors

_ROWS_AT_ONCE = 8_192


@dataclass(frozen=True, slots=True)
class PointPlacement:
    """Where images lie among centroids, row by row.

    Attributes:
        nearest: ``(n,)`` int64, the row of the nearest centroid.
        distances: ``(n,)`` float32 cosine distance to it.
        margins: ``(n,)`` float32, how much farther the nearest centroid of another cluster is;
            infinite where there is no other cluster.
    """

    nearest: Labels
    distances: NDArray[np.float32]
    margins: NDArray[np.float32]


def unit_rows(vectors: Vectors) -> Vectors:
    """Rows scaled to length one; a row of zeros stays as it is."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), dtype=np.float32)


def unit_rows_in_place(vectors: NDArray[Any]) -> NDArray[Any]:
    """As `unit_rows`, without a second array; half precision stays half precision."""
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        vectors[rows] = unit_rows(vectors[rows].astype(np.float32, copy=False))
    return vectors


def place_points(
    points: NDArray[Any], centroids: Vectors, owners: Labels | None = None
) -> PointPlacement:
    """The nearest centroid of each unit vector. O(n k dim), some rows at a time.

    Args:
        points: ``(n, dim)`` float32 or float16 of unit length.
        centroids: ``(k, dim)`` float32 of unit length.
        owners: ``(k,)`` the cluster of each centroid, ascending; each has its own where None.
    """
    n = len(points)
    nearest = np.empty(n, dtype=np.int64)
    distances = np.empty(n, dtype=np.float32)
    margins = np.full(n, np.inf, dtype=np.float32)
    starts = _first_rows(centroids, owners)
    for start in range(0, n, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        similarity = points[rows].astype(np.float32, copy=False) @ centroids.T
        nearest[rows] = similarity.argmax(axis=1)
        best = similarity.max(axis=1)
        distances[rows] = np.maximum(1 - best, 0)
        if len(starts) < len(centroids):
            similarity = np.maximum.reduceat(similarity, starts, axis=1)
        if len(starts) > 1:
            margins[rows] = best - np.partition(similarity, -2, axis=1)[:, -2]
    return PointPlacement(nearest, distances, margins)


def place_in_cluster(
    points: NDArray[Any], centroids: Vectors, owners: Labels, rows: Labels
) -> PointPlacement:
    """As `place_points`, for images whose cluster is given: the nearest centroid of that cluster.

    Some rows at a time too: a table of all images and centroids would not fit into memory.

    Args:
        points: ``(n, dim)`` float32 of unit length.
        centroids: ``(k, dim)`` float32 of unit length.
        owners: ``(k,)`` the cluster of each centroid.
        rows: ``(n,)`` the cluster of each image.

    Returns:
        Margins are negative where another cluster is nearer.
    """
    n = len(points)
    nearest = np.empty(n, dtype=np.int64)
    distances, margins = np.empty(n, dtype=np.float32), np.empty(n, dtype=np.float32)
    for start in range(0, n, _ROWS_AT_ONCE):
        block = slice(start, start + _ROWS_AT_ONCE)
        similarity = points[block].astype(np.float32, copy=False) @ centroids.T
        own = owners[None, :] == rows[block, None]
        inside = np.where(own, similarity, -np.inf)
        nearest[block] = inside.argmax(axis=1)
        best = inside.max(axis=1)
        distances[block] = np.maximum(1 - best, 0)
        margins[block] = best - np.where(own, -np.inf, similarity).max(axis=1)
    return PointPlacement(nearest, distances, margins)


def grow_models(
    models: ClusterModels, points: Vectors, rows: Labels, distances: NDArray[np.float32]
) -> ClusterModels:
    """The clusters with images assigned to them: exact running means, counts and deviations.

    Args:
        models: The clusters without them.
        points: ``(n, dim)`` float32 of unit length, in the clustering's space.
        rows: ``(n,)`` the row of the mode that each was assigned to.
        distances: ``(n,)`` cosine distance to its centroid, before the update.
    """
    joined = ModeSums.zero(models)
    joined.add(points, rows, distances)
    return joined.added_to(models)


def shrink_models(
    models: ClusterModels, points: Vectors, rows: Labels, distances: NDArray[np.float32]
) -> ClusterModels:
    """The clusters without images that left them: the inverse of `grow_models`.

    Args:
        models: The clusters with them.
        points: ``(n, dim)`` float32 of unit length, in the clustering's space.
        rows: ``(n,)`` the row of the mode that each was counted in.
        distances: ``(n,)`` the distance that each was counted with.
    """
    left = ModeSums.zero(models)
    left.add(points, rows, distances)
    return left.removed_from(models)


@dataclass(slots=True)
class ModeSums:
    """What newly assigned images add to each mode, summed batch by batch.

    Batches of any size give the same clusters up to the rounding of float64.
    """

    counts: Labels
    points: NDArray[np.float64]
    distances: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def zero(cls, models: ClusterModels) -> ModeSums:
        """No images."""
        n, dim = models.means.shape
        return cls(np.zeros(n, np.int64), np.zeros((n, dim)), np.zeros(n), np.zeros(n))

    def add(self, points: Vectors, rows: Labels, distances: NDArray[np.float32]) -> None:
        """Add images; see `grow_models`."""
        k = len(self.counts)
        wide = distances.astype(np.float64)
        self.counts += np.bincount(rows, minlength=k)
        self.distances += np.bincount(rows, weights=wide, minlength=k)
        self.squares += np.bincount(rows, weights=wide**2, minlength=k)
        order = np.argsort(rows, kind="stable")
        found, starts = np.unique(rows[order], return_index=True)
        if len(found):
            wide_points = points[order].astype(np.float64)
            self.points[found] += np.add.reduceat(wide_points, starts, axis=0)

    def added_to(self, models: ClusterModels) -> ClusterModels:
        """The clusters with all images added (Chan, Golub and LeVeque 1979 for the deviations)."""
        total = models.counts + self.counts
        divisor = np.maximum(total, 1)
        means = (models.means * models.counts[:, None] + self.points) / divisor[:, None]
        own = np.maximum(self.counts, 1)
        own_means = self.distances / own
        own_m2s = np.maximum(self.squares - self.counts * own_means**2, 0)
        delta = np.where(self.counts > 0, own_means - models.distance_means, 0)
        return replace(
            models,
            means=np.where(self.counts[:, None] > 0, means, models.means),
            counts=total,
            distance_means=models.distance_means + delta * self.counts / divisor,
            distance_m2s=models.distance_m2s
            + own_m2s
            + delta**2 * models.counts * self.counts / divisor,
        )

    def removed_from(self, models: ClusterModels) -> ClusterModels:
        """The clusters with all images removed: the inverse of `added_to`."""
        total = models.counts - self.counts
        divisor = np.maximum(total, 1)
        gone, left = self.counts > 0, total > 0
        means = (models.means * models.counts[:, None] - self.points) / divisor[:, None]
        own = np.maximum(self.counts, 1)
        own_means = self.distances / own
        own_m2s = np.maximum(self.squares - self.counts * own_means**2, 0)
        rest_means = (models.distance_means * models.counts - self.distances) / divisor
        delta = own_means - rest_means
        between = delta**2 * total * self.counts / np.maximum(models.counts, 1)
        rest_m2s = np.maximum(models.distance_m2s - own_m2s - between, 0)
        return replace(
            models,
            means=np.where((gone & left)[:, None], means, models.means),
            counts=total,
            distance_means=np.where(gone & left, np.maximum(rest_means, 0), models.distance_means),
            distance_m2s=np.where(gone, np.where(left, rest_m2s, 0.0), models.distance_m2s),
        )


def fit_models(
    points: Vectors,
    labels: Labels,
    image_ids: NDArray[np.object_],
    *,
    mode_ids: Sequence[int],
    cluster_ids: Sequence[int],
    origins: Sequence[str],
) -> ClusterModels:
    """The clusters that labels make, without their fit.

    The medoid is the member nearest to the centroid: for unit vectors and the cosine distance the
    sum of the distances to all members is smallest where the similarity to their mean is largest.

    Args:
        points: ``(n, dim)`` float32 of unit length.
        labels: ``(n,)`` the mode of each image, a row of `mode_ids`; NOISE is left out.
        image_ids: ``(n,)`` the images.
        mode_ids: The id of each mode.
        cluster_ids: The cluster of each mode.
        origins: See `organizer.types.ClusterModels`.
    """
    m, dim = len(mode_ids), points.shape[1]
    rows = np.flatnonzero(labels >= 0)
    order = rows[np.argsort(labels[rows], kind="stable")]
    bounds = np.searchsorted(labels[order], np.arange(m + 1))
    means, counts = np.zeros((m, dim)), np.diff(bounds).astype(np.int64)
    distance_means, distance_m2s = np.zeros(m), np.zeros(m)
    medoids = [""] * m
    for mode in range(m):
        members = order[bounds[mode] : bounds[mode + 1]]
        if len(members):
            means[mode] = points[members].mean(axis=0, dtype=np.float64)
            centroid = (means[mode] / (np.linalg.norm(means[mode]) or 1)).astype(np.float32)
            similarity = points[members].astype(np.float32, copy=False) @ centroid
            distances = np.maximum(1 - similarity, 0).astype(np.float64)
            distance_means[mode] = distances.mean()
            distance_m2s[mode] = np.square(distances - distance_means[mode]).sum()
            medoids[mode] = image_ids[members[distances.argmin()]]
    models = ClusterModels(
        np.array(cluster_ids, dtype=np.int64),
        np.array(mode_ids, dtype=np.int64),
        means,
        counts,
        distance_means,
        distance_m2s,
        np.zeros(m),
        np.zeros(m),
        tuple(medoids),
        tuple(origins),
    )
    return models.take(np.lexsort((models.mode_ids, models.cluster_ids)))


def _first_rows(centroids: Vectors, owners: Labels | None) -> Labels:
    """The first row of each cluster's centroids."""
    if owners is None:
        return np.arange(len(centroids), dtype=np.int64)
    return np.flatnonzero(np.diff(owners, prepend=owners[:1] - 1)).astype(np.int64)
