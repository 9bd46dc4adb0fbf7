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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

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
    """

    ids: tuple[str, ...]
    by_folder: NDArray[np.bool_]
    paths: tuple[str, ...]


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
    files = _read_files(store)
    paths = tuple(files[i].path if i in files else "" for i in image_ids)
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
            folder = files[image_id].folder if image_id in files else ""
            if folder not in known:
                known[folder] = _of_card(folder)
            folders[row] = known[folder]
    apart = _filled_at_once(folders, ids, times)
    for row, (card, below) in folders.items():
        own = f"{card}/{below}" if (ids[row], card) in apart else card
        ids[row] = f"{ids[row]}\0folder {own}"
    return Cameras(tuple(ids), by_folder, paths)


@dataclass(frozen=True, slots=True)
class _File:
    """The file of an image that counts.

    Attributes:
        is_missing: Whether it was missing when last looked for.
        path: Its absolute path, with forward slashes.
        folder: Where it was taken: its folder, or the one that it was in before an arrangement.
    """

    is_missing: bool
    path: str
    folder: str


def _read_files(store: Store) -> dict[str, _File]:
    """The file of each image that counts: a present one before a missing one, then by path."""
    columns = store.photos.file_columns("image_id", "root_id", "path", "state")
    prefixes = {root.root_id: folder_prefix(root.folder) for root in store.roots.all()}
    arranged = tuple(map(folder_prefix, move_targets(store)))
    former = {
        image_id: f"{prefixes.get(root_id, '')}{folder}"
        for (root_id, folder), image_ids in (store.former_folders.all() if arranged else {}).items()
        for image_id in image_ids
    }
    found: dict[str, _File] = {}
    holders: dict[tuple[int, str], str] = {}
    replaced: set[str] = set()
    for image_id, root_id, path, state in zip(*columns.values(), strict=True):
        whole = f"{prefixes[root_id]}{path}"
        folder = whole.rpartition("/")[0]
        if holders.setdefault((root_id, path), image_id) != image_id:
            replaced.add(folder)
        if arranged and whole.startswith(arranged):
            folder = former.get(image_id, folder)
        file = _File(state == FileState.MISSING, whole, folder)
        known = found.get(image_id)
        if known is None or (file.is_missing, whole) < (known.is_missing, known.path):
            found[image_id] = file
    if replaced:
        # Another card was put in the place of the one that its missing files are of.
        for image_id, file in found.items():
            if file.is_missing and file.folder in replaced:
                found[image_id] = _File(True, file.path, f"{file.folder}\0replaced")
    return found


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
    spans: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
    for row, (card, below) in folders.items():
        time = times[row]
        if time is not None:
            span = spans.setdefault((cameras[row], card), {})
            first, last = span.get(below, (time, time))
            span[below] = min(first, time), max(last, time)
    apart = set()
    for key, span in spans.items():
        ordered = sorted(span.values())
        if any(later[0] < earlier[1] for earlier, later in pairwise(ordered)):
            apart.add(key)
    return apart
