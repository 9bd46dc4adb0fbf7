"""Undo an arrangement, also for files that a person has dragged elsewhere since."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from organizer.arrange import (
    ArrangeMode,
    ArrangeRecord,
    ArrangeStep,
    Disk,
    StepResult,
    undo_journal,
)
from organizer.errors import SettingsError
from organizer.library.arrangements.active import ActivePhoto, active_photos, active_records
from organizer.library.arrangements.file_rows import update_file_rows
from organizer.library.progress import Progress
from organizer.store import Store


def undo_arrangement(
    store: Store, *, progress: Progress, stop: Callable[[], bool]
) -> ArrangeRecord:
    """Undo the last active arrangement. The caller holds the library for writing.

    Files that a person dragged elsewhere, and that a read-back recognised, are taken back from
    there.

    Raises:
        SettingsError: None is active.
    """
    active = active_records(store)
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
    progress.begin(f"taking back what is in {last.plan.to}", len(last.plan.steps))
    _put_back(active_photos(store, [last]), [s for s in last.plan.steps if not s.is_photo])
    found = undo_journal(last.file, advance=progress.advance, stop=stop)
    update_file_rows(store, found)
    if found.undone and last.plan.mode is ArrangeMode.MOVE:
        store.roots.forget(last.plan.to)
    return found


def _put_back(photos: Sequence[ActivePhoto], sidecars: Sequence[ArrangeStep]) -> None:
    """Bring dragged files back to where the arrangement had put them, if nothing else is there."""
    disk, emptied = Disk(), set()
    tops = {photo.record.plan.to for photo in photos}
    beside: dict[Path, list[ArrangeStep]] = defaultdict(list)
    for sidecar in sidecars:
        beside[sidecar.target.parent].append(sidecar)
    for photo in photos:
        target = photo.step.target
        if photo.path is None or photo.path == target or not os.path.lexists(photo.path):
            continue
        dragged = [(photo.path, target)]
        for sidecar in beside[target.parent]:
            tail = sidecar.target.name.removeprefix(target.stem)
            place = photo.path.with_name(photo.path.stem + tail)
            if tail != sidecar.target.name and _is_as_it_was(place, sidecar):
                dragged.append((place, sidecar.target))
        for place, former in dragged:
            with suppress(OSError):  # the undo then reports that nothing is there
                target.parent.mkdir(parents=True, exist_ok=True)
                disk.rename(str(place), str(former))
        emptied.add(photo.path.parent)
    for folder in emptied:
        with suppress(OSError):  # something else is in it
            while folder not in tops:
                folder.rmdir()
                folder = folder.parent  # noqa: PLW2901 - upwards


def _is_as_it_was(place: Path, step: ArrangeStep) -> bool:
    try:
        status = os.stat(place)  # noqa: PTH116 - a hundred thousand times
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (step.size, step.mtime_ns)
