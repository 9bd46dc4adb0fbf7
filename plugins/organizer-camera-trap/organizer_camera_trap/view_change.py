"""Vectors of a camera's photos in time -> when its view changed and stayed so.

The background is most of what the median of many photos of one camera shows: animals come and go,
the place stays. So the photos are taken some at a time, each with its median vector, and a moment
is looked for from which on all medians are far from the one before: several times as far as those
before it are from each other, and from each other too. A slow change, as of leaves, widens what is
normal; one odd night is not what stays. Why a view changed is not told by this: a camera that was
knocked, covered or moved, and the first snow, all change it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.types import Labels, Vectors

_TOGETHER = 5
"""Bursts whose median is one look at the background: an animal is in two of them at most."""
_BEFORE, _AFTER = 4, 2
"""Looks that have to be before a change and after it."""
_FAR = 2.0
"""How many times as far as usual, at the least, the looks after a change are from those before."""
_DEVIATIONS = 4.0
"""Robust deviations of what is usual that they are beyond it, at the least."""
_NEAR = 3
"""Looks on either side of a change that have to be as far from each other: it came at once."""
_MOST = 200
"""Looks at a camera; where there would be more, more bursts are taken together."""

LEAST = _TOGETHER * (_BEFORE + _AFTER)
"""Fewer bursts tell nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """Where a series of vectors changed and stayed so.

    Attributes:
        row: The first after the change.
        times_usual: How many times as far as usual the ones after it are from those before.
    """

    row: int
    times_usual: float


def find_change(vectors: Vectors) -> Change | None:
    """Find the place from which on vectors differ from all before it, and go on to.

    Args:
        vectors: ``(n, dim)`` float32, in the order of time, one a burst.

    Returns:
        None where there is no such place, or too few vectors to tell.
    """
    if len(vectors) < LEAST:
        return None
    size = max(_TOGETHER, -(-len(vectors) // _MOST))
    starts: Labels = np.arange(0, len(vectors) - size + 1, size, dtype=np.int64)
    ends = [*starts[1:].tolist(), len(vectors)]
    looks = np.stack([median_vector(vectors[a:b]) for a, b in zip(starts, ends, strict=True)])
    apart = _distances(looks)
    at = _place(apart)
    # The look in which the change is may hold photos from before and after it: it is left out.
    both = (range(at), range(at, len(looks)))
    without = ((both[0], both[1][1:]), (both[0][:-1], both[1]))
    sides = [s for s in (both, *without) if len(s[0]) >= _BEFORE and len(s[1]) >= _AFTER]
    found = max(_times_usual(apart, *map(np.array, side)) for side in sides)
    return Change(_first_after(vectors, looks, starts, at), found) if found >= _FAR else None


def median_vector(vectors: Vectors) -> Vectors:
    """``(dim,)`` of unit length: the median of some vectors, number by number."""
    middle = np.median(_unit(vectors), axis=0)
    return np.asarray(_unit(middle[None])[0], dtype=np.float32)


def _place(apart: NDArray[np.float64]) -> int:
    """The place that parts the looks into two runs that are each as much alike as can be."""
    n = len(apart)
    spread = {
        at: apart[:at, :at].sum() / at + apart[at:, at:].sum() / (n - at)
        for at in range(_BEFORE, n - _AFTER + 1)
    }
    return min(spread, key=lambda at: spread[at])


def _times_usual(
    apart: NDArray[np.float64], before: NDArray[np.int64], after: NDArray[np.int64]
) -> float:
    """How many times as far as usual the looks after a place are from those before; 0 for none.

    Of each look its median distance counts: to those before, and to the others of its own side.
    """
    usual = np.concatenate([_within(apart, side) for side in (before, after)])
    middle = float(np.median(usual))
    deviation = 1.4826 * float(np.median(np.abs(usual - middle)))
    over = np.median(apart[np.ix_(after, before)], axis=1)
    at_once = float(np.median(apart[np.ix_(after[:_NEAR], before[-_NEAR:])]))
    least = min(at_once, float(np.quantile(over, 0.1)))
    if least <= middle + _DEVIATIONS * deviation:
        return 0.0
    return least / max(middle, 1e-6)


def _within(apart: NDArray[np.float64], side: NDArray[np.int64]) -> NDArray[np.float64]:
    """The median distance of each look to the others of its side."""
    own = apart[np.ix_(side, side)]
    others = own[~np.eye(len(side), dtype=np.bool_)].reshape(len(side), -1)
    return np.asarray(np.median(others, axis=1))


def _first_after(vectors: Vectors, looks: Vectors, starts: Labels, at: int) -> int:
    """The first vector that is nearer to the looks after a change than to those before."""
    before, after = median_vector(looks[:at]), median_vector(looks[at:])
    begin, end = int(starts[at - 1]), int(starts[min(at + 1, len(starts) - 1)])
    part = _unit(vectors[begin:end])
    is_after = part @ after > part @ before
    right = [int(np.sum(~is_after[:k]) + np.sum(is_after[k:])) for k in range(len(part) + 1)]
    return begin + int(np.argmax(right))


def _distances(looks: Vectors) -> NDArray[np.float64]:
    """``(n, n)`` 1 minus the cosines."""
    exact = looks.astype(np.float64)
    return np.clip(1 - exact @ exact.T, 0, None)


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
