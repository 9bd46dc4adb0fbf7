"""Features that need no weights: what is used where a network's weights cannot be had.

They see contours and colours, not what is in the picture: see the README for what that is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from organizer.protocols import EmbedderInfo
from organizer.types import Vectors

_SIDE = 128
_ORIENTATIONS, _CELL, _BLOCK = 9, 16, 2
_HUES, _SATURATIONS, _VALUES = 16, 4, 4
_BLOCKS = _SIDE // _CELL - _BLOCK + 1
_HOG_DIM = _BLOCKS**2 * _BLOCK**2 * _ORIENTATIONS
_HSV_DIM = _HUES * _SATURATIONS * _VALUES


class HogHsvEmbedder:
    """Histograms of oriented gradients beside a colour histogram, each of unit length.

    HOG as Dalal and Triggs 2005 (128 x 128 pixels, cells of 16, blocks of 2 x 2, 9 orientations,
    L2-Hys); the colour histogram counts hue, saturation and value in 16 x 4 x 4 bins, as square
    roots (Hellinger).

    Attributes:
        dim: Length of a vector.
        min_side: What both sides are resized to.
        version: Revision of the feature.
    """

    dim = _HOG_DIM + _HSV_DIM
    min_side = _SIDE
    version = "1"

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The whole feature, ``(dim,)`` float32: it is computed on the decoding threads."""
        from skimage.feature import hog

        picture = Image.fromarray(image).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
        contours = hog(
            np.asarray(picture.convert("L")),
            orientations=_ORIENTATIONS,
            pixels_per_cell=(_CELL, _CELL),
            cells_per_block=(_BLOCK, _BLOCK),
            block_norm="L2-Hys",
        )
        return np.concatenate([_unit(contours), _colours(picture)]).astype(np.float32)

    def embed(self, batch: Sequence[NDArray[Any]]) -> Vectors:
        """The prepared features as ``(n, dim)`` float32."""
        return np.asarray(batch, dtype=np.float32).reshape(len(batch), self.dim)


class _HogHsv:
    """The factory of the embedder."""

    def __call__(self) -> HogHsvEmbedder:
        return HogHsvEmbedder()

    def describe(self, *, weights: Any = None) -> EmbedderInfo:
        """No weights, wherever one looks."""
        del weights
        return EmbedderInfo("hog+hsv", HogHsvEmbedder.dim, "none needed", "", "no weights")


hog_hsv = _HogHsv()


def _colours(picture: Image.Image) -> NDArray[np.float64]:
    hue, saturation, value = np.moveaxis(np.asarray(picture.convert("HSV"), dtype=np.int64), 2, 0)
    bins = (hue * _HUES // 256 * _SATURATIONS + saturation * _SATURATIONS // 256) * _VALUES
    counts = np.bincount((bins + value * _VALUES // 256).ravel(), minlength=_HSV_DIM)
    return np.asarray(np.sqrt(counts / counts.sum()))


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    norm = float(np.linalg.norm(values))
    return values / norm if norm > 0 else values
