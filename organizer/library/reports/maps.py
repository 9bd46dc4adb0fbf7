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


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """A map before it has pictures.

    Attributes:
        method: How it was drawn.
        rows: ``(m,)`` the images.
        xy: ``(m, 2)`` where they are.
        spots: The rows of `xy` that are shown as pictures.
    """

    method: str
    rows: Labels
    xy: Vectors
    spots: Labels


def draw_map(
    vectors: Vectors, labels: Labels, method: MapMethod, *, seed: int, progress: Progress
) -> DrawnMap | None:
    """Draw the map of images, of very many a sample, and choose those shown as pictures."""
    if method == "none" or not len(vectors):
        return None
    rows = sample_rows(len(vectors), seed=seed)
    progress.begin(f"drawing the map of {len(rows):,} images", None)
    xy = project(vectors[rows], method=method, seed=seed)
    at = spots(xy, cluster_ids=labels[rows], size=SPOT_SIZE, limit=SPOTS)
    return DrawnMap(method, rows, xy, at)


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
    kept = drawn.spots[keep[drawn.spots]]
    return replace(drawn, rows=drawn.rows[keep], xy=drawn.xy[keep], spots=number[kept])
