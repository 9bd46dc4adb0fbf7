"""How an image is prepared for a network: it belongs to the weights and travels with them.

The numbers are those of torchvision's own transforms on a Pillow image, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_WIDEST = 16
"""A picture of a larger aspect ratio is cropped to this one before it is resized: the centre crop
takes nothing from further out, and a strip of 60,000 x 4 pixels would fill the memory."""

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Resize, crop the centre, normalise. The last happens beside the network, in one go.

    Attributes:
        side: What the shorter side is resized to; height and width where both are, whatever
            becomes of the proportions.
        crop: Height and width of what the network sees.
        mean: Of red, green and blue, each from 0 to 1.
        std: Deviations, likewise.
        interpolation: How Pillow resizes.
    """

    side: int | tuple[int, int]
    crop: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Interpolation = "bilinear"

    @property
    def min_side(self) -> int:
        """Pixels of the shorter side that are enough."""
        return self.side if isinstance(self.side, int) else max(self.side)

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """``(h, w, 3)`` uint8 to ``(*crop, 3)`` uint8, not yet normalised."""
        resampling = Image.Resampling[self.interpolation.upper()]
        height, width = self.crop
        if isinstance(self.side, int):
            picture = Image.fromarray(_not_too_wide(image))
            size = _resized(picture.width, picture.height, self.side)
        else:
            picture, size = Image.fromarray(image), (self.side[1], self.side[0])
        picture = picture.resize(size, resampling)
        left, top = _margin(picture.width, width), _margin(picture.height, height)
        return np.asarray(picture.crop((left, top, left + width, top + height)))


def _resized(width: int, height: int, side: int) -> tuple[int, int]:
    """Torchvision's rule: the shorter side becomes `side`, the longer one is rounded down."""
    if width <= height:
        return side, int(side * height / width)
    return int(side * width / height), side


def _margin(there: int, wanted: int) -> int:
    """Torchvision's rule: what is too large is cut on both sides, what is too small gets black."""
    return round((there - wanted) / 2) if there >= wanted else -((wanted - there) // 2)


def _not_too_wide(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    longest = _WIDEST * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    if not top and not left:
        return image
    return np.ascontiguousarray(image[top : top + longest, left : left + longest])
