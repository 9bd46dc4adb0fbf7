"""Boxes without a detector: what differs from the median of its burst.

The photos of a burst show one scene within a minute. Their median, pixel by pixel, is the
background (Cheung and Kamath 2004, Robust techniques for background subtraction). The box is that
of the largest connected part of a photo that differs from it. An animal that keeps still through
most of a burst is part of the median, and is not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.types import Box

SIDE = 256
"""The shorter side in pixels at which photos are compared: enough for a thousandth of a photo."""

LEAST = 3
"""The fewest photos of a burst: of two, either could be the background."""

_BLUR = 1.5
_DEVIATIONS, _FLOOR = 5.0, 10.0
_LEAST_AREA, _MOST_AREA, _ACROSS = 0.001, 0.5, 0.95
_SAME_LIGHT, _GREY = 1.25, 4.0
_REACH = 0.02
_MARGIN = 0.15

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class MovedRegion:
    """What moved in a photo.

    Attributes:
        box: Around the largest connected part, with a margin.
        share: Its share of all that moved, 0 to 1.
    """

    box: Box
    share: float


def find_moved(frames: Sequence[Pixels]) -> list[MovedRegion | None]:
    """Find what moved in each photo of a burst.

    Args:
        frames: ``(h, w, 3)`` uint8 each, of one size, three or more.

    Returns:
        One region per photo; None where nothing moved, or where nearly everything changed.

    Raises:
        ValueError: There are fewer than three photos.
    """
    if len(frames) < LEAST:
        raise ValueError(f"{len(frames)} photos are too few for a median")
    burst = np.stack(frames).astype(np.float32)
    background = np.median(burst, axis=0)
    differences = np.stack([_difference(frame, background) for frame in burst])
    threshold = np.maximum(
        _local_threshold(differences), max(_DEVIATIONS * _deviation(differences), _FLOOR)
    )
    return [_largest(difference, threshold) for difference in differences]


def is_grey(pixels: Pixels) -> bool:
    """Whether a photo has no colour, as by infrared at night."""
    red, green, blue = (pixels[..., i].astype(np.int16) for i in range(3))
    return float(np.abs(red - green).mean() + np.abs(green - blue).mean()) < _GREY


def group_by_light(lights: Sequence[float]) -> list[list[int]]:
    """Group photos of similar brightness: a flash or dusk changes the whole scene.

    Args:
        lights: The mean luma of each photo.

    Returns:
        The positions of the photos of each group, from the darkest group.
    """
    order = sorted(range(len(lights)), key=lambda i: lights[i])
    groups: list[list[int]] = []
    for i in order:
        previous = lights[groups[-1][-1]] if groups else 0.0
        if not groups or lights[i] > _SAME_LIGHT * max(previous, 1.0):
            groups.append([])
        groups[-1].append(i)
    return [sorted(group) for group in groups]


def _difference(frame: NDArray[np.float32], background: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(h, w)``: the difference to the background, after matching brightness and contrast."""
    from scipy.ndimage import gaussian_filter

    low, middle, high = np.percentile(frame, (25, 50, 75), axis=(0, 1))
    to_low, to_middle, to_high = np.percentile(background, (25, 50, 75), axis=(0, 1))
    gain = np.clip((to_high - to_low) / np.maximum(high - low, 1.0), 0.5, 2.0)
    off = (frame - middle) * gain - (background - to_middle)
    smooth = gaussian_filter(off, sigma=(_BLUR, _BLUR, 0))
    return np.asarray(np.abs(smooth).max(axis=2), dtype=np.float32)


def _local_threshold(differences: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(h, w)``: a threshold for parts of the background that move: leaves, water."""
    from scipy.ndimage import maximum_filter

    usual = 1.4826 * np.median(differences, axis=0)
    return np.asarray(_DEVIATIONS * maximum_filter(usual, size=3), dtype=np.float32)


def _deviation(differences: NDArray[np.float32]) -> float:
    """The standard deviation of the background, by its median absolute deviation.

    Zeros are left out: a pixel's median is the value of one of the photos.
    """
    values = differences[differences > 0]
    return float(1.4826 * np.median(values)) if len(values) else 0.0


def _largest(difference: NDArray[np.float32], threshold: NDArray[np.float32]) -> MovedRegion | None:
    from scipy.ndimage import binary_dilation, find_objects, label

    mask = difference > threshold
    if not mask.any():
        return None
    height, width = mask.shape
    reach = max(1, round(_REACH * min(height, width)))
    # Parts of one animal may be separate: a leg behind a stem, a stripe like the ground.
    parts, count = label(binary_dilation(mask, iterations=reach))
    parts[~mask] = 0
    weights = np.bincount(parts.ravel(), weights=difference.ravel(), minlength=count + 1)
    weights[0] = 0
    best = int(weights.argmax())
    area = float(np.count_nonzero(parts == best)) / mask.size
    if not _LEAST_AREA <= area <= _MOST_AREA:
        return None
    rows, columns = find_objects(parts)[best - 1]
    if (
        columns.stop - columns.start > _ACROSS * width
    ):  # a change of light on the ground or in the sky
        return None
    box = _with_margin(columns.start, rows.start, columns.stop, rows.stop, width, height)
    return MovedRegion(box, float(weights[best] / weights.sum()))


def _with_margin(left: int, upper: int, right: int, lower: int, width: int, height: int) -> Box:
    across, down = _MARGIN * (right - left) / 2, _MARGIN * (lower - upper) / 2
    x, y = max(left - across, 0.0) / width, max(upper - down, 0.0) / height
    return Box(x, y, min(right + across, width) / width - x, min(lower + down, height) / height - y)
