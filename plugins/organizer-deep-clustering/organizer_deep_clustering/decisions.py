"""What a person decided, as it bears on the assignments of a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.constrained import FREE, row_constraints
from organizer.types import Labels


@dataclass(frozen=True, slots=True)
class HeldDecisions:
    """The decisions about the images of a training.

    Attributes:
        decided: ``(n,)`` int64 the cluster of each image, or -1.
        banned: ``(m, 2)`` int64 rows, and clusters that they are not of.
    """

    decided: Labels
    banned: Labels

    @classmethod
    def checked(cls, decided: Labels, banned: Labels, *, n_clusters: int) -> Self:
        """HeldDecisions that do not contradict each other.

        Raises:
            ClusteringError: They do, or name an image or a cluster that is not there.
        """
        decided = np.asarray(decided, dtype=np.int64)
        banned = np.asarray(banned, dtype=np.int64).reshape(-1, 2)
        row_constraints(len(decided), n_clusters, fixed=decided, banned=banned)
        return cls(decided, banned)

    def among(self, clusters: Labels) -> Self:
        """The same where cluster number ``clusters[j]`` is the one at place j; others are gone.

        Args:
            clusters: ``(k,)`` int64, ascending; all decided ones are among them.
        """
        fixed = np.where(
            self.decided == FREE, FREE, np.searchsorted(clusters, np.maximum(self.decided, 0))
        )
        there = np.isin(self.banned[:, 1], clusters)
        banned = self.banned[there].copy()
        banned[:, 1] = np.searchsorted(clusters, banned[:, 1])
        return type(self)(fixed.astype(np.int64), banned)

    @property
    def rows(self) -> Labels:
        """``(m,)`` int64 the images whose cluster is decided, ascending."""
        return np.flatnonzero(self.decided != FREE)

    def of_rows(self, rows: Labels) -> Self:
        """The same of some rows alone, ``(b,)`` int64, each of which is there once."""
        if not len(self.banned):
            return type(self)(self.decided[rows], self.banned)
        order = np.argsort(rows)
        places = np.searchsorted(rows, self.banned[:, 0], sorter=order)
        places = order[np.minimum(places, len(rows) - 1)]
        there = rows[places] == self.banned[:, 0]
        banned = np.column_stack([places[there], self.banned[there, 1]])
        return type(self)(self.decided[rows], banned.astype(np.int64))

    def held_distances(self, distances: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(n, k)`` distances, infinite where a decision forbids the cluster; changed in place."""
        distances[self.banned[:, 0], self.banned[:, 1]] = np.inf
        distances[self.rows] = np.inf
        distances[self.rows, self.decided[self.rows]] = 0
        return distances

    def held_shares(self, shares: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(n, k)`` soft assignments that keep to the decisions; changed in place.

        A decided image is all its cluster's; a banned one has none of what it is not of.
        """
        rows = np.unique(self.banned[:, 0])
        if len(rows):
            allowed = np.ones((len(rows), shares.shape[1]), dtype=bool)
            allowed[np.searchsorted(rows, self.banned[:, 0]), self.banned[:, 1]] = False
            # The least number keeps a row whose other shares are rounded to zero from having none.
            left = np.where(allowed, np.maximum(shares[rows], np.finfo(np.float32).tiny), 0)
            shares[rows] = left / left.sum(axis=1, keepdims=True)
        shares[self.rows] = 0
        shares[self.rows, self.decided[self.rows]] = 1
        return shares
