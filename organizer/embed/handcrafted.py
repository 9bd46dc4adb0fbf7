"""Features that need no weights: what is used where a network's weights cannot be had.

They see pixels, contours, texture and colours, not what is in the picture: see the README for what
that is worth. Two as one are named with a plus: ``hog+hsv``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from organizer.protocols import EmbedderInfo
from organizer.types import Vectors

_RAW_SIDE = 32
_SIDE = 128
_ORIENTATIONS, _CELL, _BLOCK = 9, 16, 2
_BLOCKS = _SIDE // _CELL - _BLOCK + 1
_HUES, _SATURATIONS, _VALUES = 16, 4, 4
_GABOR_FREQUENCIES = (0.05, 0.1, 0.2, 0.4)
_GABOR_ORIENTATIONS = 6


class HandcraftedEmbedder(ABC):
    """A handcrafted feature: all of it is computed on the decoding threads.

    Attributes:
        dim: Length of a vector.
        min_side: What both sides are resized to.
        version: Revision of the feature.
    """

    dim: int
    min_side = _SIDE
    version = "1"

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The whole feature, ``(dim,)`` float32; zero where nothing is found."""
        size = (self.min_side, self.min_side)
        picture = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
        return self.describe(picture).astype(np.float32)

    def embed(self, batch: Sequence[NDArray[Any]]) -> Vectors:
        """The prepared features as ``(n, dim)`` float32."""
        return np.asarray(batch, dtype=np.float32).reshape(len(batch), self.dim)

    @abstractmethod
    def describe(self, picture: Image.Image) -> NDArray[np.float64]:
        """The feature of a square picture of `min_side`."""


class RawEmbedder(HandcraftedEmbedder):
    """The pixels themselves, 32 x 32 x 3, from 0 to 1."""

    dim = _RAW_SIDE**2 * 3
    min_side = _RAW_SIDE

    def describe(self, picture: Image.Image) -> NDArray[np.float64]:
        """See `HandcraftedEmbedder`."""
        return np.asarray(picture, dtype=np.float64).ravel() / 255


class HogEmbedder(HandcraftedEmbedder):
    """Histograms of oriented gradients, of unit length.

    As Dalal and Triggs 2005: 128 x 128 pixels, cells of 16, blocks of 2 x 2, 9 orientations,
    L2-Hys.
    """

    dim = _BLOCKS**2 * _BLOCK**2 * _ORIENTATIONS

    def describe(self, picture: Image.Image) -> NDArray[np.float64]:
        """See `HandcraftedEmbedder`."""
        from skimage.feature import hog as histograms

        contours = histograms(
            np.asarray(picture.convert("L")),
            orientations=_ORIENTATIONS,
            pixels_per_cell=(_CELL, _CELL),
            cells_per_block=(_BLOCK, _BLOCK),
            block_norm="L2-Hys",
        )
        return _unit(np.asarray(contours, dtype=np.float64))


class HsvEmbedder(HandcraftedEmbedder):
    """Counts of hue, saturation and value in 16 x 4 x 4 bins, as square roots (Hellinger).

    The square roots of shares have unit length.
    """

    dim = _HUES * _SATURATIONS * _VALUES

    def describe(self, picture: Image.Image) -> NDArray[np.float64]:
        """See `HandcraftedEmbedder`."""
        hsv = np.asarray(picture.convert("HSV"), dtype=np.int64)
        hue, saturation, value = np.moveaxis(hsv, 2, 0)
        bins = (hue * _HUES // 256 * _SATURATIONS + saturation * _SATURATIONS // 256) * _VALUES
        counts = np.bincount((bins + value * _VALUES // 256).ravel(), minlength=self.dim)
        return np.asarray(np.sqrt(counts / counts.sum()))


class GaborEmbedder(HandcraftedEmbedder):
    """Mean and deviation of the responses to a bank of Gabor filters, of unit length.

    As Manjunath and Ma 1996, section 3: 4 frequencies (0.05 to 0.4 cycles a pixel, an octave
    apart) times 6 orientations, magnitudes of the complex responses on the grey picture of
    128 x 128. The picture goes on periodically at its edges, so each filter is one product in
    frequency space.
    """

    dim = 2 * len(_GABOR_FREQUENCIES) * _GABOR_ORIENTATIONS

    def describe(self, picture: Image.Image) -> NDArray[np.float64]:
        """See `HandcraftedEmbedder`."""
        from scipy import fft

        grey = np.asarray(picture.convert("L"), dtype=np.float64)
        # Without its mean: a filter lets a little of it through, the more the brighter.
        seen = fft.fft2(grey - grey.mean())
        responses = np.abs(fft.ifft2(self._transfers * seen))
        return _unit(np.concatenate([responses.mean(axis=(1, 2)), responses.std(axis=(1, 2))]))

    @cached_property
    def _transfers(self) -> NDArray[np.complex128]:
        """``(filters, side, side)``: the kernels in frequency space, their centres at 0."""
        from scipy import fft
        from skimage.filters import gabor_kernel

        turns = np.arange(_GABOR_ORIENTATIONS) * np.pi / _GABOR_ORIENTATIONS
        kernels = [gabor_kernel(f, theta=turn) for f in _GABOR_FREQUENCIES for turn in turns]
        return np.stack([fft.fft2(_wrapped(np.asarray(kernel))) for kernel in kernels])


@dataclass(frozen=True, slots=True)
class FeatureFactory:
    """Makes a feature and describes it.

    Attributes:
        name: The name in the registry.
        made: Its class.
    """

    name: str
    made: type[HandcraftedEmbedder]

    def __call__(self) -> HandcraftedEmbedder:
        """The feature; there is nothing to choose."""
        return self.made()

    def describe(self, *, weights: Path | None = None) -> EmbedderInfo:
        """It needs no weights."""
        del weights
        return EmbedderInfo(self.name, self.made.dim, "none needed", "", "no weights")


raw = FeatureFactory("raw", RawEmbedder)
hog = FeatureFactory("hog", HogEmbedder)
hsv = FeatureFactory("hsv", HsvEmbedder)
gabor = FeatureFactory("gabor", GaborEmbedder)


def _wrapped(kernel: NDArray[Any]) -> NDArray[Any]:
    """The kernel on a plane of the picture's size, its centre at 0; what is larger folds over."""
    plane = np.zeros((_SIDE, _SIDE), dtype=np.complex128)
    height, width = kernel.shape
    rows = (np.arange(height) - height // 2) % _SIDE
    columns = (np.arange(width) - width // 2) % _SIDE
    np.add.at(plane, (rows[:, None], columns[None, :]), kernel)
    return plane


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    norm = float(np.linalg.norm(values))
    return values / norm if norm > 0 else values
