"""What a person decided about images, as constraints of K-means.

A fixed image stays with its owner in every iteration (Constrained K-means: Basu, Banerjee and
Mooney 2002); a banned one never joins (the rule of COP-K-means: Wagstaff et al. 2001).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.errors import ClusteringError
from organizer.types import Labels

FREE = -1
"""In `fixed`: the image may be anywhere."""


@dataclass(frozen=True, slots=True)
class RowConstraints:
    """Which centroids the constrained rows may have.

    Attributes:
        rows: ``(m,)`` int64, ascending: the rows that are fixed or banned from somewhere.
        fixed: ``(m,)`` int64, the owner of each, or -1.
        banned: ``(b, 2)`` int64, position in `rows` and owner.
        owners: ``(k,)`` int64, whose each centroid is.
    """

    rows: Labels
    fixed: Labels
    banned: Labels
    owners: Labels

    def allowed(self, positions: slice) -> NDArray[np.bool_]:
        """Which centroids some of the rows may have, ``(len, k)``."""
        fixed = self.fixed[positions]
        free = fixed == FREE
        allowed = free[:, None] | (fixed[:, None] == self.owners)
        start = positions.start or 0
        inside = (self.banned[:, 0] >= start) & (self.banned[:, 0] < start + len(fixed))
        for position, owner in self.banned[inside]:
            allowed[position - start] &= self.owners != owner
        return np.asarray(allowed)

    def of_rows(self, kept: Labels) -> RowConstraints:
        """The same where only some rows are left; `kept` is ascending and has all of `rows`."""
        rows = np.searchsorted(kept, self.rows).astype(np.int64)
        return RowConstraints(rows, self.fixed, self.banned, self.owners)

    def seeds(self) -> dict[int, Labels]:
        """The fixed rows of each owner that has some."""
        owners = np.unique(self.fixed[self.fixed != FREE])
        return {int(owner): self.rows[self.fixed == owner] for owner in owners}


def row_constraints(
    n: int,
    k: int,
    *,
    fixed: Labels | None = None,
    banned: Labels | None = None,
    owners: Labels | None = None,
) -> RowConstraints:
    """Check the constraints of a K-means, and keep them by constrained row.

    Raises:
        ClusteringError: The arrays do not fit, or contradict each other.
    """
    owners = np.arange(k) if owners is None else np.asarray(owners, dtype=np.int64)
    fixed = np.full(n, FREE) if fixed is None else np.asarray(fixed, dtype=np.int64)
    banned = np.asarray([] if banned is None else banned, dtype=np.int64).reshape(-1, 2)
    if len(owners) != k or len(fixed) != n:
        raise ClusteringError(
            f"{len(owners)} owners and {len(fixed)} fixed do not fit {k} clusters of {n} images"
        )
    if len(banned) and not (banned[:, 0].min() >= 0 and banned[:, 0].max() < n):
        raise ClusteringError(f"an image is banned that is not among the {n}")
    unknown = np.setdiff1d(fixed[fixed != FREE], owners)
    if len(unknown):
        raise ClusteringError(f"images are fixed to {int(unknown[0])}, which has no centroid")
    rows = np.union1d(np.flatnonzero(fixed != FREE), banned[:, 0]).astype(np.int64)
    places = np.column_stack([np.searchsorted(rows, banned[:, 0]), banned[:, 1]])
    found = RowConstraints(rows, fixed[rows], places.astype(np.int64), owners)
    _refuse_contradictions(found)
    return found


def _refuse_contradictions(found: RowConstraints) -> None:
    clash = found.fixed[found.banned[:, 0]] == found.banned[:, 1]
    if clash.any():
        position, owner = found.banned[clash][0]
        row = int(found.rows[position])
        raise ClusteringError(f"image {row} is fixed to {owner} and banned from it")
    n_owners = len(np.unique(found.owners))
    pairs = np.unique(found.banned[np.isin(found.banned[:, 1], found.owners)], axis=0)
    bans = np.bincount(pairs[:, 0], minlength=len(found.rows))
    everywhere = np.flatnonzero(bans >= n_owners)
    if len(everywhere):
        raise ClusteringError(f"image {int(found.rows[everywhere[0]])} is banned everywhere")
