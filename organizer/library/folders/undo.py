"""Undo an arrangement, also for files that a person has dragged elsewhere since."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from organizer.arrange import (
    ArrangeMode,
    ArrangeRecord,
    ArrangeStep,
    Disk,
    StepAction,
    StepResult,
    journals,
    read_journal,
    undo_journal,
)
from organizer.arrange.unsynced import UnsyncedFolders
from organizer.durable import make_folders
from organizer.errors import SettingsError
from organizer.file_times import modified_ns
from organizer.library.arrangements.active import (
    ActivePhoto,
    active_photos,
    active_records,
    journal_folder,
)
from organizer.library.arrangements.file_rows import update_file_rows
from organizer.library.progress import Progress
from organizer.store import Store


def undo_arrangement(
    store: Store, *, progress: Progress, stop: Callable[[], bool]
) -> ArrangeRecord:
    """Undo the last active arrangement. The caller holds the library for writing.

    Files of the last one that an undo could not take back, as the system refused it, are tried
    again; the one before is undone where these are all that is left, and still refused.

    Files that a person dragged elsewhere, and that a read-back recognised, are taken back from
    there.

    Raises:
        SettingsError: None is active.
    """
    active = active_records(store)
    left = _left_by_its_undo(store)
    if left is not None:
        found = _undo(store, left, progress=progress, stop=stop)
        if found.pending or not (active and found.of(StepResult.FAILED)):
            return found
    if not active:
        raise SettingsError(
            "there is no arrangement to take back", "organizer arrange --to DIR makes one"
        )
    last = active[-1]
    if (
        last.plan.mode is ArrangeMode.MOVE
        and last.of(StepResult.DONE)
        and not last.plan.to.is_dir()
    ):
        raise SettingsError(
            f"there is no folder {last.plan.to}, into which the files were moved",
            "connect its disk; what is not there cannot be taken back",
        )
    return _undo(store, last, progress=progress, stop=stop)


def _left_by_its_undo(store: Store) -> ArrangeRecord | None:
    """The last arrangement, if the system refused to take some of its files back."""
    listed = journals(journal_folder(store))
    last = read_journal(listed[-1]) if listed else None
    if last is None or not last.undone or not last.plan.to.is_dir():
        return None
    return last if last.of(StepResult.FAILED) else None


def _undo(
    store: Store, record: ArrangeRecord, *, progress: Progress, stop: Callable[[], bool]
) -> ArrangeRecord:
    progress.begin(f"taking back what is in {record.plan.to}", len(record.plan.steps))
    if record.plan.mode is ArrangeMode.MOVE:
        store.mark_unfinished()  # the next writer updates the file rows, should this be interrupted
    _put_back(active_photos(store, [record]), _sidecars(record))
    found = undo_journal(record.file, advance=progress.advance, stop=stop)
    update_file_rows(store, found)
    return found


def _sidecars(record: ArrangeRecord) -> Iterator[ArrangeStep]:
    for step in record.plan.steps:
        if not step.is_photo and step.action is not StepAction.REMOVE:
            yield step


def _put_back(photos: Sequence[ActivePhoto], sidecars: Iterable[ArrangeStep]) -> None:
    """Bring dragged files back to where the arrangement had put them, if nothing else is there."""
    dragged = [
        (photo.path, photo.step.target)
        for photo in photos
        if photo.path not in {None, photo.step.target} and os.path.lexists(photo.path)
    ]
    if not dragged:
        return
    beside = _by_stem(sidecars)
    disk = Disk()
    unsynced = UnsyncedFolders(disk)
    for path, target in dragged:
        for place, former in ((path, target), *_dragged_along(path, target, beside)):
            with suppress(OSError):  # the undo then reports that nothing is there
                make_folders(former.parent)
                disk.rename(str(place), str(former))
                unsynced.gained([former])
                unsynced.lost([place])
    tops = {photo.record.plan.to for photo in photos}
    unsynced.lost(_remove_emptied({path.parent for path, _ in dragged}, tops))
    unsynced.sync()


def _by_stem(sidecars: Iterable[ArrangeStep]) -> dict[tuple[str, str], list[ArrangeStep]]:
    """Sidecars by their target folder and each stem that their photo may have there."""
    found: dict[tuple[str, str], list[ArrangeStep]] = defaultdict(list)
    for sidecar in sidecars:
        folder, name = os.path.split(sidecar.target)
        for dot in (at for at, character in enumerate(name) if character == "."):
            found[folder, name[:dot]].append(sidecar)
    return found


def _dragged_along(
    path: Path, target: Path, beside: Mapping[tuple[str, str], Sequence[ArrangeStep]]
) -> Iterator[tuple[Path, Path]]:
    """Where the sidecars of a dragged photo are, and where the arrangement had put them."""
    for sidecar in beside.get((str(target.parent), target.stem), ()):
        place = path.with_name(path.stem + sidecar.target.name.removeprefix(target.stem))
        if _is_as_it_was(place, sidecar):
            yield place, sidecar.target


def _remove_emptied(folders: Iterable[Path], tops: Container[Path]) -> Iterator[Path]:
    """Remove folders in which nothing is left, and those above them."""
    for folder in folders:
        with suppress(OSError):  # something else is in it
            while folder not in tops:
                folder.rmdir()
                yield folder
                folder = folder.parent  # noqa: PLW2901 - upwards


def _is_as_it_was(place: Path, step: ArrangeStep) -> bool:
    try:
        status = os.stat(place)  # noqa: PTH116 - a hundred thousand times
    except OSError:
        return False
    return (status.st_size, modified_ns(status)) == (step.size, step.mtime_ns)
