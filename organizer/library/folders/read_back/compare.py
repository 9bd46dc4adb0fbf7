"""Compare an arranged folder with what was put there, or what was last read back."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from organizer.arrange.disk import hash_of, link_text
from organizer.arrange.names import safe_name
from organizer.arrange.read_back import FolderChanges, find_changes
from organizer.arrange.recognise import ExpectedPhoto, FoundFile, recognise_photos
from organizer.companions import find_companions
from organizer.discover import is_ignored
from organizer.errors import SettingsError
from organizer.file_kinds import image_suffixes
from organizer.file_times import modified_ns
from organizer.identity import picture_hash
from organizer.library.arrangements.active import (
    ActivePhoto,
    active_photos,
    active_records,
    companions_of,
    expected_photo,
    folder_name,
    moved_since,
    require_finished,
)
from organizer.library.corrections.state import EditorState
from organizer.library.folders.items import cluster_label
from organizer.library.folders.options import UNNAMED_FOLDER, UNSURE_FOLDER
from organizer.library.folders.photo_folders import GROUP_FOLDERS, PhotoFolders
from organizer.library.progress import Progress
from organizer.store import Store


@dataclass(frozen=True, slots=True)
class FolderComparison:
    """The photos of an arranged folder, and what a person did to them.

    Attributes:
        to: The folder.
        photos: The photos that were put there.
        changes: What a person did.
        journals: The names of the journals of all active arrangements.
        photo_folders: The folders of the photos as the current clusters have them.
    """

    to: Path
    photos: Sequence[ActivePhoto]
    changes: FolderChanges
    journals: frozenset[str]
    photo_folders: PhotoFolders


def compare_folder(
    store: Store, state: EditorState, to: Path, progress: Progress
) -> FolderComparison:
    """Compare an arranged folder with what was put there, or was last read back.

    Raises:
        SettingsError: Nothing is arranged there, its folders are not those of clusters, or all
            photos are gone.
    """
    try:
        folder = Path(os.path.realpath(to.expanduser()))
    except RuntimeError as error:  # an unknown ~user
        raise SettingsError(f"there is no folder {to}", "check the path") from error
    active = active_records(store)
    require_finished(active)
    arranged = active_photos(store, active)
    photos = [photo for photo in arranged if photo.record.plan.to == folder]
    _require_readable(to, folder, photos, arranged)
    progress.begin(f"looking at {to}", len(photos))
    sources = moved_since(arranged)
    placed = [expected_photo(photo, sources) for photo in photos]
    beside = companions_of(active)
    files = find_image_files(folder, {photo.path for photo in placed})
    found = [file for file in files if (folder / file.path).as_posix() not in beside]
    if not found and any(photo.path for photo in photos):
        raise SettingsError(
            f"none of the {len(photos):,} photos that were arranged is in {to}",
            "is its disk connected? if you removed them: organizer arrange --undo",
        )
    images = _images_by_hash(store, photos)
    recognised = recognise_photos(placed, found, lambda path: _content(folder / path, images))
    progress.advance(len(photos))
    known = _known_folders(state, placed)
    photo_folders = PhotoFolders.read(store)
    nowhere = frozenset({UNSURE_FOLDER, UNNAMED_FOLDER})
    apart = frozenset(group.value for group in GROUP_FOLDERS if photo_folders.knows_groups)
    changes = find_changes(placed, recognised, known=known, nowhere=nowhere, apart=apart)
    names = frozenset(record.file.name for record in active)
    return FolderComparison(folder, photos, changes, names, photo_folders)


def find_image_files(folder: Path, photos: Container[str]) -> Iterator[FoundFile]:
    """The image files below a folder.

    Passed over are hidden ones, such as those in a bin, and what belongs to a photo: the raw file
    beside a JPEG, unless it is one of `photos`, which are relative to the folder.

    Raises:
        SettingsError: A folder cannot be looked into: what is in it would count as gone.
    """
    waiting = [str(folder)]
    cut = len(str(folder).rstrip(os.sep)) + 1
    suffixes = image_suffixes()
    while waiting:
        inside = waiting.pop()
        try:
            with os.scandir(inside) as scan:
                entries = [entry for entry in scan if not is_ignored(entry.name)]
        except OSError as error:
            raise SettingsError(
                f"cannot look into {inside}: {error.strerror}", "make it readable"
            ) from error
        names = [entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]
        known = {name for name in names if _below(cut, inside, name) in photos}
        beside = find_companions(names, photos=known, are_read=suffixes)
        for entry in entries:
            if entry.name in beside:
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif os.path.splitext(entry.name)[1].lower() in suffixes:  # noqa: PTH122
                with suppress(FileNotFoundError):  # it went in between
                    yield _found(entry, _below(cut, inside, entry.name))


def _below(cut: int, folder: str, name: str) -> str:
    """The path of a file, relative to the folder whose path has `cut` letters."""
    return f"{folder[cut:]}/{name}".lstrip("/").replace(os.sep, "/")


def _found(entry: os.DirEntry[str], path: str) -> FoundFile:
    # On Windows the status of an entry lacks the number by which a hard link is recognised.
    status = os.lstat(entry.path) if os.name == "nt" else entry.stat(follow_symlinks=False)
    link = link_text(entry.path) if entry.is_symlink() else None
    return FoundFile(
        path, status.st_size, modified_ns(status), (status.st_dev, status.st_ino), link
    )


def _require_readable(
    to: Path, folder: Path, photos: Sequence[ActivePhoto], arranged: Sequence[ActivePhoto]
) -> None:
    if not photos:
        others = sorted({str(photo.record.plan.to) for photo in arranged})
        hint = f"photos are arranged in {', '.join(others)}" if others else "organizer arrange --to"
        raise SettingsError(f"nothing is arranged in {to}", hint)
    if not any(photo.folder for photo in photos):
        template = photos[-1].record.plan.template or "the plan"
        raise SettingsError(
            f"the folders in {to} are not those of clusters: {template}",
            "they can be read back where a folder of the template is {cluster_name} or {cluster}",
        )
    if not folder.is_dir():
        raise SettingsError(f"there is no folder {to}", "is its disk connected?")


def _known_folders(state: EditorState, placed: Sequence[ExpectedPhoto]) -> dict[str, int]:
    """The current clusters by the names that their folders would have."""
    by_number = any(folder_name(p.folder) == str(p.cluster_id) for p in placed if p.folder)
    known: dict[str, int] = {}
    for cluster_id in state.models.ids:
        label = cluster_label(state.constraints.names, cluster_id)
        known.setdefault(safe_name(label), cluster_id)
        known[safe_name(f"{label} ({cluster_id})")] = cluster_id
        if by_number:
            known[str(cluster_id)] = cluster_id
    return known


def _images_by_hash(store: Store, photos: Sequence[ActivePhoto]) -> dict[str, str]:
    """The image of each photo by the hash of its bytes, and by that of its picture."""
    pictures = store.photos.picture_hashes({photo.step.image_id for photo in photos})
    found: dict[str, str] = {}
    for photo in photos:
        step = photo.step
        hashes = (step.content_hash, step.picture_hash, pictures.get(step.image_id, ""))
        found |= dict.fromkeys(filter(None, hashes), step.image_id)
    return found


def _content(file: Path, images: Mapping[str, str]) -> str | None:
    """The photo that a file holds: the same bytes, or the same picture with other metadata."""
    try:
        found = images.get(hash_of(str(file)))
        return found or images.get(picture_hash(file.read_bytes()))
    except OSError:
        return None
