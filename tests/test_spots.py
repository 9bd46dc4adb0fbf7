"""Pictures on a map: none overlap, none is missing that had room, every cluster has its share."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from organizer.report.spots import spots
from organizer.types import NOISE, Labels

Points = NDArray[np.float32]

_COORDINATES = st.floats(-1, 1, width=32)


@st.composite
def maps(draw: st.DrawFn) -> tuple[Points, Labels, float, int]:
    n = draw(st.integers(0, 60))
    xy = draw(arrays(np.float32, (n, 2), elements=_COORDINATES))
    cluster_ids = draw(arrays(np.int64, n, elements=st.integers(NOISE, 4)))
    return xy, cluster_ids, draw(st.floats(0.01, 1.5)), draw(st.integers(0, 60))


def gaps(xy: Points, rows: Labels, row: int | np.integer) -> NDArray[np.float64]:
    """Chebyshev distances: squares of side s overlap where it is less than s."""
    points = xy.astype(np.float64)
    return np.asarray(np.abs(points[rows] - points[row]).max(axis=1))


@settings(max_examples=200, deadline=None)
@given(maps())
def test_pictures_do_not_overlap_and_none_is_missing(
    case: tuple[Points, Labels, float, int],
) -> None:
    xy, cluster_ids, size, limit = case
    rows = spots(xy, cluster_ids=cluster_ids, size=size, limit=limit)
    assert rows.dtype == np.int64
    assert len(rows) <= limit
    assert set(rows.tolist()) <= set(range(len(xy)))
    for place, row in enumerate(rows):
        assert (gaps(xy, np.delete(rows, place), row) >= size).all()
    if len(rows) < limit:
        for row in range(len(xy)):
            assert row in rows or (gaps(xy, rows, row) < size).any()
    again = spots(xy, cluster_ids=cluster_ids, size=size, limit=limit)
    assert np.array_equal(rows, again)


@settings(max_examples=100, deadline=None)
@given(maps())
def test_a_cluster_without_a_picture_had_no_room_beside_the_first_of_the_others(
    case: tuple[Points, Labels, float, int],
) -> None:
    xy, cluster_ids, size, _ = case
    rows = spots(xy, cluster_ids=cluster_ids, size=size, limit=len(xy))
    shown = cluster_ids[rows]
    firsts = np.array([rows[shown == i][0] for i in set(shown.tolist()) - {NOISE}], dtype=np.int64)
    for cluster_id in set(cluster_ids.tolist()) - set(shown.tolist()) - {NOISE}:
        for row in np.flatnonzero(cluster_ids == cluster_id):
            assert (gaps(xy, firsts, row) < size).any()


def _blobs(n: int, k: int, *, seed: int = 0) -> tuple[Points, Labels]:
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, k, n)
    centres = np.stack([np.cos(np.arange(k) * 2.4), np.sin(np.arange(k) * 2.4)], axis=1) * (
        np.sqrt(np.arange(1, k + 1) / k)[:, None] * 0.9
    )
    xy = centres[labels] + draw.normal(scale=0.02, size=(n, 2))
    return xy.astype(np.float32), labels


def test_the_first_picture_of_a_cluster_stands_in_its_middle() -> None:
    xy, labels = _blobs(2_000, 12)
    rows = spots(xy, cluster_ids=labels, size=0.05, limit=12)
    assert sorted(labels[rows].tolist()) == list(range(12))
    for row in rows:
        mine = xy[labels == labels[row]]
        assert np.linalg.norm(xy[row] - np.median(mine, axis=0)) < 0.01


def test_outliers_come_last() -> None:
    xy, labels = _blobs(500, 3)
    xy[7] = 1, -1
    few = spots(xy, cluster_ids=labels, size=0.04, limit=9)
    assert 7 not in few
    assert 7 in spots(xy, cluster_ids=labels, size=0.04, limit=500)


def test_a_limit_is_shared_among_the_clusters() -> None:
    xy, labels = _blobs(3_000, 10)
    rows = spots(xy, cluster_ids=labels, size=0.02, limit=40)
    assert np.bincount(labels[rows]).tolist() == [4] * 10
    assert len(set(labels[rows[:10]].tolist())) == 10


def test_what_is_in_no_cluster_comes_after_the_clusters() -> None:
    xy, labels = _blobs(400, 4)
    labels[labels == 3] = NOISE
    rows = spots(xy, cluster_ids=labels, size=0.03, limit=400)
    shown = labels[rows]
    assert (shown == NOISE).any()
    assert (np.diff((shown == NOISE).astype(int)) >= 0).all()


@pytest.mark.slow
def test_twenty_thousand_points_take_no_time() -> None:
    xy, labels = _blobs(20_000, 50)
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        spots(xy, cluster_ids=labels, size=0.05, limit=400)
        taken.append(time.perf_counter() - began)
    assert min(taken) < 1
