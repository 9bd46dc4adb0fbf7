"""Select the images of an export, and count those that are left out by the reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from organizer.errors import PluginError, SettingsError
from organizer.library.exports.columns import CaptureColumns
from organizer.library.exports.detections import DetectionColumns
from organizer.library.exports.membership import Membership
from organizer.library.exports.options import ExportOptions
from organizer.protocols import CompleteExporter, Exporter, NeedyExporter, StillsExporter
from organizer.store import Store
from organizer.store.detections import QUARANTINED_CATEGORIES
from organizer.store.file_lists import FileLists
from organizer.store.ids import IdArray, contains_ids, pack_ids
from organizer.store.vectors import VectorRows
from organizer.types import KIND, Vectors

_TITLES = {"taken_at": "time", "deployments": "deployment"}
_HINTS = {
    "deployments": "organizer deployments shows which folders are of which deployment",
    "taken_at": "a time is never guessed",
}


@dataclass(frozen=True, slots=True)
class SelectedImages:
    """The images of an export, and the numbers of those that are left out.

    Attributes:
        ids: The images; packed and ascending.
        missing: All of their files are missing.
        without_vector: There is no vector of them.
        people: They show a person or a vehicle.
        incomplete: They lack what the format needs, by what they lack.
        videos: The format holds none.
    """

    ids: IdArray
    missing: int = 0
    without_vector: int = 0
    people: int = 0
    incomplete: dict[str, int] = field(default_factory=dict)
    videos: int = 0


@dataclass(frozen=True, slots=True)
class KnownColumns:
    """What is known of the images of a library, to be looked up by packed id.

    Attributes:
        files: Their files.
        membership: Their clusters.
        detections: Their detections.
        capture: How they were taken.
        vectors: Those of images or of crops; None where none are exported.
        of_crops: Whether they are of crops: an image has that of the crop that gives its cluster.
    """

    files: FileLists
    membership: Membership
    detections: DetectionColumns
    capture: CaptureColumns
    vectors: VectorRows | None
    of_crops: bool

    def has_vector(self, ids: IdArray) -> NDArray[np.bool_]:
        """For each image whether there is a vector, where vectors are exported."""
        if self.vectors is None:
            return np.ones(len(ids), dtype=np.bool_)
        return self.vectors.has(self._keys(ids))

    def vectors_of(self, ids: IdArray) -> Vectors | None:
        """``(n, dim)`` float32 vectors of images; None where none are exported."""
        return None if self.vectors is None else self.vectors.of(self._keys(ids))

    def _keys(self, ids: IdArray) -> IdArray:
        return self.detections.representing(ids) if self.of_crops else ids


def select_images(
    store: Store, part: Exporter, options: ExportOptions, known: KnownColumns
) -> SelectedImages:
    """Select the images that are asked for and have all that the format needs.

    Raises:
        ClusteringError: Clusters are named, and there is no clustering yet.
        SettingsError: There is no such cluster; or some images lack what the format needs, and they
            are not to be left out.
        PluginError: The format needs what no image has.
    """
    inside = known.membership.within(store, options.clusters)
    ids = np.sort(pack_ids(store.photos.columns("image_id")["image_id"]))
    ids = ids[known.files.has(ids, only_present=False)]  # the others are not committed yet
    if inside is not None:
        ids = known.detections.with_crop_in(ids, inside)
    every = len(ids)
    ids = ids[known.has_vector(ids)]
    with_vector = len(ids)
    if not options.include_missing:
        ids = ids[known.files.has(ids, only_present=True)]
    present = len(ids)
    if isinstance(part, StillsExporter) and not part.takes_videos:
        ids = ids[~contains_ids(_videos(store), ids)]
    still = len(ids)
    if not store.photos.with_people:
        ids = ids[~contains_ids(_people(store), ids)]
    shown = len(ids)
    ids, incomplete = _complete(part, ids, known.capture, options)
    return SelectedImages(
        ids,
        missing=with_vector - present,
        without_vector=every - with_vector,
        people=still - shown,
        videos=present - still,
        incomplete=incomplete,
    )


def _videos(store: Store) -> IdArray:
    """The ascending ids of the videos."""
    found = store.photos.columns("image_id", "extra")
    mark = json.dumps(KIND)
    texts = zip(found["image_id"].tolist(), found["extra"].tolist(), strict=True)
    ids = [i for i, text in texts if text and mark in text and json.loads(text).get(KIND)]
    return np.sort(pack_ids(ids))


def _people(store: Store) -> IdArray:
    """The ascending ids of the quarantined images."""
    return np.sort(pack_ids(store.detections.images_with(QUARANTINED_CATEGORIES)))


def _complete(
    part: Exporter, ids: IdArray, columns: CaptureColumns, options: ExportOptions
) -> tuple[IdArray, dict[str, int]]:
    """The images that have all that the format needs, and the number of the others by the lack."""
    lacking: dict[str, int] = {}
    needs = sorted(part.needs) if isinstance(part, NeedyExporter) else []
    for name in needs:
        if name not in _TITLES:
            raise PluginError(
                f"{type(part).__name__} needs {name} of every image",
                f"an exporter can ask for {' and '.join(_TITLES)}: report it to its author",
            )
        keep = columns.knows(name, ids)
        if not keep.all():
            lacking[_TITLES[name]] = int(np.count_nonzero(~keep))
            ids = ids[keep]
    if lacking and not options.leave_out_incomplete and not isinstance(part, CompleteExporter):
        ways = "; ".join(_HINTS[name] for name, title in _TITLES.items() if title in lacking)
        raise SettingsError(
            f"this format cannot hold some of the images: {' and '.join(lacking_texts(lacking))}",
            f"{ways}; --leave-out-incomplete goes on without them",
        )
    return ids, lacking


def lacking_texts(incomplete: Mapping[str, int]) -> list[str]:
    """What images lack, a text each: "3 without a time"."""
    return [f"{number:,} without a {title}" for title, number in incomplete.items()]
