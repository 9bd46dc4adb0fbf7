"""Which images are in an export, and how many are left out for which reason."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from organizer.errors import PluginError, SettingsError
from organizer.library.exports.columns import CaptureColumns
from organizer.library.exports.detections import DetectionColumns
from organizer.library.exports.membership import Membership
from organizer.library.exports.options import ExportOptions
from organizer.protocols import Exporter, NeedyExporter
from organizer.store import Store
from organizer.store.detections import QUARANTINED_CATEGORIES
from organizer.store.file_lists import FileLists
from organizer.store.ids import IdArray, contains_ids, pack_ids
from organizer.store.vectors import VectorRows
from organizer.types import Vectors

_WORDS = {"taken_at": "time", "deployments": "deployment"}
_WAYS = {
    "deployments": "organizer deployments says which folders are of which deployment",
    "taken_at": "a time is never guessed",
}


@dataclass(frozen=True, slots=True)
class SelectedImages:
    """The images of an export.

    Attributes:
        ids: Packed and ascending.
        missing: Left out because none of their files was there when last looked for.
        without_vector: Left out because there is no vector of them.
        people: Left out because a person or a vehicle was seen on them.
        incomplete: Left out because too little is known of them, by what is not known.
    """

    ids: IdArray
    missing: int = 0
    without_vector: int = 0
    people: int = 0
    incomplete: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownColumns:
    """What is known of the images of a library.

    Attributes:
        vectors: Of images, or of crops; None where none come along.
        of_crops: Whether they are of crops: an image has that of the crop which stands for it.
    """

    files: FileLists
    membership: Membership
    sightings: DetectionColumns
    field: CaptureColumns
    vectors: VectorRows | None
    of_crops: bool

    def has_vector(self, ids: IdArray) -> NDArray[np.bool_]:
        """For each image whether a vector can come along, where any do."""
        if self.vectors is None:
            return np.ones(len(ids), dtype=np.bool_)
        return self.vectors.has(self._keys(ids))

    def vectors_of(self, ids: IdArray) -> Vectors | None:
        """``(n, dim)`` float32; None where none come along."""
        return None if self.vectors is None else self.vectors.of(self._keys(ids))

    def _keys(self, ids: IdArray) -> IdArray:
        return self.sightings.standing_for(ids) if self.of_crops else ids


def select_images(
    store: Store, part: Exporter, choice: ExportOptions, known: KnownColumns
) -> SelectedImages:
    """The images that are wanted and of which there is all that the format needs.

    Raises:
        ClusteringError: Clusters are named, and there is no clustering yet.
        SettingsError: There is no such cluster; or too little is known of some images, and they
            are not to be left out.
        PluginError: The format needs what nothing is known of.
    """
    inside = known.membership.within(store, choice.clusters)
    ids = np.sort(pack_ids(store.photos.columns("image_id")["image_id"]))
    ids = ids[known.files.has(ids, only_present=False)]  # the others are not real yet
    if inside is not None:
        ids = known.sightings.with_crop_in(ids, inside)
    every = len(ids)
    ids = ids[known.has_vector(ids)]
    with_vector = len(ids)
    if not choice.include_missing:
        ids = ids[known.files.has(ids, only_present=True)]
    present = len(ids)
    if not store.photos.with_people:
        ids = ids[~contains_ids(_people(store), ids)]
    shown = len(ids)
    ids, incomplete = _complete(part, ids, known.field, choice)
    return SelectedImages(
        ids,
        missing=with_vector - present,
        without_vector=every - with_vector,
        people=present - shown,
        incomplete=incomplete,
    )


def _people(store: Store) -> IdArray:
    """The ascending ids of the images in quarantine."""
    return np.sort(pack_ids(store.detections.images_with(QUARANTINED_CATEGORIES)))


def _complete(
    part: Exporter, ids: IdArray, columns: CaptureColumns, choice: ExportOptions
) -> tuple[IdArray, dict[str, int]]:
    """The images of which the library knows all that the format needs."""
    lacking: dict[str, int] = {}
    needs = sorted(part.needs) if isinstance(part, NeedyExporter) else []
    for name in needs:
        if name not in _WORDS:
            raise PluginError(
                f"{type(part).__name__} needs {name} of every image",
                f"an exporter can ask for {' and '.join(_WORDS)}: report it to its author",
            )
        keep = columns.knows(name, ids)
        if not keep.all():
            lacking[_WORDS[name]] = int(np.count_nonzero(~keep))
            ids = ids[keep]
    if lacking and not choice.leave_out_incomplete:
        what = " and ".join(f"{number:,} without a {word}" for word, number in lacking.items())
        ways = "; ".join(_WAYS[name] for name, word in _WORDS.items() if word in lacking)
        raise SettingsError(
            f"this format cannot hold some of the images: {what}",
            f"{ways}; --leave-out-incomplete goes on without them",
        )
    return ids, lacking
