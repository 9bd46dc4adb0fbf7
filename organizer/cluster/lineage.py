"""Which new cluster is which old one: ids and names follow the images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from organizer.types import Labels, LineageReport, Merge, Split

_MAJORITY = 0.5
_GOOD_PART = 0.2
"""Share of an old cluster that a new one must hold to count as a part of a split."""


def follow(
    old_labels: Labels,
    new_labels: Labels,
    *,
    old_ids: Sequence[int],
    k: int,
    next_id: int,
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

    Returns:
        ``(k,)`` the id of each new row, and what became of the old clusters.
    """
    ids = np.array(sorted(old_ids), dtype=np.int64)
    overlap = _overlap(np.searchsorted(ids, old_labels), new_labels, len(ids), k)
    matched = _matches(overlap)
    new_ids = np.empty(k, dtype=np.int64)
    for row in range(k):
        if row in matched:
            new_ids[row] = ids[matched[row]]
        else:
            new_ids[row], next_id = next_id, next_id + 1
    moved = int(np.count_nonzero(new_ids[new_labels] != old_labels)) if len(old_labels) else 0
    return new_ids, _report(overlap, ids, new_ids, matched, moved)


def _overlap(old: Labels, new: Labels, n_old: int, n_new: int) -> NDArray[np.int64]:
    counts = (
        np.bincount(old * n_new + new, minlength=n_old * n_new)
        if len(old)
        else np.zeros(n_old * n_new, dtype=np.int64)
    )
    return counts.reshape(n_old, n_new)


def _matches(overlap: NDArray[np.int64]) -> dict[int, int]:
    """New row -> old row, for the matches that hold."""
    from scipy.optimize import linear_sum_assignment

    of_old, of_new = overlap.sum(axis=1), overlap.sum(axis=0)
    old_rows, new_rows = linear_sum_assignment(overlap, maximize=True)
    return {
        int(new): int(old)
        for old, new in zip(old_rows, new_rows, strict=True)
        if overlap[old, new] > _MAJORITY * min(of_old[old], of_new[new])
    }


def _report(
    overlap: NDArray[np.int64],
    old_ids: Labels,
    new_ids: Labels,
    matched: dict[int, int],
    moved: int,
) -> LineageReport:
    kept = {int(old_ids[old]) for old in matched.values()}
    of_old = np.maximum(overlap.sum(axis=1, keepdims=True), 1)
    good_part = overlap >= _GOOD_PART * of_old
    most = overlap > _MAJORITY * of_old
    split = [
        Split(int(old_ids[old]), tuple(sorted(int(i) for i in new_ids[good_part[old]])))
        for old in range(len(old_ids))
        if overlap[old].any() and np.count_nonzero(good_part[old]) > 1
    ]
    merged = [
        Merge(int(new_ids[new]), tuple(int(i) for i in old_ids[most[:, new]]))
        for new in range(len(new_ids))
        if np.count_nonzero(most[:, new]) > 1
    ]
    return LineageReport(
        kept=tuple(sorted(kept)),
        split=tuple(split),
        merged=tuple(sorted(merged, key=lambda merge: merge.cluster_id)),
        born=tuple(sorted({int(i) for i in new_ids} - kept)),
        retired=tuple(sorted({int(i) for i in old_ids} - kept)),
        images_moved=moved,
    )
