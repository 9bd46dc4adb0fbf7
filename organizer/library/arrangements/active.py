"""The arrangements that stand: what their journals tell of the files that are there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from organizer.arrange import (
    ArrangeMode,
    ArrangeRecord,
    ArrangeStep,
    StepResult,
    journals,
    read_journal,
)
from organizer.arrange.journal_head import folder_of, has_ended, is_move
from organizer.arrange.recognise import ExpectedPhoto
from organizer.errors import SettingsError
from organizer.library.arrangements.last_seen import SeenPhoto, load_seen
from organizer.store import Store

_FOLDER = "arrangements"


def journal_folder(store: Store) -> Path:
    """Where the journals lie."""
    return store.path / _FOLDER


def active_records(store: Store) -> list[ArrangeRecord]:
    """The arrangements that stand, the oldest first; also one that was not finished."""
    found = [read_journal(file) for file in journals(journal_folder(store))]
    return [record for record in found if not record.undone]


def unfinished_record(store: Store) -> ArrangeRecord | None:
    """The last arrangement, if it was cut short."""
    listed = journals(journal_folder(store))
    if not listed or has_ended(listed[-1]):
        return None
    last = read_journal(listed[-1])
    return last if last.pending else None


def require_finished(standing: Sequence[ArrangeRecord]) -> None:
    """Make sure that no arrangement is half done.

    Raises:
        SettingsError: One is.
    """
    last = standing[-1] if standing else None
    if last is not None and last.pending:
        what = "taking back" if last.undoing else "arrangement"
        finish = "" if last.undoing else "organizer arrange --resume goes on with it, "
        raise SettingsError(
            f"the {what} in {last.plan.to} was cut short",
            f"{finish}organizer arrange --undo takes it back",
        )


@dataclass(frozen=True, slots=True)
class ActivePhoto:
    """A photo that an arrangement put somewhere, as it was last seen.

    Attributes:
        record: The arrangement.
        step: What it did.
        path: Where the file was last seen, absolute; None where it was gone.
        folder: The folder that stood for its cluster then, relative to the arranged one.
        cluster_id: That cluster.
        origin: Where the file lay before the first arrangement that moved it.
    """

    record: ArrangeRecord
    step: ArrangeStep
    path: Path | None
    folder: str
    cluster_id: int | None
    origin: Path

    @property
    def key(self) -> tuple[str, str]:
        """What it is remembered by."""
        return self.record.file.name, str(self.step.target)


def active_photos(store: Store, standing: Sequence[ArrangeRecord]) -> list[ActivePhoto]:
    """The photos of the arrangements that stand. One that was moved on is told by the last move."""
    known = load_seen(journal_folder(store))
    at: dict[Path, ActivePhoto] = {}
    gone: list[ActivePhoto] = []
    told: set[Path] = set()
    for record in standing:
        # What an earlier arrangement put there is told by that, wherever it is by now.
        there = [s for s in record.plan.there if s.target not in told and s.target not in at]
        done = record.of(StepResult.DONE)
        told.update(step.target for step in (*there, *done))
        origins: dict[Path, Path] = {}
        if record.plan.mode is ArrangeMode.MOVE:
            moved_on = (at.pop(step.source, None) for step in done if step.is_photo)
            origins = {photo.path: photo.origin for photo in moved_on if photo and photo.path}
        for step in (*there, *done):
            if step.is_photo:
                origin = origins.get(step.source, step.source)
                photo = _standing(record, step, origin, known)
                if photo.path is None:
                    gone.append(photo)
                else:
                    at[photo.path] = photo
    return [*at.values(), *gone]


def _standing(
    record: ArrangeRecord,
    step: ArrangeStep,
    origin: Path,
    known: Mapping[tuple[str, str], SeenPhoto],
) -> ActivePhoto:
    seen = known.get((record.file.name, str(step.target)))
    if seen is None:
        return ActivePhoto(record, step, step.target, step.cluster_folder, step.cluster_id, origin)
    path = record.plan.to / seen.path if seen.path else None
    return ActivePhoto(record, step, path, seen.folder, seen.cluster_id, origin)


def expected_photo(photo: ActivePhoto, sources: Mapping[Path, Path]) -> ExpectedPhoto:
    """A photo with what it can be known again by.

    Args:
        photo: The photo.
        sources: Where files lie that were moved since, by where they lay.
    """
    record, step = photo.record, photo.step
    inode = link = None
    if step.source != step.target:
        if record.plan.mode is ArrangeMode.LINK:
            inode = _inode(sources.get(step.source, step.source))
        elif record.plan.mode is ArrangeMode.SYMLINK:
            link = str(step.source)
    return ExpectedPhoto(
        path=path_below(record.plan.to, photo.path) if photo.path else "",
        image_id=step.image_id,
        cluster_id=photo.cluster_id,
        folder=photo.folder,
        size=step.size,
        mtime_ns=step.mtime_ns,
        inode=inode,
        link=link,
    )


def path_below(folder: Path, file: Path) -> str:
    """The path of a file relative to a folder above it, with forward slashes."""
    return str(file)[len(str(folder).rstrip(os.sep)) + 1 :].replace(os.sep, "/")


def _inode(file: Path) -> tuple[int, int] | None:
    try:
        status = os.lstat(file)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def moved_since(photos: Sequence[ActivePhoto]) -> dict[Path, Path]:
    """Where the files of arrangements that moved them lie, by where they lay before."""
    moved = _moved(photos)
    found = {photo.origin: path for photo, path in moved}
    return found | {photo.step.source: path for photo, path in moved}


def original_paths(photos: Sequence[ActivePhoto]) -> dict[Path, Path]:
    """Where files that arrangements moved lay before the first of them, by where they lie now."""
    return {path: photo.origin for photo, path in _moved(photos)}


def _moved(photos: Sequence[ActivePhoto]) -> list[tuple[ActivePhoto, Path]]:
    return [
        (photo, photo.path)
        for photo in photos
        if photo.path is not None
        and photo.record.plan.mode is ArrangeMode.MOVE
        and photo.step.source != photo.step.target
    ]


def arranged_files_below(store: Store, starts: Sequence[Path]) -> frozenset[str]:
    """The links and copies of arrangements below some folders: they are no photos of their own.

    One whose photo is gone is left out: it is what is left of it. So is one that a person put
    where no arrangement and no read-back saw it.

    Args:
        store: The library.
        starts: Absolute folders and files.

    Returns:
        Their absolute paths, with forward slashes.
    """
    folders = [folder_of(file) for file in journals(journal_folder(store))]
    if not any(_overlaps(folder, starts) for folder in folders if folder is not None):
        return frozenset()
    standing = active_records(store)
    photos = active_photos(store, standing)
    sources = moved_since(photos)
    return frozenset(
        photo.path.as_posix()
        for photo in photos
        if photo.path is not None
        and photo.record.plan.mode is not ArrangeMode.MOVE
        and photo.step.source != photo.step.target
        and os.path.exists(sources.get(photo.step.source, photo.step.source))  # noqa: PTH110 - a hundred thousand times
    )


def move_targets(store: Store) -> list[Path]:
    """The folders into which arrangements moved files: their names tell nothing of the field."""
    listed = [file for file in journals(journal_folder(store)) if is_move(file)]
    return [folder for folder in map(folder_of, listed) if folder is not None]


def _overlaps(folder: Path, starts: Sequence[Path]) -> bool:
    return any(folder.is_relative_to(s) or s.is_relative_to(folder) for s in starts)


def folder_name(folder: str) -> str:
    """The last part of a folder's path."""
    return folder.rpartition("/")[2]
