"""Pixels -> how sharp a picture is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SHARPNESS_SIDE = 1024
"""Pixels of the longer side at which pictures are compared: what is sharp is sharp at one size."""

_LEAST_SIDE = 3


def measure_sharpness(pixels: NDArray[np.uint8]) -> float:
    """The variance of the Laplacian of the grey values (Pech-Pacheco et al. 2000).

    It grows with the contrast of the subject too, so it compares pictures of one scene, not of two.

    Args:
        pixels: ``(h, w, 3)`` uint8 RGB; made smaller where it is larger than `SHARPNESS_SIDE`.

    Returns:
        Squared grey values; 0 for a picture that is smaller than three pixels.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels)).convert("L")
    image.thumbnail((SHARPNESS_SIDE, SHARPNESS_SIDE), Image.Resampling.BOX)
    if min(image.size) < _LEAST_SIDE:
        return 0.0
    grey = np.asarray(image, dtype=np.float32)
    sides = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float(np.var(4 * grey[1:-1, 1:-1] - sides))
