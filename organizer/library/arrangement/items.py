"""The files of a library with all that a template can name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from organizer.arrange import Item, Value
from organizer.cluster.decisions import compiled
from organizer.library.arrangement.choosing import UNNAMED
from organizer.library.contexts import Contexts, contexts
from organizer.settings import Settings
from organizer.store import HeldFile, Store
from organizer.types import NOISE, Labels


def items_of(
    store: Store, first: Mapping[Path, Path], *, settings: Settings, only_named: bool = False
) -> list[Item]:
    """Every file of the library, there or missing: of an image with several paths, each of them.

    Args:
        store: The library.
        first: Where files lay before an arrangement moved them, by where they lie now: they keep
            the name and the folders that the camera gave.
        settings: How far apart the photos of a burst and of an event may be.
        only_named: Whether clusters without a name are as none.
    """
    held = store.photos.held_files()
    fields = _Fields(store, contexts(store, settings=settings), only_named=only_named)
    folders = [root.folder for root in store.photos.roots()]
    return [fields.item(file, first, folders) for file in held]


def name_or_number(names: Mapping[int, str], cluster_id: int) -> str:
    """What a cluster is called in paths."""
    return names.get(cluster_id) or f"cluster {cluster_id}"


class _Fields:
    """What is known of the images of a library, ready to be looked up."""

    def __init__(self, store: Store, taken: Contexts, *, only_named: bool) -> None:
        self._names = compiled(store.decisions.all()).names
        self._only_named = only_named
        self._clusters = _clusters_of(store)
        self._taken = taken
        self._row_of = {image_id: row for row, image_id in enumerate(self._taken.image_ids)}
        self._times = [_time(text) for text in self._taken.taken_at]
        self._bursts = _first_times(self._taken.bursts, self._times)
        self._events = _first_times(self._taken.events, self._times)

    def item(self, held: HeldFile, first: Mapping[Path, Path], folders: Sequence[Path]) -> Item:
        ref = held.ref
        source = ref.file
        cluster_id = self._clusters.get(held.image_id)
        fields = self._of_image(held.image_id, cluster_id)
        below = ref.path.rpartition("/")[0]
        if first and source in first:
            before = first[source]
            below = _below(before, folders)
            fields |= {"stem": before.stem, "folder": before.parent.name}
        if self._only_named and cluster_id not in self._names:
            cluster_id = None
        return Item(
            image_id=held.image_id,
            source=source,
            size=ref.size,
            mtime_ns=ref.mtime_ns,
            below=below,
            cluster_id=cluster_id,
            fields=fields,
        )

    def _of_image(self, image_id: str, cluster_id: int | None) -> dict[str, Value]:
        row = self._row_of[image_id]
        name = None if cluster_id is None else name_or_number(self._names, cluster_id)
        if self._only_named and cluster_id not in self._names:
            name = UNNAMED
        return {
            "cluster": cluster_id,
            "cluster_name": name,
            "camera": self._taken.cameras[row],
            "deployment": self._taken.deployments[row],
            "taken_at": self._times[row],
            "burst": self._bursts.get(int(self._taken.bursts[row])),
            "event": self._events.get(int(self._taken.events[row])),
        }


def _clusters_of(store: Store) -> dict[str, int]:
    """The cluster of each image that is in one."""
    current = store.clusterings.current()
    if current is None:
        return {}
    members = store.clusterings.assignments(current.clustering_id)
    sure = members.cluster_ids != NOISE
    pairs = zip(members.image_ids[sure], members.cluster_ids[sure].tolist(), strict=True)
    return dict(pairs)


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
