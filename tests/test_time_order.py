"""The order of photos in time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.library.images.time_order import natural_names, time_keys

_TEN, _ELEVEN = "2024-05-01T10:00:00", "2024-05-01T11:00:00"


def _order(
    names: list[str],
    *,
    at: list[str | None] | None = None,
    subseconds: list[float] | None = None,
    cameras: list[str] | None = None,
) -> list[str]:
    keys = time_keys(
        at or [_TEN] * len(names),
        cameras or ["A"] * len(names),
        np.array(subseconds or [np.nan] * len(names)),
        names,
    )
    return [names[i] for i in sorted(range(len(names)), key=keys.__getitem__)]


def test_times_count_first_and_unknown_ones_are_last() -> None:
    assert _order(["a.jpg", "b.jpg", "c.jpg"], at=[None, _ELEVEN, _TEN]) == [
        "c.jpg",
        "b.jpg",
        "a.jpg",
    ]


def test_the_fraction_of_a_second_counts_before_names() -> None:
    assert _order(["1.jpg", "2.jpg", "3.jpg"], subseconds=[0.5, 0.25, 0.0]) == [
        "3.jpg",
        "2.jpg",
        "1.jpg",
    ]
    unknown = [0.5, np.nan, 0.0]
    assert _order(["1.jpg", "2.jpg", "3.jpg"], subseconds=unknown) == ["1.jpg", "2.jpg", "3.jpg"]


@pytest.mark.parametrize(
    "names",
    [
        ["x/IMG_9.JPG", "x/IMG_10.JPG", "x/IMG_11.JPG"],
        ["x/IMG_9998.JPG", "x/IMG_9999.JPG", "x/IMG_0001.JPG", "x/IMG_0002.JPG"],
        ["x/100/IMG_9999.JPG", "x/101/IMG_0001.JPG"],
        ["x/100/IMG_0999.JPG", "x/101/IMG_1000.JPG"],
        ["x/DSC09999_a.JPG", "x/DSC10000_a.JPG"],
        ["x/IMG_0001 2.JPG", "x/IMG_0001 10.JPG"],
        ["x/IMG_0100.JPG", "x/IMG_4000.JPG"],
    ],
)
def test_names_are_in_the_order_in_which_a_camera_counts(names: list[str]) -> None:
    assert _order(names[::-1]) == names


def test_photos_of_two_cameras_are_not_mixed() -> None:
    names = ["IMG_0001.JPG", "IMG_0002.JPG", "IMG_9999.JPG"]
    assert _order(names, cameras=["B", "A", "B"]) == [names[1], names[2], names[0]]


def test_what_nothing_tells_apart_has_one_key() -> None:
    keys = time_keys([_TEN] * 3, ["A"] * 3, np.full(3, np.nan), ["a.jpg", "b.jpg", "a.jpg"])
    assert keys[0] == keys[2] < keys[1]
    assert time_keys([], [], np.empty(0), []) == []


@given(st.lists(st.integers(0, 99_999), min_size=2, max_size=8, unique=True))
def test_numbers_sort_as_numbers(numbers: list[int]) -> None:
    mixed = ["IMG_0.JPG", "IMG_10.JPG", *(f"IMG_{number}.JPG" for number in numbers)]
    found = natural_names(mixed)[2:]
    assert [n for _, n in sorted(zip(found, numbers, strict=True))] == sorted(numbers)
