"""Bursts and events of photos."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.events import find_time_lapse, group_in_time
from organizer.settings import BURST_GAP, EVENT_GAP
from organizer.types import NOISE


def _at(seconds: int) -> str:
    return (datetime(2026, 5, 1) + timedelta(seconds=seconds)).isoformat()  # noqa: DTZ001


def test_photos_within_a_minute_of_the_next_are_one_burst() -> None:
    times = [_at(second) for second in (0, 50, 100, 161, 500)]
    assert group_in_time(times, ["A"] * 5, gap=BURST_GAP).tolist() == [0, 0, 0, 1, 2]
    assert group_in_time(times, ["A"] * 5, gap=EVENT_GAP).tolist() == [0] * 5


def test_two_cameras_are_never_one_burst() -> None:
    assert group_in_time([_at(0)] * 4, ["B", "A", "B", None], gap=BURST_GAP).tolist() == [
        2,
        1,
        2,
        0,
    ]


def test_a_photo_without_a_time_is_of_no_burst() -> None:
    assert group_in_time([None, _at(5), ""], ["A"] * 3, gap=BURST_GAP).tolist() == [NOISE, 0, NOISE]
    assert group_in_time([], [], gap=BURST_GAP).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 3_000), st.sampled_from("AB")), max_size=30))
def test_neighbours_in_time_share_a_burst_exactly_when_the_gap_is_short(
    photos: list[tuple[int, str]],
) -> None:
    found = group_in_time(
        [_at(second) for second, _ in photos], [camera for _, camera in photos], gap=BURST_GAP
    )
    ordered = sorted(range(len(photos)), key=lambda i: (photos[i][1], photos[i][0]))
    for one, other in pairwise(ordered):
        same_camera = photos[one][1] == photos[other][1]
        is_near = same_camera and photos[other][0] - photos[one][0] <= 60
        assert (found[one] == found[other]) == is_near


def _lapses(seconds: list[int], camera: str = "A") -> list[bool]:
    found = find_time_lapse([_at(s) for s in seconds], [camera] * len(seconds), gap=60)
    return [bool(one) for one in found]


@pytest.mark.parametrize("interval", [5, 10, 30, 60])
def test_photos_at_regular_intervals_are_time_lapse(interval: int) -> None:
    assert all(_lapses([interval * i for i in range(12)]))
    assert not any(_lapses([interval * i for i in range(11)]))


def test_what_a_trigger_takes_is_no_time_lapse() -> None:
    draw = np.random.default_rng(0)
    begins = np.cumsum(draw.integers(20, 400, 300))
    triggers = [int(begin) + 10 * i for begin in begins for i in range(3)]
    assert not any(_lapses(triggers))
    assert not any(_lapses(list(range(100))))
    assert not any(_lapses(np.cumsum(draw.integers(5, 60, 2_000)).tolist()))
    assert not any(_lapses([61 * i for i in range(50)]))


def test_triggers_in_a_time_lapse_keep_their_bursts() -> None:
    lapse = [30 * i for i in range(40)]
    triggers = [301, 302, 303, 702, 703, 704]
    times = [_at(second) for second in lapse + triggers]
    cameras = ["A"] * len(times)
    alone = find_time_lapse(times, cameras, gap=60)
    assert alone.tolist() == [True] * 40 + [False] * 6
    found = group_in_time(times, cameras, gap=60, alone=alone)
    assert len(set(found[:40].tolist())) == 40
    assert len(set(found[40:43].tolist())) == len(set(found[43:].tolist())) == 1
    assert sorted(set(found.tolist())) == list(range(42))


def test_a_clock_that_is_off_by_a_second_now_and_then_keeps_its_time_lapse() -> None:
    assert all(_lapses([30 * i + (i % 10 == 9) for i in range(40)]))
    assert not any(_lapses([30 * i + i % 2 for i in range(40)]))


def test_cameras_have_a_time_lapse_each() -> None:
    times = [_at(15 * i) for i in range(16)]
    assert not find_time_lapse(times, ["A", "B"] * 8, gap=60).any()
    assert not find_time_lapse([], [], gap=60).any()
    assert not find_time_lapse([None, None], ["A", None], gap=60).any()
