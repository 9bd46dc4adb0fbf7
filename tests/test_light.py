"""How bright a picture is and how much colour it has."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.light import INFRARED_BELOW, is_infrared, measure_light


def test_black_white_and_the_primaries_have_the_luma_of_the_standard() -> None:
    for colour, luma in {
        (0, 0, 0): 0.0,
        (255, 255, 255): 1.0,
        (255, 0, 0): 0.299,
        (0, 255, 0): 0.587,
        (0, 0, 255): 0.114,
    }.items():
        pixels = np.full((9, 7, 3), colour, dtype=np.uint8)
        assert measure_light(pixels).brightness == pytest.approx(luma, abs=1e-6)


@given(st.integers(0, 99), st.floats(0.4, 1.0), st.floats(0.4, 1.0), st.integers(-20, 20))
def test_any_single_tint_is_infrared(seed: int, red: float, blue: float, shift: int) -> None:
    grey = np.random.default_rng(seed).integers(30, 220, (60, 80, 1)).astype(np.float64)
    tinted = grey * [red, 1.0, blue] + [shift, 0, -shift]
    found = measure_light(np.clip(np.round(tinted), 0, 255).astype(np.uint8))
    assert is_infrared(found.chroma)


def test_colours_are_not_infrared() -> None:
    pixels = np.zeros((40, 40, 3), dtype=np.uint8)
    pixels[:, :20], pixels[:, 20:] = (120, 90, 60), (60, 100, 60)
    pixels[::2] += 25
    found = measure_light(pixels)
    assert found.chroma > INFRARED_BELOW
    assert not is_infrared(found.chroma)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (3_000, 2, 3)])
def test_odd_shapes_are_measured_too(shape: tuple[int, int, int]) -> None:
    found = measure_light(np.full(shape, 128, dtype=np.uint8))
    assert found.chroma == pytest.approx(0, abs=1e-6)
    assert found.brightness == pytest.approx(128 / 255, abs=1e-6)


def test_what_was_not_measured_is_not_infrared() -> None:
    assert not is_infrared(math.nan)
