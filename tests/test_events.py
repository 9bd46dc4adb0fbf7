"""Bursts and events of photos."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from organizer.events import group_in_time
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
