"""Which photos are of one camera, as far as that can be told; unknown cameras are never joined.

A photo is of the camera of its deployment; without one, of the camera whose serial number is in the
file. A model is no camera: ten of them stand in one forest. So a photo with neither is of the
camera of its model and its card: of the folder that holds it, where the folders that cameras make
on a card (``DCIM/100MEDIA``, ``DCIM/101MEDIA``) count as one as long as one was filled after the
other.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from organizer.library.arrangements.active import move_targets
from organizer.metadata import SERIAL_NUMBER
from organizer.paths import folder_prefix
from organizer.store import Store
from organizer.types import FileState

_CARD_FOLDER = re.compile(r"[1-9]\d{2}[A-Za-z0-9_]{5}", re.ASCII)
"""What a camera calls a folder of a card: DCF 2.0, 3.2.1."""

_Folder = tuple[str, str]
"""The folder of a card, and that of the camera on it; "" where there is none."""


@dataclass(frozen=True, slots=True)
class Cameras:
    """The camera of each image.

    Attributes:
        ids: ``(n,)`` texts, alike for photos of one camera; they sort by the name of the camera.
        by_folder: ``(n,)`` whether only the folder tells the camera from others of its model.
        paths: A file of each, a present one before a missing one, then by path; "" for none.
        is_missing: ``(n,)`` whether no file of it was there when last looked for.
    """

    ids: tuple[str, ...]
    by_folder: NDArray[np.bool_]
    paths: tuple[str, ...]
    is_missing: NDArray[np.bool_]


def read_extras(texts: Sequence[str | None], *names: str) -> list[Mapping[str, object]]:
    """Further metadata as they are stored; empty for an image that has none of the names."""
    marks = [json.dumps(name) for name in names]
    return [
        json.loads(text) if text and any(mark in text for mark in marks) else {} for text in texts
    ]


def tell_cameras(
    store: Store,
    image_ids: Sequence[str],
    *,
    deployments: Sequence[str | None],
    cameras: Sequence[str | None],
    extras: Sequence[Mapping[str, object]],
    times: Sequence[str | None],
) -> Cameras:
    """Tell the cameras of images apart.

    Args:
        store: The library.
        image_ids: All its images.
        deployments: The deployment of each; None where there is none.
        cameras: Make, model and serial number of each; None where unknown.
        extras: Further metadata of each, with the serial number where there is one.
        times: When each was taken, as its camera's clock showed it; None where unknown.
    """
    files = _Files.read(store)
    ids: list[str] = []
    by_folder = np.zeros(len(image_ids), dtype=np.bool_)
    folders: dict[int, _Folder] = {}
    known: dict[str, _Folder] = {}
    for row, (image_id, deployment, camera) in enumerate(
        zip(image_ids, deployments, cameras, strict=True)
    ):
        if deployment is not None:
            ids.append(f"{deployment}\0deployment")
        elif camera is not None and SERIAL_NUMBER in extras[row]:
            ids.append(f"{camera}\0serial number")
        else:
            by_folder[row] = True
            ids.append(camera or "")
            folder = files.folder_of(image_id)
            if folder not in known:
                known[folder] = _of_card(folder)
            folders[row] = known[folder]
    apart = _filled_at_once(folders, ids, times)
    for row, (card, below) in folders.items():
        own = f"{card}/{below}" if (ids[row], card) in apart else card
        ids[row] = f"{ids[row]}\0folder {own}"
    there = [files.ranked.get(image_id, "").startswith("0") for image_id in image_ids]
    return Cameras(
        tuple(ids),
        by_folder,
        tuple(map(files.path_of, image_ids)),
        ~np.array(there, dtype=np.bool_),
    )


@dataclass(frozen=True, slots=True)
class _Files:
    """A file of each image: a present one before a missing one, then by path.

    Attributes:
        ranked: ``0`` and the absolute path of a file that is there, ``1`` and that of a missing
            one, by image.
        arranged: Folders into which arrangements moved files: none of them is that of a card.
        former: The folder where an image lay before it was moved, by image.
        replaced: Folders in which files hold other images than before: another card was put in
            the place of the one that the missing files are of.
    """

    ranked: Mapping[str, str]
    arranged: tuple[str, ...]
    former: Mapping[str, str]
    replaced: AbstractSet[str]

    @classmethod
    def read(cls, store: Store) -> Self:
        """Read the files of a library in one pass."""
        columns = store.photos.file_columns("image_id", "root_id", "path", "state")
        prefixes = {root.root_id: folder_prefix(root.folder) for root in store.roots.all()}
        arranged = tuple(map(folder_prefix, move_targets(store)))
        moved = store.former_folders.all() if arranged else {}
        ranked: dict[str, str] = {}
        holders: dict[str, str] = {}
        replaced: set[str] = set()
        for image_id, root_id, path, state in zip(*columns.values(), strict=True):
            whole = prefixes[root_id] + path
            if holders.setdefault(whole, image_id) != image_id:
                replaced.add(whole.rpartition("/")[0])
            rank = ("1" if state == FileState.MISSING else "0") + whole
            if rank < ranked.get(image_id, "2"):
                ranked[image_id] = rank
        return cls(
            ranked,
            arranged,
            {i: prefixes.get(root, "") + f for (root, f), ids in moved.items() for i in ids},
            replaced,
        )

    def path_of(self, image_id: str) -> str:
        """The path of an image; "" where it has none."""
        return self.ranked.get(image_id, "")[1:]

    def folder_of(self, image_id: str) -> str:
        """The folder in which an image was taken; "" where that is not known."""
        rank = self.ranked.get(image_id, "")
        folder = rank[1:].rpartition("/")[0]
        if self.arranged and rank[1:].startswith(self.arranged):
            folder = self.former.get(image_id, folder)
        if rank.startswith("1") and folder in self.replaced:
            return f"{folder}\0replaced"
        return folder


def _of_card(folder: str) -> _Folder:
    """The folder of a card, and the camera's own folders below it."""
    folder, mark, replaced = folder.partition("\0")
    parts = folder.split("/")
    below = []
    if _CARD_FOLDER.fullmatch(parts[-1]):
        below.append(parts.pop())
    if parts and parts[-1].upper() == "DCIM":
        below.append(parts.pop())
    return "/".join(parts) + mark + replaced, "/".join(reversed(below))


def _filled_at_once(
    folders: Mapping[int, _Folder], cameras: Sequence[str], times: Sequence[str | None]
) -> set[tuple[str, str]]:
    """The cameras and cards of which two folders were filled at the same time: they are several.

    A camera makes a folder when the one before it is full.
    """
    pairs = {(cameras[row], folder) for row, folder in folders.items()}
    cards = Counter((camera, card) for camera, (card, _) in pairs)
    spans: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
    for row, (card, below) in folders.items():
        time = times[row]
        if time is not None and cards[cameras[row], card] > 1:
            span = spans.setdefault((cameras[row], card), {})
            first, last = span.get(below, (time, time))
            span[below] = min(first, time), max(last, time)
    apart = set()
    for key, span in spans.items():
        ordered = sorted(span.values())
        if any(later[0] < earlier[1] for earlier, later in pairwise(ordered)):
            apart.add(key)
    return apart
