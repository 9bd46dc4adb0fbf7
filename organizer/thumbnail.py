"""Pixels -> a small JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

QUALITY = 75
"""Of 95 the bytes are double, and at this size nobody sees the difference."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture.

    Attributes:
        jpeg: A JPEG without metadata.
        width: Pixels.
        height: Pixels.
    """

    jpeg: bytes
    width: int
    height: int


def thumbnail(pixels: NDArray[np.uint8], *, side: int) -> Thumbnail:
    """The whole picture within a square, never enlarged.

    It is not cropped: what a photo is of may stand at its edge, above all in a camera trap's.

    Args:
        pixels: ``(h, w, 3)`` uint8 RGB.
        side: Of the square, pixels.
    """
    import simplejpeg

    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size != (width, height):
        image = Image.fromarray(pixels)
        # Halving by plain means first costs less; the filter has the last word.
        pixels = np.asarray(image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0))
    jpeg = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), QUALITY, colorsubsampling="420")
    return Thumbnail(jpeg, *size)
