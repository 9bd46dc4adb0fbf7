"""Which images stay in their previous cluster though another one is a little nearer.

A new clustering of the same images moves those near the border between two clusters to and fro, for
no visible gain. An image changes its cluster only where that is clearly better; one
of a cluster that a person named only where it lies far nearer to another one.
`benchmarks/identity.py` measures what that costs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.incremental import PointPlacement

HYSTERESIS = 0.25
"""Standard deviations of the distances in its previous cluster by which another cluster must be
nearer to take an image."""

HYSTERESIS_NAMED = 2.0
"""The same for a cluster that a person named or pinned."""


def keeps_cluster(
    in_previous: PointPlacement, deviations: NDArray[np.float64], is_named: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether images stay where they were.

    Args:
        in_previous: Where the images lie in their previous clusters, as the new clustering has
            them; a margin is negative by how much nearer another cluster is.
        deviations: ``(n,)`` standard deviation of the distances in each one's previous cluster.
        is_named: ``(n,)`` whether a person named or pinned it.
    """
    most = np.where(is_named, HYSTERESIS_NAMED, HYSTERESIS) * deviations
    return np.asarray(-in_previous.margins <= most)
