"""The map of a report: images laid out in the plane by their vectors."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from organizer.library.progress import Progress
from organizer.reduce.projection import project
from organizer.report.spots import spots
from organizer.types import Assignments, Labels, Vectors

MapMethod = Literal["pca", "tsne", "umap", "none"]
MAPPED = 10_000
"""Points of a map; of more images a seeded sample."""
SPOTS, SPOT_SIZE = 240, 0.08
HOVER = 1_000
"""Points of a map of which each has a picture, some 3 kB in the page; on a larger map only the
spots have one."""


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """A map before it has pictures.

    Attributes:
        method: How it was drawn.
        rows: ``(m,)`` the images.
        xy: ``(m, 2)`` where they are.
        spots: The rows of `xy` that are shown as pictures.
        hover: Other rows of `xy`, whose picture is shown when they are pointed at.
    """

    method: str
    rows: Labels
    xy: Vectors
    spots: Labels
    hover: Labels


def draw_map(
    vectors: Vectors,
    labels: Labels,
    method: MapMethod,
    *,
    seed: int,
    progress: Progress,
    with_hover: bool = False,
) -> DrawnMap | None:
    """Draw the map of images, of very many a sample, and choose those shown as pictures."""
    if method == "none" or not len(vectors):
        return None
    rows = sample_rows(len(vectors), seed=seed)
    progress.begin(f"drawing the map of {len(rows):,} images", None)
    xy = project(vectors[rows], method=method, seed=seed)
    at = spots(xy, cluster_ids=labels[rows], size=SPOT_SIZE, limit=SPOTS)
    with_hover = with_hover and len(rows) <= HOVER
    hover = np.setdiff1d(np.arange(len(rows)), at) if with_hover else at[:0]
    return DrawnMap(method, rows, xy, at, hover)


def sample_rows(count: int, *, seed: int) -> Labels:
    """The rows of which a map is drawn, ascending: all, or of very many a seeded sample."""
    rows = np.arange(count)
    if count <= MAPPED:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, MAPPED, replace=False))


def without_hidden(
    drawn: DrawnMap | None, members: Assignments, hidden: Collection[str]
) -> DrawnMap | None:
    """The map without the images that may not be shown."""
    if drawn is None or not hidden:
        return drawn
    keep = ~np.isin(members.image_ids[drawn.rows], list(hidden))
    number = np.cumsum(keep) - 1
    return replace(
        drawn,
        rows=drawn.rows[keep],
        xy=drawn.xy[keep],
        spots=number[drawn.spots[keep[drawn.spots]]],
        hover=number[drawn.hover[keep[drawn.hover]]],
    )
