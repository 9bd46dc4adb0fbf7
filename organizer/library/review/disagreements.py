"""Images most of whose neighbours are in another cluster."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.evaluate.disagreement import DOUBTFUL_FROM, neighbour_disagreement
from organizer.types import NOISE, Labels, Vectors

ALL_UP_TO = 20_000


_LEAST_SURE = 5_000


@dataclass(frozen=True, slots=True)
class Disagreements:
    """Images most of whose neighbours are in another cluster, the worst first.

    Attributes:
        rows: ``(m,)`` int64, the images.
        shares: ``(m,)`` float64, the share of the neighbours that are elsewhere.
        others: ``(m,)`` int64, the cluster that most of these are in.
    """

    rows: Labels
    shares: NDArray[np.float64]
    others: Labels

    def without(self, image_ids: NDArray[np.object_], hidden: Collection[str]) -> Disagreements:
        """The same without images that may not be shown."""
        if not hidden:
            return self
        keep = ~np.isin(image_ids[self.rows], list(hidden))
        return Disagreements(self.rows[keep], self.shares[keep], self.others[keep])


def find_disagreements(
    vectors: Vectors,
    labels: Labels,
    margins: NDArray[np.floating],
    *,
    cluster_ids: Sequence[int] = (),
) -> Disagreements:
    """Find the images whose neighbours disagree with their cluster.

    Args:
        vectors: ``(n, dim)`` float32 or float16 of unit length.
        labels: ``(n,)`` int64 clusters; NOISE for none.
        margins: ``(n,)``, how much farther the second nearest cluster is; of images with equal
            shares the one with the smaller margin comes first, and of very many images only those
            with the smallest margins are looked up.
        cluster_ids: The clusters to which the search is limited; all where empty.
    """
    rows = _rows_to_look_up(labels, margins, cluster_ids)
    shares, others = neighbour_disagreement(vectors, labels, rows=rows)
    order = np.lexsort((margins[rows], -shares))
    order = order[shares[order] >= DOUBTFUL_FROM]
    return Disagreements(rows[order], shares[order], others[order])


def _rows_to_look_up(
    labels: Labels, margins: NDArray[np.floating], cluster_ids: Sequence[int]
) -> Labels:
    """The images whose neighbours are looked up; of very many, those with the smallest margins."""
    wanted = labels != NOISE
    if cluster_ids:
        wanted &= np.isin(labels, list(cluster_ids))
    rows = np.flatnonzero(wanted)
    if len(rows) > ALL_UP_TO:
        rows = np.sort(rows[np.argsort(margins[rows], kind="stable")[:_LEAST_SURE]])
    return rows
