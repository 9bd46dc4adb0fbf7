"""Samples of any depth -> 8 bits, by the range that a file really uses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_WHITES = (255, 1_023, 4_095, 16_383, 65_535)
"""The largest values of 8, 10, 12, 14 and 16 bits: what sensors have, whatever the file holds."""

_LEAST_CONTRAST = 1 / 8
"""Of the range: with less the picture would be one grey. Thermal cameras use a hundredth."""

_ROBUST = (0.1, 99.9)
"""Percentiles: a dead pixel must not decide how all others look."""

_SAMPLED = 65_536


def eight_bits(
    values: NDArray[Any],
    *,
    black: float = 0.0,
    white: float | None = None,
    nothing: float | None = None,
) -> NDArray[np.uint8]:
    """Samples as 0 to 255.

    The range is black to white where a file tells it, or else 0 to the largest value of the least
    number of bits in which all samples fit: a picture of 12 bits in a file of 16 is as bright as
    one of 8. What has values below zero or above all of these, or uses less than an eighth of the
    range, is stretched from its 0.1th to its 99.9th percentile.

    Args:
        values: ``(h, w)`` or ``(h, w, bands)`` whole or real numbers; bands share one range.
        black: The value of black that the file tells.
        white: The value of white that the file tells.
        nothing: The value that stands for no measurement; it comes out black, as NaN does.
    """
    is_known = np.isfinite(values)
    if nothing is not None:
        is_known &= values != nothing
    known = values if is_known.all() else values[is_known]
    if not known.size:
        return np.zeros(values.shape, dtype=np.uint8)
    least, most = float(known.min()), float(known.max())
    flat = known.ravel()
    low, high = np.percentile(flat[:: max(1, flat.size // _SAMPLED)].astype(np.float64), _ROBUST)
    if white is None or high > white or white <= black:
        black, white = 0.0, _usual_white(most, is_real=values.dtype.kind == "f")
    if white is None or least < black or (0 < high - low < _LEAST_CONTRAST * (white - black)):
        black, white = float(low), float(high)
    return _scaled(values, is_known, black, white)


def _usual_white(most: float, *, is_real: bool) -> float | None:
    """The largest value of the least usual range; None where there is none so large."""
    whites = (1, *_WHITES) if is_real else _WHITES
    return next((float(white) for white in whites if most <= white), None)


def _scaled(
    values: NDArray[Any], is_known: NDArray[np.bool_], black: float, white: float
) -> NDArray[np.uint8]:
    if values.dtype == np.uint16 and values.size > 65_536 and is_known.all():
        every = np.arange(65_536, dtype=np.float64)
        table = _scaled(every, np.ones(65_536, dtype=bool), black, white)
        return np.asarray(table[values])
    scale = 255 / (white - black) if white > black else 0.0
    with np.errstate(all="ignore"):  # what is not known may overflow
        scaled = np.where(is_known, (values.astype(np.float64) - black) * scale, 0.0)
    return np.asarray(np.clip(np.rint(scaled), 0, 255), dtype=np.uint8)
