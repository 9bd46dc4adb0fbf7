from __future__ import annotations

import colorsys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.feature import hog

from organizer.embed.handcrafted import HogHsvEmbedder, hog_hsv
from organizer.protocols import Describable, Embedder, ReducedInput, Versioned

_HOG = 7 * 7 * 2 * 2 * 9  # blocks of 2 x 2 cells with 9 orientations, 8 x 8 cells
_HSV = 16 * 4 * 4


@pytest.fixture(scope="module")
def embedder() -> HogHsvEmbedder:
    return hog_hsv()


def _noise(seed: int, height: int = 90, width: int = 160) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _plain(colour: tuple[int, int, int], side: int = 128) -> NDArray[np.uint8]:
    return np.full((side, side, 3), colour, np.uint8)


def test_it_keeps_the_contracts(embedder: HogHsvEmbedder) -> None:
    assert isinstance(embedder, Embedder)
    assert isinstance(embedder, ReducedInput)
    assert isinstance(embedder, Versioned)
    assert isinstance(hog_hsv, Describable)


def test_a_vector_has_contours_and_colours(embedder: HogHsvEmbedder) -> None:
    vectors = embedder.embed([embedder.prepare(_noise(0))])
    assert vectors.shape == (1, _HOG + _HSV)
    assert vectors.dtype == np.float32
    assert embedder.dim == _HOG + _HSV


def test_what_it_tells_of_itself_is_true(embedder: HogHsvEmbedder) -> None:
    info = hog_hsv.describe()
    assert (info.name, info.dim, info.weights) == ("hog+hsv", embedder.dim, "none needed")


@pytest.mark.parametrize("seed", range(3))
def test_each_block_is_of_unit_length(embedder: HogHsvEmbedder, seed: int) -> None:
    vector = embedder.prepare(_noise(seed))
    assert np.linalg.norm(vector[:_HOG]) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(vector[_HOG:]) == pytest.approx(1, abs=1e-5)
    assert vector.min() >= 0


@pytest.mark.parametrize("shape", [(90, 160), (128, 128), (30, 20), (300, 500)])
def test_contours_are_those_of_scikit_image(
    embedder: HogHsvEmbedder, shape: tuple[int, int]
) -> None:
    pixels = _noise(1, *shape)
    grey = Image.fromarray(pixels).resize((128, 128), Image.Resampling.BILINEAR).convert("L")
    expected = hog(
        np.asarray(grey),
        orientations=9,
        pixels_per_cell=(16, 16),
        cells_per_block=(2, 2),
        block_norm="L2-Hys",
    )
    expected /= np.linalg.norm(expected)
    np.testing.assert_allclose(embedder.prepare(pixels)[:_HOG], expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "colour", [(250, 10, 10), (10, 240, 30), (30, 60, 220), (128, 128, 128), (255, 255, 255)]
)
def test_one_colour_falls_into_one_bin(
    embedder: HogHsvEmbedder, colour: tuple[int, int, int]
) -> None:
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in colour))
    bins = [min(int(x * n), n - 1) for x, n in ((hue, 16), (saturation, 4), (value, 4))]
    colours = embedder.prepare(_plain(colour))[_HOG:].reshape(16, 4, 4)
    assert colours[tuple(bins)] == pytest.approx(1)
    assert np.count_nonzero(colours) == 1


def test_colours_count_as_square_roots_of_shares(embedder: HogHsvEmbedder) -> None:
    pixels = _plain((250, 10, 10))
    pixels[:32] = 10, 240, 30
    colours = np.sort(embedder.prepare(pixels)[_HOG:])[::-1]
    np.testing.assert_allclose(colours[:2], np.sqrt([0.75, 0.25]), atol=1e-6)


@pytest.mark.parametrize("value", [0, 1, 127, 255])
def test_a_picture_of_one_colour_has_no_contours_and_is_finite(
    embedder: HogHsvEmbedder, value: int
) -> None:
    vector = embedder.prepare(_plain((value, value, value), 40))
    assert np.isfinite(vector).all()
    assert not vector[:_HOG].any()
    assert np.linalg.norm(vector[_HOG:]) == pytest.approx(1)


def test_the_same_picture_gives_the_same_vector(embedder: HogHsvEmbedder) -> None:
    pixels = _noise(3)
    before = pixels.copy()
    first = embedder.prepare(pixels)
    np.testing.assert_array_equal(first, hog_hsv().prepare(pixels))
    np.testing.assert_array_equal(pixels, before)


def test_threads_give_what_one_gives(embedder: HogHsvEmbedder) -> None:
    pictures = [_noise(seed) for seed in range(12)]
    alone = [embedder.prepare(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(embedder.prepare, pictures))
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (3, 500)])
def test_any_size_is_a_picture(embedder: HogHsvEmbedder, shape: tuple[int, int]) -> None:
    vector = embedder.prepare(_noise(5, *shape))
    assert vector.shape == (embedder.dim,)
    assert np.isfinite(vector).all()


def test_no_pictures_give_no_rows(embedder: HogHsvEmbedder) -> None:
    vectors = embedder.embed([])
    assert vectors.shape == (0, embedder.dim)
    assert vectors.dtype == np.float32


def test_like_pictures_lie_nearer_than_unlike_ones(embedder: HogHsvEmbedder) -> None:
    stripes = np.zeros((128, 128, 3), np.uint8)
    stripes[:, ::16] = stripes[:, 1::16] = 255
    shaken = np.clip(stripes + np.random.default_rng(0).normal(0, 5, stripes.shape), 0, 255)
    first, like, turned = embedder.embed(
        [
            embedder.prepare(picture)
            for picture in (stripes, shaken.astype(np.uint8), stripes.swapaxes(0, 1).copy())
        ]
    )
    assert np.dot(first[:_HOG], like[:_HOG]) > np.dot(first[:_HOG], turned[:_HOG]) + 0.2
