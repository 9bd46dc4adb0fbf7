"""The files of a library with the values of all fields that a template can name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

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
    photo_folders: PhotoFolders,
    settings: Settings,
    only_named: bool = False,
) -> list[ArrangeItem]:
    """Collect every file of the library, present or missing: of an image with several, each.

    Photos with people or vehicles are withheld unless the settings ask for them.

    Args:
        store: The library.
        first: Where files were before an arrangement moved them, by where they are now: they keep
            the name and the folders that the camera gave.
        photo_folders: The folder of each photo.
        settings: The gaps of a burst and of an event; whether photos with people are arranged.
        only_named: Whether clusters without a name count as no cluster.
    """
    held = store.photos.held_files()
    fields = _Fields.of(
        read_capture_info(store, settings=settings),
        photo_folders,
        compile_constraints(store.decisions.current()).names,
        only_named=only_named,
        with_people=settings.with_people,
    )
    folders = [root.folder for root in store.roots.all()]
    return [fields.item(file, first, folders) for file in held]


def cluster_label(names: Mapping[int, str], cluster_id: int) -> str:
    """What a cluster is called in paths."""
    return names.get(cluster_id) or f"cluster {cluster_id}"


@dataclass(frozen=True, slots=True)
class _Fields:
    """The values of a template's fields, to be looked up by image."""

    info: CaptureInfo
    photo_folders: PhotoFolders
    names: Mapping[int, str]
    only_named: bool
    with_people: bool
    row_of: Mapping[str, int]
    times: Sequence[datetime | None]
    bursts: Mapping[int, datetime]
    events: Mapping[int, datetime]

    @classmethod
    def of(
        cls,
        info: CaptureInfo,
        photo_folders: PhotoFolders,
        names: Mapping[int, str],
        *,
        only_named: bool,
        with_people: bool,
    ) -> Self:
        times = [_time(text) for text in info.taken_at]
        return cls(
            info,
            photo_folders,
            names,
            only_named=only_named,
            with_people=with_people,
            row_of={image_id: row for row, image_id in enumerate(info.image_ids)},
            times=times,
            bursts=_first_times(info.bursts, times),
            events=_first_times(info.events, times),
        )

    def item(
        self, held: HeldFile, first: Mapping[Path, Path], folders: Sequence[Path]
    ) -> ArrangeItem:
        ref = held.ref
        source = ref.file
        folder = self.photo_folders.folder_of(held.image_id)
        fields = self._of_image(held.image_id, folder)
        below = ref.path.rpartition("/")[0]
        if first and source in first:
            original = first[source]
            below = _below(original, folders)
            fields |= {"stem": original.stem, "folder": original.parent.name}
        cluster_id = folder if isinstance(folder, int) else None
        if self.only_named and cluster_id not in self.names:
            cluster_id = None
        return ArrangeItem(
            image_id=held.image_id,
            source=source,
            size=ref.size,
            mtime_ns=ref.mtime_ns,
            below=below,
            cluster_id=cluster_id,
            fields=fields,
            withheld=self._withheld(folder),
            file_hash=held.file_hash,
            picture_hash=held.picture_hash,
        )

    def _name(self, folder: PhotoFolder) -> str | None:
        if isinstance(folder, PhotoGroup):
            return folder.value
        if self.only_named and folder not in self.names:
            return UNNAMED_FOLDER
        return None if folder is None else cluster_label(self.names, folder)

    def _withheld(self, folder: PhotoFolder) -> str:
        if self.with_people or not isinstance(folder, PhotoGroup):
            return ""
        return WITHHELD_REASONS.get(folder, "")

    def _of_image(self, image_id: str, folder: PhotoFolder) -> dict[str, Value]:
        row = self.row_of[image_id]
        return {
            "cluster": folder.value if isinstance(folder, PhotoGroup) else folder,
            "cluster_name": self._name(folder),
            "camera": self.info.cameras[row],
            "deployment": self.info.deployments[row],
            "taken_at": self.times[row],
            "burst": self.bursts.get(int(self.info.bursts[row])),
            "event": self.events.get(int(self.info.events[row])),
        }


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _first_times(groups: Labels, times: Sequence[datetime | None]) -> dict[int, datetime]:
    """When the first photo of each group was taken, which later photos do not change."""
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
