"""Repair a library before a write: after it was moved, or after an interrupted writer."""

from __future__ import annotations

from organizer.library.arrangements.file_rows import recover_file_rows
from organizer.library.arrangements.relocation import follow_library
from organizer.library.corrections.undo import finish_undo, revoke_unfinished
from organizer.library.ingest.late import recount_members
from organizer.settings import Settings
from organizer.store import Store


def repair(store: Store, settings: Settings, was_interrupted: bool) -> None:
    """Repair what the last writer should have left otherwise.

    The order matters: file rows are updated first, then decisions are completed or revoked, and
    only then are the members counted of the clustering that is current after that.

    Args:
        store: The library, held for writing.
        settings: The seed of all that is drawn.
        was_interrupted: Whether the last writer did not come to its end.
    """
    follow_library(store)
    if not was_interrupted:
        return
    recover_file_rows(store)
    revoke_unfinished(store)
    finish_undo(store)
    recount_members(store, store.clusterings.current(), seed=settings.seed)
