"""Update the library's file rows to where arrangements moved the files.

The files are moved first, with the journal; then the rows are updated, all in one commit. What an
interrupted writer leaves between the two is repaired from the journal by `recover_file_rows`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from organizer.arrange import (
    ArrangeMode,
    ArrangeRecord,
    ArrangeStep,
    StepResult,
    journals,
    read_journal,
)
from organizer.library.arrangements.active import journal_folder
from organizer.library.arrangements.last_seen import PhotoKey, SeenPhoto, load_seen
from organizer.store import Store


def update_file_rows(store: Store, record: ArrangeRecord) -> int:
    """Update the file rows of the library to where an arrangement, or its undo, moved the files.

    A row is only changed where its file is gone from the disk and the moved one is there. The
    folder of an arrangement that is undone is forgotten. Doing it twice changes nothing more.

    Returns:
        The number of rows that were changed.
    """
    if record.plan.mode is not ArrangeMode.MOVE:
        return 0
    seen = load_seen(journal_folder(store))
    merged = store.merged_images.now()
    moves: dict[Path, tuple[Path, str]] = {}
    for step, result in zip(record.plan.steps, record.results, strict=True):
        if step.is_photo:
            image_id = merged.get(step.image_id, step.image_id)
            moves.update(_moves_of(record, step, result, seen, image_id))
    changed = store.moved_files.relocate(moves, new_root=record.plan.to) if moves else 0
    if record.undone:
        store.roots.forget(record.plan.to)
    return changed


def recover_file_rows(store: Store) -> None:
    """Update the rows after a writer that was interrupted between files and rows."""
    for file in journals(journal_folder(store)):
        update_file_rows(store, read_journal(file))


def _moves_of(
    record: ArrangeRecord,
    step: ArrangeStep,
    result: StepResult,
    seen: Mapping[PhotoKey, SeenPhoto],
    image_id: str,
) -> Iterator[tuple[Path, tuple[Path, str]]]:
    dragged = seen.get((record.file.name, str(step.target)))
    places = [step.target]
    if dragged is not None and dragged.path:
        places.insert(0, record.plan.to / dragged.path)
    if result is StepResult.UNDONE:
        places = [step.source, *places]
    elif result is StepResult.PENDING and not record.undoing:
        places = [step.source, step.target]
    else:
        places.append(step.source)
    here = [place for place in places if os.path.lexists(place)]
    if here:
        for former in places:
            if former not in here:
                yield former, (here[0], image_id)
