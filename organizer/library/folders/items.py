"""The files of a library with all that a template can name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from organizer.arrange import ArrangeItem, Value
from organizer.cluster.decisions import compile_constraints
from organizer.library.folders.options import UNNAMED_FOLDER
from organizer.library.folders.photo_folders import WITHHELD_REASONS, PhotoFolder, PhotoFolders
from organizer.library.images.capture import CaptureInfo, read_capture_info
from organizer.library.images.crops import PhotoGroup
from organizer.settings import Settings
from organizer.store import HeldFile, Store
from organizer.types import NOISE, Labels


def collect_items(
    store: Store,
    first: Mapping[Path, Path],
    *,
    filing: PhotoFolders,
    settings: Settings,
    only_named: bool = False,
) -> list[ArrangeItem]:
    """Every file of the library, there or missing: of an image with several paths, each of them.

    Photos with people or vehicles are withheld unless the settings ask for them.

    Args:
        store: The library.
        first: Where files lay before an arrangement moved them, by where they lie now: they keep
            the name and the folders that the camera gave.
        filing: Where each photo belongs.
        settings: How far apart the photos of a burst and of an event may be; whether photos with
            people are arranged.
        only_named: Whether clusters without a name are as none.
    """
    held = store.photos.held_files()
    taken = read_capture_info(store, settings=settings)
    fields = _Fields(store, taken, filing, only_named=only_named, with_people=settings.with_people)
    folders = [root.folder for root in store.roots.all()]
    return [fields.item(file, first, folders) for file in held]


def cluster_label(names: Mapping[int, str], cluster_id: int) -> str:
    """What a cluster is called in paths."""
    return names.get(cluster_id) or f"cluster {cluster_id}"


class _Fields:
    """What is known of the images of a library, ready to be looked up."""

    def __init__(
        self,
        store: Store,
        taken: CaptureInfo,
        filing: PhotoFolders,
        *,
        only_named: bool,
        with_people: bool,
    ) -> None:
        self._names = compile_constraints(store.decisions.all()).names
        self._only_named = only_named
        self._filing, self._with_people = filing, with_people
        self._taken = taken
        self._row_of = {image_id: row for row, image_id in enumerate(self._taken.image_ids)}
        self._times = [_time(text) for text in self._taken.taken_at]
        self._bursts = _first_times(self._taken.bursts, self._times)
        self._events = _first_times(self._taken.events, self._times)

    def item(
        self, held: HeldFile, first: Mapping[Path, Path], folders: Sequence[Path]
    ) -> ArrangeItem:
        ref = held.ref
        source = ref.file
        place = self._filing.place(held.image_id)
        fields = self._of_image(held.image_id, place)
        below = ref.path.rpartition("/")[0]
        if first and source in first:
            before = first[source]
            below = _below(before, folders)
            fields |= {"stem": before.stem, "folder": before.parent.name}
        cluster_id = place if isinstance(place, int) else None
        if self._only_named and cluster_id not in self._names:
            cluster_id = None
        return ArrangeItem(
            image_id=held.image_id,
            source=source,
            size=ref.size,
            mtime_ns=ref.mtime_ns,
            below=below,
            cluster_id=cluster_id,
            fields=fields,
            withheld=self._withheld(place),
        )

    def _name(self, place: PhotoFolder) -> str | None:
        if isinstance(place, PhotoGroup):
            return place.value
        if self._only_named and place not in self._names:
            return UNNAMED_FOLDER
        return None if place is None else cluster_label(self._names, place)

    def _withheld(self, place: PhotoFolder) -> str:
        if self._with_people or not isinstance(place, PhotoGroup):
            return ""
        return WITHHELD_REASONS.get(place, "")

    def _of_image(self, image_id: str, place: PhotoFolder) -> dict[str, Value]:
        row = self._row_of[image_id]
        return {
            "cluster": place.value if isinstance(place, PhotoGroup) else place,
            "cluster_name": self._name(place),
            "camera": self._taken.cameras[row],
            "deployment": self._taken.deployments[row],
            "taken_at": self._times[row],
            "burst": self._bursts.get(int(self._taken.bursts[row])),
            "event": self._events.get(int(self._taken.events[row])),
        }


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _first_times(groups: Labels, times: Sequence[datetime | None]) -> dict[int, datetime]:
    """When the first photo of each group was taken: it stays when later ones come."""
    first: dict[int, datetime] = {}
    for group, time in zip(np.asarray(groups).tolist(), times, strict=True):
        if time is not None and group != NOISE and (group not in first or time < first[group]):
            first[group] = time
    return first


def _below(file: Path, folders: Sequence[Path]) -> str:
    """The folder of a file relative to the deepest ingested one that it was in."""
    above = [folder for folder in folders if file.is_relative_to(folder)]
    if not above:
        return ""
    deepest = max(above, key=lambda folder: len(folder.parts))
    below = file.relative_to(deepest).parent.as_posix()
    return "" if below == "." else below
