"""What a recluster changes for each cluster, in images, told before it is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.library import Library
from organizer.library.clustering.changes import ClusterChange, cluster_changes
from organizer.types import NOISE
from tests.cards import blobs, fill, ids_of, library_at, where

_LABELS = st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 6)), min_size=1, max_size=60)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Four clusters of 20, one of them named and one pinned."""
    with library_at(tmp_path) as opened:
        fill(opened, ids_of(range(80)), blobs([20, 20, 20, 20]))
        opened.recluster(k=4, reduce="none")
        at = where(opened)
        third, fourth = (at[i] for i in ids_of([40, 60]))
        opened.corrections.rename(third, "Fox")
        opened.corrections.pin(fourth)
        yield opened


def test_a_dry_run_tells_what_the_recluster_then_does(library: Library) -> None:
    told = library.recluster(k=3, reduce="none", dry_run=True)
    before = where(library)
    done = library.recluster(k=3, reduce="none")
    after = where(library)
    assert told.changes == done.changes
    assert told.changes, "there was a clustering before"
    for change in told.changes:
        was = {i for i, cluster_id in before.items() if cluster_id == change.cluster_id}
        now = {i for i, cluster_id in after.items() if cluster_id == change.cluster_id}
        assert (change.before, change.after) == (len(was), len(now))
        assert change.stayed == len(was & now)
        assert {c for c, _ in change.went_to} == {after[i] for i in was - now}
        assert {c for c, _ in change.came_from} == {before[i] for i in now - was}
    retired = [c for c in told.changes if c.cluster_id in told.lineage.retired]
    assert [(c.after, c.stayed, c.is_decided) for c in retired] == [(0, 0, False)]
    assert {c.name for c in told.changes if c.is_decided} == {"Fox", None}


def test_what_nobody_decided_about_is_not_at_risk(library: Library) -> None:
    report = library.recluster(k=2, reduce="none", dry_run=True)
    assert all(change.is_decided for change in report.at_risk)
    assert all(change.name == "Fox" or change.is_decided for change in report.at_risk)
    again = library.recluster(k=4, reduce="none", dry_run=True)
    assert again.at_risk == (), "nothing moves"


def test_a_name_whose_images_go_elsewhere_is_at_risk(tmp_path: Path) -> None:
    with library_at(tmp_path) as opened:
        fill(opened, ids_of(range(250)), blobs([100, 100, 50]))
        opened.recluster(k=2, reduce="none")
        mixed, plain = (cluster.id for cluster in opened.clusters)  # the larger is first
        opened.corrections.rename(mixed, "Fox")
        opened.corrections.rename(plain, "Owl")
        report = opened.recluster(k=3, reduce="none", dry_run=True)
    (fox,) = report.at_risk
    assert (fox.cluster_id, fox.name, fox.is_decided) == (mixed, "Fox", True)
    ((new_id, gone),) = fox.went_to
    assert (fox.before, fox.after, fox.stayed) == (150, 150 - gone, 150 - gone)
    assert gone >= 150 / 5
    new = next(change for change in report.changes if change.cluster_id == new_id)
    assert (new.name, new.before, new.after, new.came_from) == (None, 0, gone, ((mixed, gone),))


def test_a_first_clustering_changes_nothing(tmp_path: Path) -> None:
    with library_at(tmp_path) as opened:
        fill(opened, ids_of(range(40)), blobs([20, 20]))
        assert opened.recluster(k=2).changes == ()


@pytest.mark.parametrize(
    ("before", "after", "stayed", "is_decided", "at_risk"),
    [
        (100, 81, 81, True, False),  # it loses less than a fifth
        (100, 80, 80, True, True),
        (100, 80, 80, False, False),
        (100, 200, 100, True, False),  # as many come as were there
        (100, 201, 100, True, True),
        (100, 0, 0, True, True),
        (0, 50, 0, True, False),  # there was nothing to lose
    ],
)
def test_at_risk_is_what_loses_a_fifth_or_is_mostly_new(
    before: int, after: int, stayed: int, *, is_decided: bool, at_risk: bool
) -> None:
    change = ClusterChange(1, None, is_decided, before, after, stayed)
    assert change.is_at_risk is at_risk


@given(_LABELS)
def test_every_image_is_counted_where_it_was_and_where_it_is(pairs: list[tuple[int, int]]) -> None:
    former, labels = (np.array(part, dtype=np.int64) for part in zip(*pairs, strict=True))
    former_ids, ids = ({i for i in part.tolist() if i != NOISE} for part in (former, labels))
    found = cluster_changes(
        former, labels, former_ids=sorted(former_ids), ids=sorted(ids), names={}, decided=()
    )
    assert [change.cluster_id for change in found] == sorted(former_ids | ids)
    for change in found:
        assert change.before == sum(1 for was, _ in pairs if was == change.cluster_id)
        assert change.after == sum(1 for _, now in pairs if now == change.cluster_id)
        assert change.stayed + sum(n for _, n in change.went_to) == change.before
        assert change.stayed + sum(n for _, n in change.came_from) == change.after
        for other, count in change.went_to:
            assert count == pairs.count((change.cluster_id, other))
        numbers = [n for _, n in change.went_to]
        assert numbers == sorted(numbers, reverse=True)
