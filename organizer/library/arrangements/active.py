"""Active arrangements: those that were applied and not undone, and the files they put somewhere."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from organizer.arrange import (
    ArrangeMode,
    ArrangeRecord,
    ArrangeStep,
    StepAction,
    StepResult,
    journals,
    read_journal,
)
from organizer.arrange.journal_head import folder_of, has_ended, is_move
from organizer.arrange.recognise import ExpectedPhoto
from organizer.errors import SettingsError
from organizer.library.arrangements.last_seen import SeenPhoto, load_seen
from organizer.paths import path_below
from organizer.store import Store

_FOLDER = "arrangements"


def journal_folder(store: Store) -> Path:
    """The folder of the journals."""
    return store.path / _FOLDER


def all_records(store: Store) -> list[ArrangeRecord]:
    """The arrangements, the oldest first; also those that were undone."""
    return [read_journal(file) for file in journals(journal_folder(store))]


def active_records(store: Store) -> list[ArrangeRecord]:
    """The active arrangements, the oldest first; also one that was interrupted."""
    return [record for record in all_records(store) if not record.undone]


def unfinished_record(store: Store) -> ArrangeRecord | None:
    """The last arrangement, if it was interrupted."""
    listed = journals(journal_folder(store))
    if not listed or has_ended(listed[-1]):
        return None
    last = read_journal(listed[-1])
    return last if last.pending else None


def require_finished(active: Sequence[ArrangeRecord]) -> None:
    """Make sure that no arrangement was interrupted.

    Raises:
        SettingsError: One was.
    """
    last = active[-1] if active else None
    if last is not None and last.pending:
        what = "undo" if last.undoing else "arrangement"
        finish = "" if last.undoing else "organizer arrange --resume goes on with it, "
        raise SettingsError(
            f"the {what} in {last.plan.to} was interrupted",
            f"{finish}organizer arrange --undo takes it back",
        )


@dataclass(frozen=True, slots=True)
class ActivePhoto:
    """A photo of an active arrangement, as the last read-back found it.

    Attributes:
        record: The arrangement.
        step: What it did with the photo.
        path: Where the file was last found, absolute; None where it was gone.
        folder: The folder of its cluster then, relative to the arranged folder.
        cluster_id: That cluster; None for none.
        origin: Where the file was before the first arrangement that moved it.
    """

    record: ArrangeRecord
    step: ArrangeStep
    path: Path | None
    folder: str
    cluster_id: int | None
    origin: Path

    @property
    def key(self) -> tuple[str, str]:
        """What it is found by in the last read-back; see `PhotoKey`."""
        return self.record.file.name, str(self.step.target)


def active_photos(store: Store, active: Sequence[ArrangeRecord]) -> list[ActivePhoto]:
    """The photos of active arrangements; one that was moved again is in the last of these alone."""
    known = load_seen(journal_folder(store))
    merged = store.merged_images.now()
    at: dict[Path, ActivePhoto] = {}
    gone: list[ActivePhoto] = []
    claimed: set[Path] = set()
    for record in active:
        # What an earlier arrangement put there belongs to that, wherever it is by now.
        there = [s for s in record.plan.there if s.target not in claimed and s.target not in at]
        done = record.of(StepResult.DONE)
        for step in done:
            if step.action is StepAction.REMOVE:
                at.pop(step.target, None)
        done = [_as_placed(step, at) for step in done if step.action is not StepAction.REMOVE]
        claimed.update(step.target for step in (*there, *done))
        origins: dict[Path, Path] = {}
        if record.plan.mode is ArrangeMode.MOVE:
            moved_on = (at.pop(step.source, None) for step in done if step.is_photo)
            origins = {photo.path: photo.origin for photo in moved_on if photo and photo.path}
        for step in (*there, *done):
            if step.is_photo:
                origin = origins.get(step.source, step.source)
                if step.image_id in merged:
                    step = replace(  # noqa: PLW2901 - the photo is the one that it was
                        step, image_id=merged[step.image_id], file_hash=step.content_hash
                    )
                photo = _active_photo(record, step, origin, known)
                if photo.path is None:
                    gone.append(photo)
                else:
                    at[photo.path] = photo
    return [*at.values(), *gone]


def placed_steps(photos: Iterable[ActivePhoto]) -> dict[str, ArrangeStep]:
    """What put each photo where it lies now, by that path, as `make_plan` takes it."""
    return {str(p.path): replace(p.step, target=p.path) for p in photos if p.path is not None}


def _as_placed(step: ArrangeStep, at: dict[Path, ActivePhoto]) -> ArrangeStep:
    """A copy that was renamed, with the photo that it is a copy of."""
    if step.action is not StepAction.RELOCATE:
        return step
    former = at.pop(step.source, None)
    source = former.step.source if former else step.source
    return replace(step, source=source, action=StepAction.PLACE)


def _active_photo(
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
    """A photo with all that it can be recognised by.

    Args:
        photo: The photo.
        sources: Where files are that were moved since, by where they were.
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


