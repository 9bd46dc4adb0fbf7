"""Undo an arrangement, also for files that a person has dragged elsewhere since."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

from organizer.arrange import (
    ArrangeMode,
    ArrangeRecord,
    ArrangeStep,
    Disk,
    StepAction,
    StepResult,
    undo_journal,
)
from organizer.arrange.unsynced import UnsyncedFolders
from organizer.durable import make_folders
from organizer.errors import SettingsError
from organizer.file_times import modified_ns
from organizer.library.arrangements.active import ActivePhoto, active_photos, all_records
from organizer.library.arrangements.file_rows import update_file_rows
from organizer.library.progress import Progress
from organizer.store import Store


def undo_arrangement(
    store: Store, *, progress: Progress, stop: Callable[[], bool]
) -> ArrangeRecord:
    """Undo the last active arrangement. The caller holds the library for writing.

    Files that the undo of a later one could not take back, as the system refused it, are tried
    again first; the active one is undone next where it still refuses.

    Files that a person dragged elsewhere, and that a read-back recognised, are taken back from
    there.

    Raises:
        SettingsError: None is active.
    """
    records = all_records(store)
    active = [record for record in records if not record.undone]
    left = _left_by_its_undo(records)
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


def _left_by_its_undo(records: Sequence[ArrangeRecord]) -> ArrangeRecord | None:
    """The arrangement of which the system refused to take some files back, of the last undone."""
    undone = takewhile(lambda record: record.undone, reversed(records))
    left = (record for record in undone if record.of(StepResult.FAILED) and record.plan.to.is_dir())
    return next(left, None)


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
