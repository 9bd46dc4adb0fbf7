"""Choose the images of contact sheets, by rule: nobody picks the pretty ones."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from organizer.types import NOISE, Assignments, ClusterModels, Labels

TYPICAL_PICTURES = 10
"""Pictures of the most typical images: the medoid, then those nearest to the centroid."""

BORDER_PICTURES = 6
"""Pictures of the images at the border: those that were nearest to another cluster."""

UNASSIGNED_PICTURES = 24
"""Pictures of unassigned images, drawn at random."""

DOUBTFUL_PICTURES = 24
"""Pictures of images whose neighbours are in other clusters, the worst first."""

SHEETS = 80
"""Clusters that get a sheet, the largest first: with all of them a page has some 15 MB."""


@dataclass(frozen=True, slots=True)
class SheetImages:
    """The images of one sheet, as rows of the members.

    Attributes:
        typical: The medoid, then the members nearest to the centroid.
        border: Other members, those with the smallest margins first.
        with_medoid: Whether the first typical one is the medoid, which may be hidden.
    """

    typical: Labels
    border: Labels
    with_medoid: bool = True


def choose_sheet_images(
    members: Assignments,
    models: ClusterModels,
    hidden: Collection[str] = (),
    gone: Collection[str] = (),
) -> dict[int, SheetImages]:
    """Choose the sheets of the largest clusters, by cluster id.

    Hidden images are on none, images whose files are gone only where a cluster has no others.
    """
    ids, counts = np.unique(members.cluster_ids[members.cluster_ids != NOISE], return_counts=True)
    largest = ids[np.lexsort((ids, -counts))][:SHEETS]
    order = np.argsort(members.cluster_ids, kind="stable")
    first = np.searchsorted(members.cluster_ids[order], largest, side="left")
    last = np.searchsorted(members.cluster_ids[order], largest, side="right")
    medoids = _medoids(models)
    return {
        int(i): _choice(members, there if len(there) else rows, medoids.get(int(i)))
        for i, start, end in sorted(zip(largest, first, last, strict=True))
        if len(rows := visible_rows(members, order[start:end], hidden))
        for there in [visible_rows(members, rows, gone)]
    }


def sample_unassigned(members: Assignments, *, seed: int, hidden: Collection[str] = ()) -> Labels:
    """``(m,)`` the rows of a sample of the unassigned images."""
    unassigned = visible_rows(members, np.flatnonzero(members.cluster_ids == NOISE), hidden)
    if len(unassigned) > UNASSIGNED_PICTURES:
        unassigned = np.random.default_rng(seed).choice(
            unassigned, UNASSIGNED_PICTURES, replace=False
        )
    return np.sort(unassigned)


def visible_rows(members: Assignments, rows: Labels, hidden: Collection[str]) -> Labels:
    """The rows whose images may be shown."""
    return rows[~np.isin(members.image_ids[rows], list(hidden))] if hidden else rows


def _choice(members: Assignments, rows: Labels, medoid: str | None) -> SheetImages:
    nearest = rows[np.argsort(members.distances[rows], kind="stable")]
    is_medoid = members.image_ids[nearest] == medoid
    typical = np.concatenate([nearest[is_medoid], nearest[~is_medoid]])[:TYPICAL_PICTURES]
    others = rows[~np.isin(rows, typical)]
    border = others[np.argsort(members.margins[others], kind="stable")][:BORDER_PICTURES]
    return SheetImages(typical, border, bool(is_medoid.any()))


def _medoids(models: ClusterModels) -> dict[int, str]:
    """The medoid of each cluster; of one with several modes, that of the largest."""
    order = np.argsort(models.counts, kind="stable")
    return {int(models.cluster_ids[row]): models.medoids[row] for row in order}
