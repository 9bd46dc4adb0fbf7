"""What a new clustering changes for each cluster, in images: to be looked at before it is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from organizer.errors import ClusteringError
from organizer.types import NOISE, Labels

_LOST = 0.2
"""Share of its images from which a cluster has lost a part; as in the split of a lineage."""
_MAJORITY = 0.5
_LISTED = 20

ImageCounts = tuple[tuple[int, int], ...]
"""Numbers of images by cluster, the largest first; NOISE for none."""


@dataclass(frozen=True, slots=True)
class ClusterChange:
    """A cluster before and after a recluster.

    Attributes:
        cluster_id: Its id.
        name: Its name; None where it has none.
        is_decided: Whether a person named it, pinned it or moved images to it.
        before: Number of its images before; 0 for a new cluster.
        after: Number of its images after it; 0 for one that is retired.
        stayed: Number of images that are in it before and after.
        came_from: Where the others came from; NOISE for unassigned and new images.
        went_to: Where those that left went; NOISE for images that are unassigned now.
    """

    cluster_id: int
    name: str | None
    is_decided: bool
    before: int
    after: int
    stayed: int
    came_from: ImageCounts = ()
    went_to: ImageCounts = ()

    @property
    def is_at_risk(self) -> bool:
        """Whether its name or what was decided about it may not fit its images any more.

        It loses a fifth of its images or more, or more than half of those that it gets were not in
        it. A cluster that nobody decided about has nothing to lose.
        """
        if not self.before or not (self.is_decided or self.name is not None):
            return False
        lost, came = self.before - self.stayed, self.after - self.stayed
        return lost >= _LOST * self.before or came > _MAJORITY * self.after


@dataclass(frozen=True, slots=True)
class DroppedCluster:
    """A cluster that a person decided about, and that is in a new clustering no more.

    Attributes:
        cluster_id: Its id.
        name: Its name; None where it has none.
    """

    cluster_id: int
    name: str | None

    def __str__(self) -> str:
        return f"{self.cluster_id}" if self.name is None else f"{self.cluster_id} {self.name!r}"


def dropped_clusters(
    former_ids: Sequence[int],
    ids: Collection[int],
    *,
    names: Mapping[int, str],
    decided: Collection[int],
) -> tuple[DroppedCluster, ...]:
    """The clusters that a person named, pinned or made, and that are there no more.

    Args:
        former_ids: The clusters before.
        ids: The clusters after.
        names: Names by cluster.
        decided: See `cluster_changes`.
    """
    return tuple(
        DroppedCluster(cluster_id, names.get(cluster_id))
        for cluster_id in sorted(former_ids)
        if cluster_id not in ids and (cluster_id in names or cluster_id in decided)
    )


def require_none_dropped(dropped: Sequence[DroppedCluster]) -> None:
    """Make sure that no cluster is lost that a person decided about.

    Raises:
        ClusteringError: One would be.
    """
    if not dropped:
        return
    count = len(dropped)
    clusters = f"{count} clusters" if count > 1 else "a cluster"
    listed = ", ".join(map(str, dropped[:_LISTED])) + (" ..." if count > _LISTED else "")
    raise ClusteringError(
        f"this recluster would drop {clusters} that you named, pinned or made: {listed}",
        "see what would change: --dry-run; drop them all the same: --drop-names (organizer undo "
        "brings them back)",
    )


def cluster_changes(
    former: Labels,
    labels: Labels,
    *,
    former_ids: Sequence[int],
    ids: Sequence[int],
    names: Mapping[int, str],
    decided: Collection[int],
) -> tuple[ClusterChange, ...]:
    """What changes for each cluster that was or is there, by id.

    Args:
        former: ``(n,)`` the cluster of each image before; NOISE for an unassigned or new one.
        labels: ``(n,)`` the cluster of each image after; NOISE for an unassigned one.
        former_ids: The clusters before.
        ids: The clusters after.
        names: Names by cluster.
        decided: The clusters that every clustering has, because a person decided so.
    """
    width = max([NOISE, *ids]) + 2  # NOISE is the first
    pairs, counts = np.unique((former + 1) * width + labels + 1, return_counts=True)
    moves = [
        (int(pair // width) - 1, int(pair % width) - 1, int(count))
        for pair, count in zip(pairs, counts, strict=True)
    ]
    found = []
    for cluster_id in sorted({*former_ids, *ids}):
        left = [(after, n) for before, after, n in moves if before == cluster_id]
        came = [(before, n) for before, after, n in moves if after == cluster_id]
        found.append(
            ClusterChange(
                cluster_id=cluster_id,
                name=names.get(cluster_id),
                is_decided=cluster_id in decided,
                before=sum(n for _, n in left),
                after=sum(n for _, n in came),
                stayed=sum(n for after, n in left if after == cluster_id),
                came_from=_others(came, cluster_id),
                went_to=_others(left, cluster_id),
            )
        )
    return tuple(found)


def _others(counts: Sequence[tuple[int, int]], cluster_id: int) -> ImageCounts:
    others = [pair for pair in counts if pair[0] != cluster_id]
    return tuple(sorted(others, key=lambda pair: (-pair[1], pair[0] == NOISE, pair[0])))
