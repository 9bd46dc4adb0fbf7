"""Pixels -> how bright a picture is and how much colour it has: day, or infrared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

INFRARED_BELOW = 0.012
"""Chroma below which a picture is infrared. Real infrared frames of two camera models measured
0.003 and 0.004, frames by daylight and by white flash 0.018 and more (76 camera-trap pictures)."""

_SAMPLED_SIDE = 48
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601


@dataclass(frozen=True, slots=True)
class ImageLight:
    """The light of a picture, measured on its pixels.

    Attributes:
        brightness: Mean luma (ITU-R BT.601), 0 is black and 1 is white.
        chroma: Mean distance of the colours from one tint, 0 to about 1: 0 is grey, and also
            any single tint, as infrared frames have that look violet.
    """

    brightness: float
    chroma: float


def measure_light(pixels: NDArray[np.uint8]) -> ImageLight:
    """Measure a picture on a grid of some 48 x 48 of its pixels.

    Args:
        pixels: ``(h, w, 3)`` uint8 RGB.
    """
    step = max(1, min(pixels.shape[:2]) // _SAMPLED_SIDE)
    sample = pixels[::step, ::step].reshape(-1, 3).astype(np.float32) / 255
    luma = sample @ _LUMA
    # A tint is a difference of the channels that grows with the luma: what is left is colour.
    differences = sample[:, ::2] - sample[:, 1:2]
    centred, luma_centred = differences - differences.mean(axis=0), luma - luma.mean()
    variance = float(luma_centred @ luma_centred)
    slope = luma_centred @ centred / variance if variance > 0 else np.zeros(2, dtype=np.float32)
    rest = centred - luma_centred[:, None] * slope
    return ImageLight(float(luma.mean()), float(np.hypot(rest[:, 0], rest[:, 1]).mean()))


@overload
def is_infrared(chroma: float) -> bool: ...
@overload
def is_infrared(chroma: NDArray[np.float64]) -> NDArray[np.bool_]: ...
def is_infrared(chroma: float | NDArray[np.float64]) -> bool | NDArray[np.bool_]:
    """Whether pictures of that chroma are infrared (or black and white); not where it is NaN."""
    return chroma < INFRARED_BELOW
