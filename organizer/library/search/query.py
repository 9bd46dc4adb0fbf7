"""The vector that a search looks for: of one picture, or of several liked and unliked ones."""

from __future__ import annotations

import numpy as np

from organizer.cluster.incremental import unit_rows
from organizer.types import Vectors

_UNLIKED = 0.25
"""The weight of what is unliked. Of 0, 0.25, 0.5, 0.75 and 1 the best on photos of four wild cats
and of twenty kinds of things; see docs/how-to/search.md."""


def combined_query(likes: Vectors, unlikes: Vectors) -> Vectors:
    """``(dim,)`` float32: the mean direction of what is liked, less a quarter of the other's.

    This is the feedback of Rocchio (1971, Relevance feedback in information retrieval) with the
    usual small weight for what is not relevant.

    Args:
        likes: ``(n, dim)``, at least one.
        unlikes: ``(m, dim)``, also none.
    """
    if len(likes) == 1 and not len(unlikes):
        return np.asarray(likes[0], dtype=np.float32)
    query = unit_rows(likes).mean(axis=0)
    if len(unlikes):
        query = query - _UNLIKED * unit_rows(unlikes).mean(axis=0)
    return np.asarray(query, dtype=np.float32)
