"""Pixels -> a miniature: a tiny grey picture by which copies are recognised."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from organizer.types import MINIATURE_SIDE, Miniatures, Vectors

_FREQUENCIES = 8
_SAMPLED_SIDE, _REDUCED_SIDE = 192, 96
_PLAIN = 10
"""Grey values by which a line of a plain frame may differ in itself: what JPEG leaves of one."""
_MOST_FRAME = 0.25
"""The share of a picture that is a frame, at each side; a plain sky is none."""


def make_miniature(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture as 32 x 32 grey values, stretched to a square.

    Args:
        pixels: ``(h, w, 3)`` uint8 RGB.

    Returns:
        ``(1024,)`` uint8, row by row.
    """
    step = max(1, min(pixels.shape[:2]) // _SAMPLED_SIDE)  # as every picture of an ingest has one
    grey = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step])).convert("L")
    factor = min(grey.size) // _REDUCED_SIDE
    if factor > 1:  # averages of blocks, which cost less than the filter
        grey = grey.reduce(factor)
    box = _without_frame(np.asarray(grey))
    small = grey.resize((MINIATURE_SIDE, MINIATURE_SIDE), Image.Resampling.BICUBIC, box=box)
    return np.asarray(small, dtype=np.uint8).ravel()


def _without_frame(grey: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Left, upper, right and lower edge of a picture without a frame of one grey."""
    left, right = _ends(grey.T)
    upper, lower = _ends(grey)
    return left, upper, right, lower


def _ends(lines: NDArray[np.uint8]) -> tuple[int, int]:
    """The first line that is no frame, and the one after the last."""
    n, most = len(lines), int(len(lines) * _MOST_FRAME)
    darkest, brightest = lines.min(axis=1).astype(int), lines.max(axis=1).astype(int)
    is_plain = brightest - darkest <= _PLAIN
    middle = (darkest + brightest) / 2

    def frame(order: NDArray[np.int64]) -> int:
        same = is_plain[order] & (np.abs(middle[order] - middle[order[0]]) <= _PLAIN)
        return int(np.argmin(same)) if not same.all() else 0

    ends = np.arange(n)
    first, last = frame(ends[: most + 1]), frame(ends[::-1][: most + 1])
    return first, n - last


def describe(miniatures: Miniatures) -> Vectors:
    """Numbers that stay alike where a picture is resized, encoded anew, brightened or turned.

    These are the magnitudes of the lowest frequencies (of the discrete cosine transform), which a
    mirror does not change, and of which a turn by 90 degrees swaps pairs: each pair is sorted.

    Args:
        miniatures: ``(n, 1024)`` uint8.

    Returns:
        ``(n, 63)`` float32 of unit length; zeros for a picture of one grey.
    """
    side = MINIATURE_SIDE
    grid = np.arange(side)
    basis = np.cos(np.pi * np.outer(np.arange(_FREQUENCIES), grid + 0.5) / side).astype(np.float32)
    pictures = miniatures.reshape(-1, side, side).astype(np.float32)
    pictures -= pictures.mean(axis=(1, 2), keepdims=True)
    found = np.abs(basis @ pictures @ basis.T)
    across, down = np.maximum(found, found.swapaxes(1, 2)), np.minimum(found, found.swapaxes(1, 2))
    upper, lower = np.triu_indices(_FREQUENCIES), np.tril_indices(_FREQUENCIES, -1)
    values = np.concatenate([across[:, *upper], down[:, *lower]], axis=1)[:, 1:]
    values = np.sqrt(values)  # or the lowest few would be all that counts
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.where(norms > 0, norms, 1), dtype=np.float32)
