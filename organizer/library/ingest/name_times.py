"""Times from the names of files, where a person asked for it: for images without any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from organizer.capture_times import NamePattern
from organizer.metadata import with_time
from organizer.store import Store
from organizer.types import ImageFacts, ProcessedBatch, ProcessedFile


def with_name_times(batch: ProcessedBatch, pattern: NamePattern) -> ProcessedBatch:
    """A batch in which images without a time have that of their file's name."""

    def completed(file: ProcessedFile) -> ProcessedFile:
        if file.facts is None:
            return file
        return replace(file, facts=_complete(file.facts, [file.ref.path], pattern))

    return replace(batch, files=tuple(map(completed, batch.files)))


def complete_times(store: Store, starts: Sequence[Path], pattern: NamePattern) -> int:
    """Give images of the library without a time that of the name of one of their files.

    Args:
        store: The library.
        starts: Folders and files; images elsewhere stay as they are.
        pattern: How names tell a time.

    Returns:
        Number of images that got one.
    """
    with store.writing():
        return _complete_times(store, starts, pattern)


def _complete_times(store: Store, starts: Sequence[Path], pattern: NamePattern) -> int:
    found = store.photos.columns("image_id", "taken_at")
    without = [i for i, at in zip(found["image_id"], found["taken_at"], strict=True) if at is None]
    files = store.photos.files_of(without, with_people=True)
    paths = {
        image_id: [str(row.file) for row in rows if any(map(row.file.is_relative_to, starts))]
        for image_id, rows in files.items()
    }
    before = store.photos.facts_of(without)
    after = [_complete(facts, paths.get(i, []), pattern) for i, facts in before.items()]
    timed = [facts for facts in after if facts.taken_at is not None]
    with store.transaction():
        store.photos.update_images(timed)
    return len(timed)


def _complete(facts: ImageFacts, paths: Sequence[str], pattern: NamePattern) -> ImageFacts:
    times = (pattern.time_of(path) for path in paths if facts.taken_at is None)
    time = next((time for time in times if time is not None), None)
    return facts if time is None else with_time(facts, time)
