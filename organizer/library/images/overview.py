"""All images of a library side by side, column by column: what lists and maps are made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.library.images.capture import CaptureInfo, info_of, read_capture_info
from organizer.paths import native_path
from organizer.settings import Settings
from organizer.store import Store, StoredClustering
from organizer.store.ids import IdRows, pack_ids
from organizer.types import NOISE, Assignments, AssignmentState, Labels, is_crop_embedder


@dataclass(frozen=True)
class PhotoColumns:
    """What is known of every image by its file; it changes with the photos, not with decisions.

    Attributes:
        image_ids: ``(n,)`` the photos in the order of their ingest, or the crops that are
            clustered.
        paths: ``(n,)`` a file of each: a present one before a missing one, then by path.
        is_missing: ``(n,)`` whether no file of it was there when last looked for.
        ratios: ``(n,)`` int64, width over height in hundredths; NOISE where unknown.
        capture: How they were taken.
        is_hidden: ``(n,)`` whether people or vehicles are in the photo.
    """

    image_ids: NDArray[np.object_]
    paths: NDArray[np.object_]
    is_missing: NDArray[np.bool_]
    ratios: Labels
    capture: CaptureInfo
    is_hidden: NDArray[np.bool_]

    @cached_property
    def rows(self) -> IdRows:
        """The row of each image."""
        return IdRows(self.image_ids.tolist())

    @cached_property
    def id_ranks(self) -> Labels:
        """``(n,)`` the place of each image in the order of the ids."""
        ranks = np.empty(len(self.image_ids), dtype=np.int64)
        ranks[np.argsort(pack_ids(self.image_ids.tolist()))] = np.arange(len(ranks))
        return ranks

    @cached_property
    def path_ranks(self) -> Labels:
        """``(n,)`` the place of each image in the order of the paths."""
        return _ranks(self.paths.tolist())

    @cached_property
    def time_ranks(self) -> Labels:
        """``(n,)`` the place of each image in the order of the times, those without one last."""
        return self.capture.ranks


@dataclass(frozen=True)
class ImageOverview:
    """Every image of a library: by its file, and by its cluster.

    Attributes:
        photos: By its file.
        clustering: The current clustering; None where there is none.
        cluster_ids: ``(n,)`` int64; NOISE for an image that is unassigned or not clustered.
        candidates: ``(n,)`` int64, the nearest cluster of an unassigned image.
        distances: ``(n,)`` float32; NaN for an image that is not clustered.
        margins: ``(n,)`` float32, likewise.
        states: ``(n,)`` values of `AssignmentState`; None for an image that is not clustered.
            DECIDED is one that a person put there: not one that only represents its cluster, which
            a merge or a split keeps together without anybody having looked at it.
        since: ``(n,)`` int64, the ingest that assigned it; NOISE for one that is not clustered.
    """

    photos: PhotoColumns
    clustering: StoredClustering | None
    cluster_ids: Labels
    candidates: Labels
    distances: NDArray[np.float32]
    margins: NDArray[np.float32]
    states: NDArray[np.object_]
    since: Labels

    def __len__(self) -> int:
        return len(self.cluster_ids)


def read_photos(
    store: Store, clustering: StoredClustering | None, *, settings: Settings
) -> PhotoColumns:
    """Read what is known of all photos, or of the crops where crops are clustered.

    A hundred thousand photos take about a second; see `PhotoColumns` for when it changes.
    """
    capture = read_capture_info(store, settings=settings)
    ids = list(capture.image_ids)
    found = store.photos.columns("image_id", "width", "height")  # more of them during an ingest
    at = IdRows(found["image_id"].tolist()).of(ids)
    ratios = _ratios(found["width"], found["height"])
    ratios = np.where(at == NOISE, NOISE, ratios[at]) if len(ratios) else at
    frames = ids
    if clustering is not None and is_crop_embedder(clustering.embedder):
        members = store.clusterings.assignments(clustering.clustering_id).image_ids.tolist()
        crops = store.detections.crops(members)
        ids = [i for i in members if i in crops]
        frames = [crops[i].image_id for i in ids]
        shapes = [crops[i].box.width / max(crops[i].box.height, 1e-9) for i in ids]
        ratios = _cut(ratios, IdRows(capture.image_ids).of(frames), shapes)
        capture = info_of(capture, frames, ids)
    hidden = store.photos.hidden(frames)
    return PhotoColumns(
        image_ids=_objects(ids),
        paths=_objects([native_path(path) for path in capture.paths]),
        is_missing=capture.is_missing,
        ratios=ratios,
        capture=capture,
        is_hidden=np.array([i in hidden for i in frames], dtype=np.bool_)
        if hidden
        else np.zeros(len(frames), dtype=np.bool_),
    )


def join_members(
    photos: PhotoColumns,
    clustering: StoredClustering | None,
    members: Assignments,
    *,
    moved: Collection[str],
) -> ImageOverview:
    """Join what is known of the photos with the current clusters.

    Args:
        photos: The photos, read for the current clustering.
        clustering: It; None where there is none.
        members: Its members; those that are not among the photos are left out.
        moved: The images that a person put where they are.
    """
    n = len(photos.image_ids)
    at = photos.rows.of(members.image_ids.tolist())
    known = at != NOISE
    at = at[known]

    def column(values: NDArray[Any], empty: Any) -> NDArray[Any]:
        whole: NDArray[Any] = np.full(n, empty, dtype=values.dtype)
        whole[at] = values[known]
        return whole

    states = column(members.states, None)
    decided = np.flatnonzero(states == AssignmentState.DECIDED.value)
    unseen = [row for row in decided.tolist() if photos.image_ids[row] not in moved]
    states[unseen] = AssignmentState.AUTO.value
    return ImageOverview(
        photos=photos,
        clustering=clustering,
        cluster_ids=column(members.cluster_ids, NOISE),
        candidates=column(members.candidates, NOISE),
        distances=column(members.distances, np.nan),
        margins=column(members.margins, np.nan),
        states=states,
        since=column(members.since, NOISE),
    )


def _ratios(widths: NDArray[np.object_], heights: NDArray[np.object_]) -> Labels:
    """Width over height in hundredths; NOISE where one of them is unknown."""
    width, height = widths.astype(np.float64), heights.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.round(100 * width / height)
    return np.where(np.isfinite(ratio) & (ratio > 0), ratio, NOISE).astype(np.int64)


def _cut(ratios: Labels, rows: Labels, shapes: Sequence[float]) -> Labels:
    """The ratios of boxes, of which the shapes are shares of their frames."""
    known = (rows != NOISE) & (ratios[rows] != NOISE)
    cut = np.maximum(np.round(ratios[rows] * np.array(shapes, dtype=np.float64)), 1)
    return np.where(known, cut, NOISE).astype(np.int64)


def _objects(values: Sequence[object]) -> NDArray[np.object_]:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _ranks(keys: Sequence[object]) -> Labels:
    """The place of each key in their order; equal keys have equal places."""
    place = {key: rank for rank, key in enumerate(sorted(set(keys)))}  # type: ignore[type-var]
    return np.array([place[key] for key in keys], dtype=np.int64)
