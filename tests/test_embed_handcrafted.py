from __future__ import annotations

import colorsys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import convolve
from skimage.feature import hog as histograms
from skimage.filters import gabor_kernel

from organizer.embed.handcrafted import FeatureFactory, gabor, hog, hsv, raw
from organizer.protocols import Describable, Embedder, ReducedInput, Versioned

_ALL = [raw, hog, hsv, gabor]
_DIMS = {"raw": 32 * 32 * 3, "hog": 7 * 7 * 2 * 2 * 9, "hsv": 16 * 4 * 4, "gabor": 2 * 4 * 6}


@pytest.fixture(params=_ALL, ids=lambda factory: factory.name)
def factory(request: pytest.FixtureRequest) -> FeatureFactory:
    found: FeatureFactory = request.param
    return found


def _noise(seed: int, height: int = 90, width: int = 160) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _plain(colour: tuple[int, int, int], side: int = 128) -> NDArray[np.uint8]:
    return np.full((side, side, 3), colour, np.uint8)


def _waves(degrees: float, cycles: float) -> NDArray[np.uint8]:
    """A grating of 128 x 128: `cycles` a pixel, along a direction."""
    rows, columns = np.mgrid[:128, :128]
    turn = np.deg2rad(degrees)
    wave = np.cos(2 * np.pi * cycles * (columns * np.cos(turn) + rows * np.sin(turn)))
    grey = (127 + 120 * wave).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def test_it_keeps_the_contracts(factory: FeatureFactory) -> None:
    embedder = factory()
    assert isinstance(embedder, Embedder)
    assert isinstance(embedder, ReducedInput)
    assert isinstance(embedder, Versioned)
    assert isinstance(factory, Describable)
    info = factory.describe()
    assert (info.name, info.dim, info.weights) == (factory.name, embedder.dim, "none needed")
    assert embedder.dim == _DIMS[factory.name]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    grain=st.integers(1, 40),
)
@pytest.mark.parametrize("name", _DIMS)
def test_any_picture_gives_a_finite_vector(
    name: str, seed: int, height: int, width: int, grain: int
) -> None:
    made = {factory.name: factory for factory in _ALL}[name]()
    coarse = _noise(seed, -(-height // grain), -(-width // grain))
    picture = coarse.repeat(grain, 0).repeat(grain, 1)[:height, :width]
    (vector,) = made.embed([made.prepare(picture)])
    assert vector.dtype == np.float32
    assert vector.shape == (_DIMS[name],)
    assert np.isfinite(vector).all()
    assert vector.min() >= 0
    if name != "raw":
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5) or not vector.any()


def test_rows_are_in_the_order_of_the_pictures(factory: FeatureFactory) -> None:
    embedder = factory()
    prepared = [embedder.prepare(_noise(seed)) for seed in range(4)]
    np.testing.assert_array_equal(embedder.embed(prepared), np.stack(prepared))
    assert embedder.embed([]).shape == (0, embedder.dim)
    assert embedder.embed([]).dtype == np.float32


def test_threads_give_what_one_gives(factory: FeatureFactory) -> None:
    pictures = [_noise(seed) for seed in range(12)]
    with ThreadPoolExecutor(4) as pool:  # a new embedder: its first use is on threads
        together = list(pool.map(factory().prepare, pictures))
    np.testing.assert_array_equal(together, [factory().prepare(picture) for picture in pictures])


def test_the_picture_is_left_as_it_is(factory: FeatureFactory) -> None:
    pixels = _noise(3)
    before = pixels.copy()
    factory().prepare(pixels)
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("shape", [(90, 160), (32, 32), (5, 1000)])
def test_raw_pixels_are_those_of_the_resized_picture(shape: tuple[int, int]) -> None:
    pixels = _noise(2, *shape)
    resized = np.asarray(Image.fromarray(pixels).resize((32, 32), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(raw().prepare(pixels), resized.ravel() / 255, atol=1e-7)


@pytest.mark.parametrize("shape", [(90, 160), (128, 128), (30, 20), (300, 500)])
def test_contours_are_those_of_scikit_image(shape: tuple[int, int]) -> None:
    pixels = _noise(1, *shape)
    grey = Image.fromarray(pixels).resize((128, 128), Image.Resampling.BILINEAR).convert("L")
    expected = histograms(
        np.asarray(grey),
        orientations=9,
        pixels_per_cell=(16, 16),
        cells_per_block=(2, 2),
        block_norm="L2-Hys",
    )
    expected /= np.linalg.norm(expected)
    np.testing.assert_allclose(hog().prepare(pixels), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "colour", [(250, 10, 10), (10, 240, 30), (30, 60, 220), (128, 128, 128), (255, 255, 255)]
)
def test_one_colour_falls_into_one_bin(colour: tuple[int, int, int]) -> None:
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in colour))
    bins = [min(int(x * n), n - 1) for x, n in ((hue, 16), (saturation, 4), (value, 4))]
    colours = hsv().prepare(_plain(colour)).reshape(16, 4, 4)
    assert colours[tuple(bins)] == pytest.approx(1)
    assert np.count_nonzero(colours) == 1


def test_colours_count_as_square_roots_of_shares() -> None:
    pixels = _plain((250, 10, 10))
    pixels[:32] = 10, 240, 30
    colours = np.sort(hsv().prepare(pixels))[::-1]
    np.testing.assert_allclose(colours[:2], np.sqrt([0.75, 0.25]), atol=1e-6)


def test_colours_do_not_mind_a_mirror() -> None:
    pixels = _noise(4, 128, 128)
    mirrored = pixels[:, ::-1].copy()
    np.testing.assert_array_equal(hsv().prepare(pixels), hsv().prepare(mirrored))
    assert np.abs(hog().prepare(pixels) - hog().prepare(mirrored)).max() > 0.01


@pytest.mark.parametrize("value", [0, 1, 127, 255])
@pytest.mark.parametrize("factory", [hog, gabor], ids=lambda f: f.name)
def test_one_colour_has_neither_contours_nor_texture(factory: FeatureFactory, value: int) -> None:
    assert not factory().prepare(_plain((value, value, value), 40)).any()


def test_texture_is_the_response_to_gabor_filters() -> None:
    pixels = _noise(6, 128, 128)
    grey = np.asarray(Image.fromarray(pixels).convert("L"), dtype=np.float64)
    grey -= grey.mean()
    means, deviations = [], []
    for frequency in (0.05, 0.1, 0.2, 0.4):
        for turn in range(6):
            kernel = gabor_kernel(frequency, theta=turn * np.pi / 6)
            parts = [convolve(grey, part, mode="wrap") for part in (kernel.real, kernel.imag)]
            response = np.hypot(*parts)
            means.append(response.mean())
            deviations.append(response.std())
    expected = np.array(means + deviations)
    expected /= np.linalg.norm(expected)
    np.testing.assert_allclose(gabor().prepare(pixels), expected, atol=1e-6)


@pytest.mark.parametrize("turn", range(6))
@pytest.mark.parametrize(("row", "cycles"), [(1, 0.1), (2, 0.2)])
def test_waves_are_answered_by_the_filter_of_their_direction(
    row: int, cycles: float, turn: int
) -> None:
    means = gabor().prepare(_waves(30 * turn, cycles))[:24].reshape(4, 6)
    assert divmod(int(means.argmax()), 6) == (row, turn)


def test_like_pictures_lie_nearer_than_unlike_ones() -> None:
    stripes = np.zeros((128, 128, 3), np.uint8)
    stripes[:, ::16] = stripes[:, 1::16] = 255
    shaken = np.clip(stripes + np.random.default_rng(0).normal(0, 5, stripes.shape), 0, 255)
    turned = stripes.swapaxes(0, 1).copy()
    for factory in (hog, gabor):
        first, like, unlike = (
            factory().prepare(picture) for picture in (stripes, shaken.astype(np.uint8), turned)
        )
        assert np.dot(first, like) > np.dot(first, unlike) + 0.1, factory.name
