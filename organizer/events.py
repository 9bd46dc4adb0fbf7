"""Times and cameras -> bursts and events: photos of one camera that soon follow each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from organizer.types import NOISE, Labels


def group_in_time(
    taken_at: Sequence[str | None], cameras: Sequence[str | None], *, gap: float
) -> Labels:
    """Number the bursts, or with a longer gap the events, from 0 in order of camera and time.

    The gap is measured from photo to photo, so that a burst may be longer than it. Photos of
    different cameras are never of one burst; those whose camera is unknown count as of one.

    Args:
        taken_at: Camera-local times, ISO 8601 without an offset; None where unknown.
        cameras: The camera of each photo; None where unknown.
        gap: Seconds up to which two photos are of one burst or event.

    Returns:
        ``(n,)`` int64; NOISE for a photo without a time.
    """
    found = np.full(len(taken_at), NOISE, dtype=np.int64)
    known = np.array([i for i, time in enumerate(taken_at) if time], dtype=np.int64)
    if not len(known):
        return found
    times = np.array([taken_at[i] for i in known], dtype="datetime64[s]").astype(np.int64)
    _, camera = np.unique([cameras[i] or "" for i in known], return_inverse=True)
    order = np.lexsort((times, camera))
    is_first = np.ones(len(known), dtype=bool)
    is_first[1:] = (np.diff(camera[order]) != 0) | (np.diff(times[order]) > gap)
    found[known[order]] = np.cumsum(is_first) - 1
    return found
