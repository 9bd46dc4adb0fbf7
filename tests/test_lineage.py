"""Which cluster is which after a new clustering: laws for every pair of clusterings."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from organizer.cluster.lineage import match_clusters
from organizer.types import ClusterMerge, ClusterSplit, Labels, LineageReport


@dataclass(frozen=True)
class Pair:
    """Two clusterings of the same images: old ids, new rows."""

    old: Labels
    new: Labels
    old_ids: tuple[int, ...]
    k: int
    next_id: int

    def follow(self) -> tuple[Labels, LineageReport]:
        return match_clusters(
            self.old, self.new, old_ids=self.old_ids, k=self.k, next_id=self.next_id
        )


@st.composite
def _pairs(draw: st.DrawFn, most: int = 5) -> Pair:
    """Any pair, also with clusters of which no image is in both clusterings."""
    ids = draw(st.lists(st.integers(0, 40), min_size=1, max_size=most, unique=True))
    k = draw(st.integers(1, most))
    both = draw(
        st.lists(st.tuples(st.sampled_from(ids), st.integers(0, k - 1)), min_size=0, max_size=40)
    )
    next_id = max(ids) + draw(st.integers(1, 10))
    old = np.array([o for o, _ in both], dtype=np.int64)
    new = np.array([n for _, n in both], dtype=np.int64)
    return Pair(old, new, tuple(ids), k, next_id)


@given(_pairs())
def test_every_id_is_accounted_for(pair: Pair) -> None:
    new_ids, report = pair.follow()
    assert sorted(report.kept + report.retired) == sorted(pair.old_ids)
    assert sorted(report.kept + report.new) == sorted(new_ids.tolist())
    assert new_ids.shape == (pair.k,)


@given(_pairs())
def test_new_ids_are_unique_and_fresh_ones_were_never_used(pair: Pair) -> None:
    new_ids, report = pair.follow()
    assert len(set(new_ids.tolist())) == pair.k
    assert list(report.new) == list(range(pair.next_id, pair.next_id + len(report.new)))


@given(_pairs())
def test_moved_images_are_those_whose_id_changed(pair: Pair) -> None:
    new_ids, report = pair.follow()
    both = zip(pair.old.tolist(), pair.new.tolist(), strict=True)
    assert report.images_moved == sum(int(new_ids[new]) != old for old, new in both)


@given(_pairs(most=4))
def test_the_matching_keeps_as_many_images_as_any_matching_can(pair: Pair) -> None:
    new_ids, report = pair.follow()
    kept = {(int(i), row) for row, i in enumerate(new_ids.tolist()) if i in report.kept}
    counts = {
        (old, new): int(np.count_nonzero((pair.old == old) & (pair.new == new)))
        for old in pair.old_ids
        for new in range(pair.k)
    }
    best, matchings = _best_matchings(pair, counts)
    held = [frozenset(m for m in matching if _holds(m, pair, counts)) for matching in matchings]
    assert kept in held
    assert len(pair.old) - report.images_moved <= best


@given(_pairs())
def test_a_kept_cluster_shares_a_majority_with_what_it_was(pair: Pair) -> None:
    new_ids, report = pair.follow()
    for row, cluster_id in enumerate(new_ids.tolist()):
        if cluster_id in report.kept:
            was, now = pair.old == cluster_id, pair.new == row
            shared = np.count_nonzero(was & now)
            assert 2 * shared > min(np.count_nonzero(was), np.count_nonzero(now))


@given(_pairs())
def test_splits_and_merges_name_real_clusters(pair: Pair) -> None:
    new_ids, report = pair.follow()
    for split in report.split:
        assert split.cluster_id in pair.old_ids
        assert len(split.into) >= 2
        for part in split.into:
            row = new_ids.tolist().index(part)
            was = pair.old == split.cluster_id
            assert np.count_nonzero(was & (pair.new == row)) >= 0.2 * np.count_nonzero(was)
    for merge in report.merged:
        row = new_ids.tolist().index(merge.cluster_id)
        assert len(merge.sources) >= 2
        for source in merge.sources:
            was = pair.old == source
            assert 2 * np.count_nonzero(was & (pair.new == row)) > np.count_nonzero(was)


@given(st.data(), st.integers(1, 6))
def test_the_same_clusters_in_any_order_keep_everything(data: st.DataObject, k: int) -> None:
    ids = data.draw(st.lists(st.integers(0, 99), min_size=k, max_size=k, unique=True))
    order = data.draw(st.permutations(range(k)))
    extra = data.draw(st.lists(st.integers(0, k - 1), max_size=30))
    places = np.array([*range(k), *extra], dtype=np.int64)
    old, new = np.array(ids)[places], np.array(order, dtype=np.int64)[places]
    new_ids, report = match_clusters(old, new, old_ids=ids, k=k, next_id=100)
    assert report == LineageReport(kept=tuple(sorted(ids)))
    assert all(new_ids[order[place]] == ids[place] for place in range(k))


@settings(max_examples=30)
@given(st.integers(1, 30), st.integers(1, 30))
def test_identical_clusterings_move_no_image(a: int, b: int) -> None:
    labels = np.array([7] * a + [3] * b)
    rows = np.array([1] * a + [0] * b)
    new_ids, report = match_clusters(labels, rows, old_ids=[3, 7], k=2, next_id=8)
    assert new_ids.tolist() == [3, 7]
    assert report == LineageReport(kept=(3, 7))


@given(st.integers(2, 30), st.data())
def test_a_clean_split_keeps_the_id_on_the_larger_half(large: int, data: st.DataObject) -> None:
    small = data.draw(st.integers(max(1, (large + 3) // 4), large - 1))
    old = np.array([4] * (small + large) + [9] * 5)
    new = np.array([0] * small + [2] * large + [1] * 5)
    new_ids, report = match_clusters(old, new, old_ids=[4, 9], k=3, next_id=10)
    assert new_ids.tolist() == [10, 9, 4]
    assert report == LineageReport(
        kept=(4, 9), split=(ClusterSplit(4, (4, 10)),), new=(10,), images_moved=small
    )


@given(st.integers(2, 30), st.data())
def test_a_merge_keeps_the_id_of_the_larger_one(large: int, data: st.DataObject) -> None:
    small = data.draw(st.integers(1, large - 1))
    old = np.array([5] * small + [2] * large + [8] * 4)
    new = np.array([1] * (small + large) + [0] * 4)
    new_ids, report = match_clusters(old, new, old_ids=[2, 5, 8], k=2, next_id=9)
    assert new_ids.tolist() == [8, 2]
    assert report == LineageReport(
        kept=(2, 8), merged=(ClusterMerge(2, (2, 5)),), retired=(5,), images_moved=small
    )


def test_a_scattered_cluster_is_retired() -> None:
    old = np.array([1] * 6 + [2] * 30)
    new = np.array([0, 0, 1, 1, 2, 2] + [0] * 10 + [1] * 10 + [2] * 10)
    new_ids, report = match_clusters(old, new, old_ids=[1, 2], k=3, next_id=3)
    assert 1 in report.retired
    assert sorted(new_ids.tolist()) == [2, 3, 4]
    assert report.images_moved == 6 + 20


def test_the_first_clustering_has_only_new_clusters() -> None:
    nothing = np.empty(0, np.int64)
    new_ids, report = match_clusters(nothing, nothing, old_ids=[], k=3, next_id=1)
    assert new_ids.tolist() == [1, 2, 3]
    assert report == LineageReport(new=(1, 2, 3))


def _best_matchings(
    pair: Pair, counts: dict[tuple[int, int], int]
) -> tuple[int, list[list[tuple[int, int]]]]:
    """The largest overlap of a one-to-one matching, and all matchings that reach it."""
    old, new = list(pair.old_ids), list(range(pair.k))
    if len(old) <= len(new):
        every = [list(zip(old, chosen, strict=True)) for chosen in permutations(new, len(old))]
    else:
        every = [list(zip(chosen, new, strict=True)) for chosen in permutations(old, len(new))]
    totals = [sum(counts[match] for match in matching) for matching in every]
    best = max(totals)
    return best, [m for m, total in zip(every, totals, strict=True) if total == best]


def _holds(match: tuple[int, int], pair: Pair, counts: dict[tuple[int, int], int]) -> bool:
    old, new = match
    of_old = sum(counts[old, row] for row in range(pair.k))
    of_new = sum(counts[cluster_id, new] for cluster_id in pair.old_ids)
    return 2 * counts[match] > min(of_old, of_new)