def _inode(file: Path) -> tuple[int, int] | None:
    try:
        status = os.lstat(file)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def moved_since(photos: Sequence[ActivePhoto]) -> dict[Path, Path]:
    """Where files are that arrangements moved, by where they were before."""
    moved = _moved(photos)
    found = {photo.origin: path for photo, path in moved}
    return found | {photo.step.source: path for photo, path in moved}


def original_paths(photos: Sequence[ActivePhoto]) -> dict[Path, Path]:
    """Where files were before the first arrangement that moved them, by where they are now."""
    return {path: photo.origin for photo, path in _moved(photos)}


def _moved(photos: Sequence[ActivePhoto]) -> list[tuple[ActivePhoto, Path]]:
    return [
        (photo, photo.path)
        for photo in photos
        if photo.path is not None
        and photo.record.plan.mode is ArrangeMode.MOVE
        and photo.step.source != photo.step.target
    ]


def companions_of(active: Sequence[ArrangeRecord], *, links_only: bool = False) -> frozenset[str]:
    """What active arrangements put beside photos, such as raw files, wherever their photo is now.

    Args:
        active: The arrangements.
        links_only: Whether what was moved is left out, and what is the last of its file.

    Returns:
        Absolute paths, with forward slashes.
    """
    if links_only:
        active = [record for record in active if record.plan.mode is not ArrangeMode.MOVE]
    return frozenset(
        target.as_posix()
        for target, step in active_sidecars(active).items()
        if not (links_only and not os.path.exists(step.source))  # noqa: PTH110 - a hundred thousand times
    )


def active_sidecars(active: Sequence[ArrangeRecord]) -> dict[Path, ArrangeStep]:
    """What active arrangements put beside photos, by where it was put."""
    found: dict[Path, ArrangeStep] = {}
    for record in active:
        for step in (*record.of(StepResult.DONE), *record.plan.there):
            if step.is_photo:
                continue
            if step.action is StepAction.REMOVE:
                found.pop(step.target, None)
            elif step.action is StepAction.RELOCATE:
                former = found.pop(step.source, step)
                found[step.target] = replace(step, source=former.source, action=StepAction.PLACE)
            else:
                found[step.target] = step
    return found


def arranged_files_below(store: Store, starts: Sequence[Path]) -> frozenset[str]:
    """The links and copies that active arrangements made below some folders, and those beside them.

    An ingest passes over them. One whose photo is gone is left out: it is all that is left of it.
    So is one that a person put where no arrangement and no read-back found it.

    Args:
        store: The library.
        starts: Absolute folders and files.

    Returns:
        Their absolute paths, with forward slashes.
    """
    folders = [folder_of(file) for file in journals(journal_folder(store))]
    if not any(_overlaps(folder, starts) for folder in folders if folder is not None):
        return frozenset()
    active = active_records(store)
    photos = active_photos(store, active)
    sources = moved_since(photos)
    return companions_of(active, links_only=True).union(
        photo.path.as_posix()
        for photo in photos
        if photo.path is not None
        and photo.record.plan.mode is not ArrangeMode.MOVE
        and photo.step.source != photo.step.target
        and os.path.exists(sources.get(photo.step.source, photo.step.source))  # noqa: PTH110 - a hundred thousand times
    )


def move_targets(store: Store) -> list[Path]:
    """The folders into which arrangements moved files: their names name no deployments."""
    listed = [file for file in journals(journal_folder(store)) if is_move(file)]
    return [folder for folder in map(folder_of, listed) if folder is not None]


def _overlaps(folder: Path, starts: Sequence[Path]) -> bool:
    return any(folder.is_relative_to(s) or s.is_relative_to(folder) for s in starts)


def folder_name(folder: str) -> str:
    """The last part of a folder's path."""
    return folder.rpartition("/")[2]
