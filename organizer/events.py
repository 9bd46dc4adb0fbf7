"""Times and cameras -> bursts and events: photos of one camera that soon follow each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from organizer.types import NOISE, Labels

_LEAST_LAPSES = 12
"""Photos at regular intervals that are time lapse; cameras take ten of one trigger at most."""
_LEAST_INTERVAL = 5
"""Seconds; photos that follow each other sooner are of a trigger."""
_MOST_INTERVALS = 5
"""Intervals of one camera that are looked for, the most frequent first."""
_EXACT = 0.8
"""The share of intervals that are regular to the second; others may be off by one."""


def group_in_time(
    taken_at: Sequence[str | None],
    cameras: Sequence[str | None],
    *,
    gap: float,
    alone: NDArray[np.bool_] | None = None,
) -> Labels:
    """Number the bursts, or with a longer gap the events, from 0 in order of camera and time.

    The gap is measured from photo to photo, so that a burst may be longer than it. Photos of
    different cameras are never of one burst; those whose camera is unknown count as of one.

    Args:
        taken_at: Camera-local times, ISO 8601 without an offset; None where unknown.
        cameras: The camera of each photo; None where unknown.
        gap: Seconds up to which two photos are of one burst or event.
        alone: ``(n,)`` whether each photo is a burst of its own, such as one of a time lapse: it
            joins no others, and parts none. None for no photo.

    Returns:
        ``(n,)`` int64; NOISE for a photo without a time.
    """
    found = np.full(len(taken_at), NOISE, dtype=np.int64)
    known, times, camera = _timed(taken_at, cameras)
    if not len(known):
        return found
    order = np.lexsort((times, camera))
    is_alone = np.zeros(len(known), dtype=bool) if alone is None else alone[known][order]
    firsts = np.arange(len(known))
    chain = np.flatnonzero(~is_alone)
    is_first = np.ones(len(chain), dtype=bool)
    of, at = camera[order][chain], times[order][chain]
    is_first[1:] = (np.diff(of) != 0) | (np.diff(at) > gap)
    firsts[chain] = chain[is_first][np.cumsum(is_first) - 1] if len(chain) else chain
    found[known[order]] = np.unique(firsts, return_inverse=True)[1]
    return found


def find_time_lapse(
    taken_at: Sequence[str | None], cameras: Sequence[str | None], *, gap: float
) -> NDArray[np.bool_]:
    """Find photos that a camera took by the clock, not because something moved.

    These are twelve photos or more of one camera at one interval, of five seconds up to `gap`;
    photos of triggers may lie between them.

    Args:
        taken_at: Camera-local times, ISO 8601 without an offset; None where unknown.
        cameras: The camera of each photo; None where unknown.
        gap: Seconds up to which two photos are of one burst. Those that are longer apart are of
            none anyway.

    Returns:
        ``(n,)`` bool.
    """
    found = np.zeros(len(taken_at), dtype=np.bool_)
    known, times, camera = _timed(taken_at, cameras)
    order = np.lexsort((times, camera))
    begins = np.flatnonzero(np.diff(camera[order], prepend=-1))
    for rows in np.split(order, begins[1:]) if len(order) else ():
        at = times[rows]
        steps = np.diff(at)
        steps = steps[(steps >= _LEAST_INTERVAL) & (steps <= gap)]
        intervals, counts = np.unique(steps, return_counts=True)
        usual = np.argsort(-counts, kind="stable")[:_MOST_INTERVALS]
        for interval in intervals[usual[counts[usual] >= _LEAST_LAPSES // 2]].tolist():
            found[known[rows[_series(at, interval)]]] = True
    return found


def _timed(
    taken_at: Sequence[str | None], cameras: Sequence[str | None]
) -> tuple[Labels, Labels, Labels]:
    """The photos with a time; the seconds and the number of the camera of each."""
    known = np.array([i for i, time in enumerate(taken_at) if time], dtype=np.int64)
    times = np.array([taken_at[i] for i in known], dtype="datetime64[s]").astype(np.int64)
    if not len(known):
        return known, times, known
    names = [cameras[i] or "" for i in known]
    number = {name: place for place, name in enumerate(sorted(set(names)))}
    return known, times, np.array([number[name] for name in names], dtype=np.int64)


def _series(times: Labels, interval: int) -> NDArray[np.bool_]:
    """Which of some ascending times follow each other at an interval, to the second or one off."""
    n = len(times)
    following = np.full(n, NOISE, dtype=np.int64)
    is_exact = np.zeros(n, dtype=np.bool_)
    for off in (-1, 1, 0):  # the last counts: an exact one before others
        at = np.minimum(np.searchsorted(times, times + interval + off), n - 1)
        hit = times[at] == times + interval + off
        following[hit], is_exact[hit] = at[hit], off == 0
    found = np.zeros(n, dtype=np.bool_)
    seen = np.zeros(n, dtype=np.bool_)
    for start in np.flatnonzero(_after(following, _LEAST_LAPSES - 1) != NOISE).tolist():
        if seen[start]:
            continue
        series = [start]
        while (then := int(following[series[-1]])) != NOISE and not seen[then]:
            series.append(then)
        seen[series] = True
        exact = int(np.count_nonzero(is_exact[series[:-1]]))
        if len(series) >= _LEAST_LAPSES and exact >= _EXACT * (len(series) - 1):
            found[series] = True
    return found


def _after(following: Labels, steps: int) -> Labels:
    """Where so many steps lead from each place; NOISE where they end before."""
    at = np.arange(len(following))
    for _ in range(steps):
        at = np.where(at == NOISE, NOISE, following[at])
    return at
