"""Which new cluster is which old one: ids and names follow the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from organizer.types import NOISE, ClusterMerge, ClusterSplit, Labels, LineageReport

_MAJORITY = 0.5
_GOOD_PART = 0.2
"""Share of an old cluster that a new one must hold to count as a part of a split."""


def match_clusters(
    old_labels: Labels,
    new_labels: Labels,
    *,
    old_ids: Sequence[int],
    k: int,
    next_id: int,
    decided: Mapping[int, int] | None = None,
) -> tuple[Labels, LineageReport]:
    """Give new clusters the ids of the old ones that they continue.

    New and old are matched one to one so that as many images as possible stay under their id (the
    assignment problem, Kuhn 1955, as solved by scipy). A match holds where the new cluster has the
    majority of the old one's images, or the old one the majority of the new one's.

    Args:
        old_labels: ``(m,)`` old cluster id of each image that is in both clusterings.
        new_labels: ``(m,)`` new row, 0 to k - 1, of the same images.
        old_ids: The ids of all old clusters.
        k: Number of new clusters.
        next_id: The first id that was never used.
        decided: New rows whose id follows from a person's decisions.

    Returns:
        ``(k,)`` the id of each new row, and what became of the old clusters.
    """
    ids = np.array(sorted(old_ids), dtype=np.int64)
    overlap = _overlap(np.searchsorted(ids, old_labels), new_labels, len(ids), k)
    given = decided or {}
    matched = _matches(overlap, ids, given)
    new_ids = np.empty(k, dtype=np.int64)
    for row in range(k):
        if row in given:
            new_ids[row] = given[row]
        elif row in matched:
            new_ids[row] = ids[matched[row]]
        else:
            new_ids[row], next_id = next_id, next_id + 1
    return new_ids, compare_clusterings(
        old_labels, new_ids[new_labels], old_ids=old_ids, new_ids=new_ids.tolist()
    )


def compare_clusterings(
    old_labels: Labels, new_labels: Labels, *, old_ids: Sequence[int], new_ids: Sequence[int]
) -> LineageReport:
    """What became of the old clusters, where the new ones have their ids.

    Args:
        old_labels: ``(m,)`` old cluster id of each image that was in a cluster.
        new_labels: ``(m,)`` its new cluster id; NOISE where it is in none.
        old_ids: The ids of all old clusters.
        new_ids: The ids of all new clusters.
    """
    old, new = (np.array(sorted(ids), dtype=np.int64) for ids in (old_ids, new_ids))
    old_rows, inside = np.searchsorted(old, old_labels), new_labels != NOISE
    overlap = _overlap(
        old_rows[inside], np.searchsorted(new, new_labels[inside]), len(old), len(new)
    )
    of_old = np.bincount(old_rows, minlength=len(old))
    moved = int(np.count_nonzero(new_labels != old_labels))
    return _report(overlap, of_old, old, new, moved)


def compare_changed(
    counts: Mapping[int, int],
    old_labels: Labels,
    new_labels: Labels,
    *,
    new_ids: Sequence[int],
) -> LineageReport:
    """As `compare_clusterings`, where only some images may have moved: it costs what moved.

    Args:
        counts: The number of images of each old cluster.
        old_labels: ``(m,)`` old cluster id of each image that may have moved; NOISE for none.
        new_labels: ``(m,)`` its new cluster id; NOISE for none.
        new_ids: The ids of all new clusters.
    """
    changed = (old_labels != NOISE) & (old_labels != new_labels)
    old_labels, new_labels = old_labels[changed], new_labels[changed]
    concerned = np.union1d(old_labels, new_labels[new_labels != NOISE])
    new = np.array([i for i in concerned.tolist() if i in set(new_ids)], dtype=np.int64)
    old = np.array([i for i in concerned.tolist() if i in counts], dtype=np.int64)
    of_old = np.array([counts[i] for i in old.tolist()], dtype=np.int64)
    old_rows, inside = np.searchsorted(old, old_labels), new_labels != NOISE
    overlap = _overlap(
        old_rows[inside], np.searchsorted(new, new_labels[inside]), len(old), len(new)
    )
    stayed = of_old - np.bincount(old_rows, minlength=len(old))
    for row, cluster_id in enumerate(old.tolist()):
        if cluster_id in new:
            overlap[row, np.searchsorted(new, cluster_id)] += stayed[row]
    report = _report(overlap, of_old, old, new, len(old_labels))
    kept = counts.keys() & set(new_ids)
    return replace(
        report,
        kept=tuple(sorted(kept)),
        new=tuple(sorted(set(new_ids) - kept)),
        retired=tuple(sorted(counts.keys() - kept)),
    )


def _report(
    overlap: NDArray[np.int64], counts: Labels, old: Labels, new: Labels, images_moved: int
) -> LineageReport:
    """What became of old clusters, from the number of images in each old and new one."""
    kept = set(old.tolist()) & set(new.tolist())
    of_old = np.maximum(counts, 1)[:, None]
    good_part = overlap >= _GOOD_PART * of_old
    most = overlap > _MAJORITY * of_old
    return LineageReport(
        kept=tuple(sorted(kept)),
        split=tuple(
            ClusterSplit(int(old[row]), tuple(new[good_part[row]].tolist()))
            for row in range(len(old))
            if overlap[row].any() and np.count_nonzero(good_part[row]) > 1
        ),
        merged=tuple(
            ClusterMerge(int(new[row]), tuple(old[most[:, row]].tolist()))
            for row in range(len(new))
            if np.count_nonzero(most[:, row]) > 1
        ),
        new=tuple(sorted(set(new.tolist()) - kept)),
        retired=tuple(sorted(set(old.tolist()) - kept)),
        images_moved=images_moved,
    )


def _overlap(old: Labels, new: Labels, n_old: int, n_new: int) -> NDArray[np.int64]:
    counts = (
        np.bincount(old * n_new + new, minlength=n_old * n_new)
        if len(old)
        else np.zeros(n_old * n_new, dtype=np.int64)
    )
    return counts.reshape(n_old, n_new)


def _matches(
    overlap: NDArray[np.int64], old_ids: Labels, decided: Mapping[int, int]
) -> dict[int, int]:
    """New row -> old row, for the matches that hold and those that are decided."""
    from scipy.optimize import linear_sum_assignment

    of_old, of_new = overlap.sum(axis=1), overlap.sum(axis=0)
    free = overlap.copy()
    free[np.isin(old_ids, list(decided.values())), :] = 0
    free[:, list(decided)] = 0
    old_rows, new_rows = linear_sum_assignment(free, maximize=True)
    matched = {
        int(new): int(old)
        for old, new in zip(old_rows, new_rows, strict=True)
        if free[old, new] > _MAJORITY * min(of_old[old], of_new[new])
    }
    place = {int(cluster_id): row for row, cluster_id in enumerate(old_ids)}
    return matched | {row: place[i] for row, i in decided.items() if i in place}
