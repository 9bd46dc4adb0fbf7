"""Places: one meaning, or none."""

from __future__ import annotations

import math

import pytest

from organizer.coordinates import degrees, degrees_of_xmp, place


@pytest.mark.parametrize("side", ["S", "s", "S\0", "S\0\0N", " South ", "SOUTH"])
def test_a_hemisphere_is_read_however_it_is_written(side: str) -> None:
    assert degrees((33, 51, 0), side, axis="latitude") == pytest.approx(-33.85)


@pytest.mark.parametrize("side", [None, "", "\0S", "E", "X", "S or N", "O", "-"])
def test_without_a_hemisphere_there_is_no_place(side: str | None) -> None:
    assert degrees((33, 51, 0), side, axis="latitude") is None


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        ((33.85, 0, 0), 33.85),
        ((33, 51.5, 0), 33 + 51.5 / 60),
        ((33, 59, 60), 34.0),
        ((90, 0, 0), 90.0),
        ((33, 61, 0), None),
        ((33, 0, 60.5), None),
        ((33.5, 30, 0), None),
        ((33, 30.5, 30), None),
        ((-33, 51, 0), None),
        ((33, math.nan, 0), None),
        ((math.inf, 0, 0), None),
        ((90, 0, 1), None),
        ((33, 51), None),
        ((), None),
    ],
)
def test_numbers_have_one_meaning_or_none(parts: tuple[float, ...], value: float | None) -> None:
    assert degrees(parts, "N", axis="latitude") == (value and pytest.approx(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("33,51.000000S", -33.85),
        ("33,51,0S", -33.85),
        ("33,51,30.5n", 33 + 51 / 60 + 30.5 / 3600),
        ("33,51,0000S", None),
        ("33,51.5", None),
        ("33.85", None),
        ("-33,51.0S", None),
        ("33,51.0E", None),
        ("nan", None),
        ("", None),
    ],
)
def test_xmp_has_commas_between_units(text: str, value: float | None) -> None:
    assert degrees_of_xmp(text, axis="latitude") == (value and pytest.approx(value))


def test_a_receiver_without_a_fix_gives_no_place() -> None:
    assert place(-33.85, 151.2, "V") == (None, None)
    assert place(-33.85, 151.2, "v\0") == (None, None)
    assert place(0.0, 0.0, None) == (None, None)
    assert place(0.0, 0.0, "A") == (0.0, 0.0)
    assert place(0.0, 32.5, None) == (0.0, 32.5)
    assert place(-33.85, None, "A") == (-33.85, None)
