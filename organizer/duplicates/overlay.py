"""Pairs of miniatures -> how alike two pictures are where one is laid over the other.

One picture is turned, scaled and shifted until it fits a part of the other best (the inverse
compositional algorithm of Baker and Matthews 2004, "Lucas-Kanade 20 Years On"). So copies that were
cut at their edges are recognised. What counts then is whether the fine detail agrees: brightness
and large shapes agree in many photos of one place, edges in their places only in copies.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from organizer.types import MINIATURE_SIDE, Labels, Miniatures

COPY_FROM = 0.75
"""Likeness from which two pictures are copies of one another; see `benchmarks/duplicates.py`."""
BY_WAY_FROM = 0.6
"""Likeness from which a copy of a copy of a picture is one of that picture too."""

_PAIRS_AT_ONCE = 1_024
_STEPS = 7
_SIDE, _BLOCK = MINIATURE_SIDE, 4
_CENTRE = (MINIATURE_SIDE - 1) / 2
_LEAST_SCALE, _MOST_SCALE = 0.6, 1.05
_MARGIN = 1.5
"""Pixels by which one picture may reach beyond the other: what rounding leaves."""
_START_SCALES = (1.0, 0.9, 0.8)
"""Scales at which a picture is tried in the middle and at the edges of another one."""
_TURNED_FROM, _FITTED_FROM = 0.15, 0.6
"""Correlation of the large shapes, and of the best try, from which it is worth to go on; of copies
that lack a tenth of their edges 99% lie above."""
_UPRIGHT = 0.02
"""By how much another turn has to be better."""

Pictures = NDArray[np.float32]
"""``(n, 32, 32)`` grey values."""


def likeness(
    miniatures: Miniatures, first: Labels, second: Labels, *, threads: int = 1
) -> NDArray[np.float32]:
    """How alike pairs of pictures are, -1 to 1; from `COPY_FROM` they are copies.

    Args:
        miniatures: ``(m, 1024)`` of all pictures; may be mapped from a file.
        first: ``(n,)`` rows.
        second: ``(n,)`` rows.
        threads: How many compare.

    Returns:
        ``(n,)`` float32, the same whichever of a pair comes first.
    """
    found = np.zeros(len(first), dtype=np.float32)

    def compare(start: int) -> None:
        rows = slice(start, start + _PAIRS_AT_ONCE)
        lower, upper = np.minimum(first[rows], second[rows]), np.maximum(first[rows], second[rows])
        found[rows] = _compare(_pictures(miniatures[lower]), _pictures(miniatures[upper]))

    with ThreadPoolExecutor(threads, "compare") as pool:
        list(pool.map(compare, range(0, len(first), _PAIRS_AT_ONCE)))
    return found


def _pictures(miniatures: Miniatures) -> Pictures:
    return miniatures.reshape(-1, _SIDE, _SIDE).astype(np.float32)


def _compare(first: Pictures, second: Pictures) -> NDArray[np.float32]:
    second, rough = _turned_alike(first, second)
    found = np.zeros(len(first), dtype=np.float32)
    rows = np.flatnonzero(rough >= _TURNED_FROM)
    a, b = first[rows], second[rows]
    for small, large in ((a, b), (b, a)):
        score, at = _tried(small, large)
        good = np.flatnonzero(score >= _FITTED_FROM)
        fitted = _fitted(small[good], large[good], at[good])
        found[rows[good]] = np.maximum(found[rows[good]], fitted)
    return found


def _turned_alike(first: Pictures, second: Pictures) -> tuple[Pictures, NDArray[np.float32]]:
    """The second pictures, each turned or mirrored to be most like the first; how alike then."""
    large, other = _large_shapes(first), _large_shapes(second)
    scores = np.stack([_correlation(large, _turned(other, turn)) for turn in range(8)])
    scores[0] += _UPRIGHT
    best = scores.argmax(axis=0)
    found = second.copy()
    for turn in range(1, 8):
        found[best == turn] = _turned(second[best == turn], turn)
    return found, np.asarray(scores.max(axis=0))


def _turned(pictures: Pictures, turn: int) -> Pictures:
    """Pictures turned by some right angles; from 4 on they are mirrored first."""
    return np.rot90(pictures[:, :, ::-1] if turn >= 4 else pictures, turn % 4, axes=(1, 2))


def _large_shapes(pictures: Pictures) -> Pictures:
    return _blocks(pictures, _BLOCK)


def _blocks(pictures: Pictures, side: int) -> Pictures:
    """The means of square blocks: by products of matrices, as numpy's mean of two axes is slow."""
    line = np.repeat(np.eye(_SIDE // side, dtype=np.float32), side, axis=1) / np.float32(side)
    return np.asarray(line @ pictures @ line.T)


def _detail(pictures: Pictures) -> Pictures:
    """The Laplacian: what a pixel differs from its four neighbours."""
    inner = 4 * pictures[:, 1:-1, 1:-1]
    sides = pictures[:, :-2, 1:-1] + pictures[:, 2:, 1:-1]
    return np.asarray(inner - sides - pictures[:, 1:-1, :-2] - pictures[:, 1:-1, 2:])


def _correlation(a: Pictures, b: Pictures) -> NDArray[np.float32]:
    a, b = _standardised(a), _standardised(b)
    return np.asarray(np.einsum("np,np->n", a, b) / a.shape[1], dtype=np.float32)


def _standardised(pictures: Pictures) -> NDArray[np.float32]:
    """Each picture as a row of mean 0 and deviation 1; one of a single grey as zeros."""
    rows = pictures.reshape(len(pictures), pictures.shape[1] * pictures.shape[2])
    rows = rows - rows.mean(axis=1, keepdims=True)
    deviation = np.sqrt(np.einsum("np,np->n", rows, rows) / rows.shape[1])[:, None]
    return np.asarray(rows / np.maximum(deviation, 1e-3), dtype=np.float32)


def _agreement(values: NDArray[np.float32], wanted: NDArray[np.float32]) -> NDArray[np.float32]:
    """The correlation of rows with others that are standardised, without standardising them."""
    n = wanted.shape[1]
    mean = np.full(n, 1 / n, dtype=np.float32)
    products = np.einsum("np,np->n", values, wanted) / n
    variance = np.einsum("np,np->n", values, values) / n - (values @ mean) ** 2
    return np.asarray(products / np.maximum(np.sqrt(np.maximum(variance, 0)), 1e-3))


def _tried(small: Pictures, large: Pictures) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of some scales and shifts the best for each pair; how alike the pictures are there."""
    tries = [
        (scale, shift * _CENTRE * (1 - scale))
        for scale in _START_SCALES
        for shift in ((0,) if scale == 1 else (-1, 0, 1))
    ]
    places = _line()[::2] + 0.5  # between two pixels: the mean of four
    lines = np.array(tries, dtype=np.float32)
    weights = _weights(lines[:, :1] * places + lines[:, 1:])
    wanted = _standardised(_blocks(small, 2))
    best = np.full(len(small), -1, dtype=np.float32)
    best_at = np.tile(np.array([1, 0, 1, 0], dtype=np.float32), (len(small), 1))
    centred = large - large.mean(axis=(1, 2), keepdims=True)  # or rounding would show in the sums
    for (scale, down), rows in zip(tries, weights, strict=True):
        part = rows @ centred
        for (other, across), columns in zip(tries, weights, strict=True):
            if other == scale:
                values = (part @ columns.T).reshape(wanted.shape)
                score = _agreement(values, wanted)
                better = score > best
                best[better] = score[better]
                best_at[better] = scale, across, scale, down
    return best, best_at


def _fitted(small: Pictures, large: Pictures, at: NDArray[np.float32]) -> NDArray[np.float32]:
    """How alike the detail of pictures is to that of the parts of others where they fit best.

    The scale and shift of each axis are found by Gauss-Newton steps on the standardised grey
    values; of all steps the one counts in which these were most alike.
    """
    wanted = _standardised(small)
    slopes, solver = _slopes(wanted.reshape(small.shape))
    best, best_at = np.full(len(small), -1, dtype=np.float32), at.copy()
    for step in range(_STEPS):
        values = _standardised(_part(large, at))
        score = np.einsum("np,np->n", values, wanted) / wanted.shape[1]
        better = score > best
        best[better], best_at[better] = score[better], at[better]
        if step < _STEPS - 1:
            error = slopes @ (values - wanted)[:, :, None]
            at = _moved(at, (solver @ error)[:, :, 0])
    return _correlation(_detail(_part(large, best_at)), _detail(small))


def _slopes(pictures: Pictures) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """``(n, 4, 1024)`` how pictures change with scale and shift; what solves for these."""
    n = len(pictures)
    down, across = np.gradient(pictures, axis=(1, 2))
    y, x = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32) - np.float32(_CENTRE)
    slopes = np.stack([across * x, across, down * y, down], axis=1).reshape(n, 4, _SIDE**2)
    slopes -= slopes.mean(axis=2, keepdims=True)
    products = slopes @ slopes.swapaxes(1, 2)
    ridge = 1e-3 * np.trace(products, axis1=1, axis2=2)[:, None, None] / 4 + 1e-3
    solver = np.linalg.inv(products + ridge * np.eye(4, dtype=np.float32))
    return np.asarray(slopes, dtype=np.float32), np.asarray(solver, dtype=np.float32)


def _moved(at: NDArray[np.float32], step: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale and shift of x and of y after a step, which is taken back from them."""
    at = at.copy()
    for scale, shift in ((0, 1), (2, 3)):
        grown = np.clip(1 + step[:, scale], 0.8, 1.25)
        at[:, shift] -= at[:, scale] * step[:, shift] / grown
        at[:, scale] = np.clip(at[:, scale] / grown, _LEAST_SCALE, _MOST_SCALE)
        room = np.maximum(_CENTRE * (1 - at[:, scale]), 0) + _MARGIN
        at[:, shift] = np.clip(at[:, shift], -room, room)
    return at


def _part(pictures: Pictures, at: NDArray[np.float32]) -> Pictures:
    """The parts of pictures at some scale and shift, as 32 x 32 grey values between their own."""
    columns = _weights(at[:, :1] * _line() + at[:, 1:2])
    rows = _weights(at[:, 2:3] * _line() + at[:, 3:])
    return np.asarray(rows @ pictures @ columns.swapaxes(1, 2))


def _line() -> NDArray[np.float32]:
    """The pixels of a line, counted from its middle."""
    return np.arange(_SIDE, dtype=np.float32) - np.float32(_CENTRE)


def _weights(at: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(n, 32, 32)`` what each pixel of a line adds to the values at some places of it."""
    at = np.clip(at + np.float32(_CENTRE), 0, _SIDE - 1)
    apart = np.abs(at[:, :, None] - np.arange(_SIDE, dtype=np.float32))
    return np.asarray(np.maximum(0, 1 - apart))
