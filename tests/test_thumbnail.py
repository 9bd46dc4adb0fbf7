"""A thumbnail is the whole picture, small, upright as given, and nothing but pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from organizer.thumbnail import thumbnail


def _scene(width: int, height: int) -> NDArray[np.uint8]:
    """A slope of colour with a dark corner: no turn of it is the same."""
    across, down = np.meshgrid(np.linspace(60, 250, width), np.linspace(60, 250, height))
    pixels = np.stack([across, down, 255 - across], axis=2)
    pixels[: height // 4, : width // 4] = 0
    return pixels.astype(np.uint8)


def _opened(jpeg: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    return image


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 128))
def test_it_fits_and_keeps_the_proportions(width: int, height: int, side: int) -> None:
    found = thumbnail(_scene(width, height), side=side)
    assert _opened(found.jpeg).size == (found.width, found.height)
    assert max(found.width, found.height) == min(side, max(width, height))
    scale = max(found.width, found.height) / max(width, height)
    assert found.width == pytest.approx(max(1, width * scale), abs=0.51)
    assert found.height == pytest.approx(max(1, height * scale), abs=0.51)


def test_it_looks_like_the_picture() -> None:
    pixels = _scene(640, 480)
    found = _opened(thumbnail(pixels, side=96).jpeg)
    wanted = Image.fromarray(pixels).resize((96, 72), Image.Resampling.BOX)
    difference = np.abs(np.asarray(found, float) - np.asarray(wanted, float))
    assert difference.mean() < 4


def test_a_small_picture_is_not_enlarged() -> None:
    found = thumbnail(_scene(28, 20), side=96)
    assert (found.width, found.height) == (28, 20)


def test_it_holds_no_metadata() -> None:
    found = _opened(thumbnail(_scene(300, 200), side=96).jpeg)
    assert not found.getexif()
    assert set(found.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_pixels_may_be_a_view() -> None:
    pixels = _scene(60, 80)
    turned = pixels.swapaxes(0, 1)[::-1]
    assert thumbnail(turned, side=96) == thumbnail(np.ascontiguousarray(turned), side=96)
