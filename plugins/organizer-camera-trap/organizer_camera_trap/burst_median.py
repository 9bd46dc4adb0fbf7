"""Boxes without a detector: what differs from the median of its burst.

The photos of a burst show one place within a minute. Their median, pixel by pixel, is the place
without what moved (Cheung and Kamath 2004, Robust techniques for background subtraction); what a
photo has besides is looked for, and the largest connected part of it is the box. An animal that
keeps still through most of a burst is part of the median, and is not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.types import Box

SIDE = 256
"""Pixels of the shorter side at which photos are compared: enough for what fills a thousandth."""

LEAST = 3
"""Photos of a burst: of two nobody can say which one shows the place."""

_BLUR = 1.5
_DEVIATIONS, _FLOOR = 5.0, 10.0
_LEAST_AREA, _MOST_AREA, _ACROSS = 0.001, 0.5, 0.95
_SAME_LIGHT, _GREY = 1.25, 4.0
_REACH = 0.02
_MARGIN = 0.15

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Moved:
    """What moved in a photo.

    Attributes:
        box: Round the largest connected part of it, with a margin.
        share: Its share of all that moved, 0 to 1.
    """

    box: Box
    share: float


def moved(frames: Sequence[Pixels]) -> list[Moved | None]:
    """What moved in each photo of a burst.

    Args:
        frames: ``(h, w, 3)`` uint8 each, of one size, three or more.

    Returns:
        None for a photo in which nothing moved, or in which nearly everything changed.
    """
    if len(frames) < LEAST:
        raise ValueError(f"{len(frames)} photos have no median to trust")
    burst = np.stack(frames).astype(np.float32)
    place = np.median(burst, axis=0)
    differences = np.stack([_difference(frame, place) for frame in burst])
    threshold = np.maximum(
        _restless(differences), max(_DEVIATIONS * _deviation(differences), _FLOOR)
    )
    return [_largest(difference, threshold) for difference in differences]


def is_grey(pixels: Pixels) -> bool:
    """Whether a photo has no colour at all: one by infrared, beside those of the day."""
    red, green, blue = (pixels[..., i].astype(np.int16) for i in range(3))
    return float(np.abs(red - green).mean() + np.abs(green - blue).mean()) < _GREY


def alike(lights: Sequence[float]) -> list[list[int]]:
    """Photos of about one light, by number: a flash or dusk changes the place as a whole.

    Args:
        lights: The mean luma of each photo.
    """
    order = sorted(range(len(lights)), key=lambda i: lights[i])
    groups: list[list[int]] = []
    for i in order:
        former = lights[groups[-1][-1]] if groups else 0.0
        if not groups or lights[i] > _SAME_LIGHT * max(former, 1.0):
            groups.append([])
        groups[-1].append(i)
    return [sorted(group) for group in groups]


def _difference(frame: NDArray[np.float32], place: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(h, w)`` how far a photo is from the place, its light made that of the place."""
    from scipy.ndimage import gaussian_filter

    low, middle, high = np.percentile(frame, (25, 50, 75), axis=(0, 1))
    to_low, to_middle, to_high = np.percentile(place, (25, 50, 75), axis=(0, 1))
    gain = np.clip((to_high - to_low) / np.maximum(high - low, 1.0), 0.5, 2.0)
    off = (frame - middle) * gain - (place - to_middle)
    smooth = gaussian_filter(off, sigma=(_BLUR, _BLUR, 0))
    return np.asarray(np.abs(smooth).max(axis=2), dtype=np.float32)


def _restless(differences: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(h, w)`` the threshold where the place itself is not still: leaves, water."""
    from scipy.ndimage import maximum_filter

    usual = 1.4826 * np.median(differences, axis=0)
    return np.asarray(_DEVIATIONS * maximum_filter(usual, size=3), dtype=np.float32)


def _deviation(differences: NDArray[np.float32]) -> float:
    """The standard deviation of what does not move, by its median absolute deviation.

    A third of the values are nothing: those of the photo that is the median itself.
    """
    values = differences[differences > 0]
    return float(1.4826 * np.median(values)) if len(values) else 0.0


def _largest(difference: NDArray[np.float32], threshold: NDArray[np.float32]) -> Moved | None:
    from scipy.ndimage import binary_dilation, find_objects, label

    mask = difference > threshold
    if not mask.any():
        return None
    height, width = mask.shape
    reach = max(1, round(_REACH * min(height, width)))
    # Parts of one animal lie near each other: a leg behind a stem, a stripe like the ground.
    parts, count = label(binary_dilation(mask, iterations=reach))
    parts[~mask] = 0
    weights = np.bincount(parts.ravel(), weights=difference.ravel(), minlength=count + 1)
    weights[0] = 0
    best = int(weights.argmax())
    area = float(np.count_nonzero(parts == best)) / mask.size
    if not _LEAST_AREA <= area <= _MOST_AREA:
        return None
    rows, columns = find_objects(parts)[best - 1]
    if columns.stop - columns.start > _ACROSS * width:  # the light of the ground, or of the sky
        return None
    box = _with_margin(columns.start, rows.start, columns.stop, rows.stop, width, height)
    return Moved(box, float(weights[best] / weights.sum()))


def _with_margin(left: int, upper: int, right: int, lower: int, width: int, height: int) -> Box:
    across, down = _MARGIN * (right - left) / 2, _MARGIN * (lower - upper) / 2
    x, y = max(left - across, 0.0) / width, max(upper - down, 0.0) / height
    return Box(x, y, min(right + across, width) / width - x, min(lower + down, height) / height - y)
