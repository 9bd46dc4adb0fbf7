"""How far a clustering has drifted since it was made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from organizer.types import ClusterModels

_UNASSIGNED, _LOOSER, _BLOATED = 0.1, 1.1, 3.0
"""What advises a recluster: a tenth of the images unassigned, a mean distance that grew by a tenth,
a cluster three times as large as it was among others that grew less."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What changed since a clustering was made.

    Attributes:
        clusters: How many there are.
        novel: Clusters that were found since.
        unassigned_share: Images that are in no cluster, of all.
        distance_growth: Mean distance to the centroids that there were at first, as a multiple of
            what it was.
        empty: Clusters without images.
        bloated: Clusters that grew out of all proportion.
        reasons: Why to recluster, a line each; empty where there is no need.
    """

    clusters: int
    novel: tuple[int, ...]
    unassigned_share: float
    distance_growth: float
    empty: tuple[int, ...]
    bloated: tuple[int, ...]
    reasons: tuple[str, ...]


def drift_of(made: ClusterModels, current: ClusterModels, *, unassigned: int, images: int) -> Drift:
    """Compare a clustering with itself as it was made.

    Args:
        made: The clusters as they were made.
        current: The clusters with all images that were assigned since.
        unassigned: Images that are in no cluster.
        images: All images of the clustering.
    """
    counts = {i: int(current.counts[current.cluster_ids == i].sum()) for i in current.ids}
    first = {i: int(made.counts[made.cluster_ids == i].sum()) for i in made.ids}
    growth = {i: counts[i] / first[i] for i in counts if first.get(i)}
    usual = float(np.median(list(growth.values()))) if growth else 1.0
    bloated = tuple(i for i, factor in growth.items() if factor > _BLOATED * max(usual, 1.0))
    empty = tuple(i for i, count in counts.items() if not count)
    share = unassigned / images if images else 0.0
    still_there = current.take(np.isin(current.mode_ids, made.mode_ids))
    looser = _mean_distance(still_there) / _mean_distance(made) if _mean_distance(made) > 0 else 1.0
    novel = tuple(sorted(set(current.ids) - set(made.ids)))
    reasons = []
    if share > _UNASSIGNED:
        reasons.append(f"{share:.0%} of the images are unassigned")
    if looser > _LOOSER:
        reasons.append(f"images lie {looser - 1:.0%} farther from their centroids than at first")
    if bloated:
        listed = ", ".join(map(str, bloated))
        reasons.append(f"out of all proportion grew: {listed}")
    if empty:
        reasons.append(f"without images: {', '.join(map(str, empty))}")
    return Drift(len(counts), novel, share, looser, empty, bloated, tuple(reasons))


def _mean_distance(models: ClusterModels) -> float:
    total = int(models.counts.sum())
    return float((models.distance_means * models.counts).sum() / total) if total else 0.0
