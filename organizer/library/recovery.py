"""What is put right before a write: a library that was moved, a writer that was interrupted."""

from __future__ import annotations

from organizer.library.arrangements.file_rows import recover_file_rows
from organizer.library.arrangements.relocation import follow_library
from organizer.library.corrections.undo import finish_undo, revoke_unfinished
from organizer.library.ingest.late import recount_members
from organizer.settings import Settings
from organizer.store import Store


def repair(store: Store, settings: Settings, was_interrupted: bool) -> None:
    """Put right what is not as the last writer should have left it.

    The order matters: rows follow files first, then decisions are completed or revoked, and only
    then are the members of the clustering counted that these leave in force.

    Args:
        store: The library, held for writing.
        settings: The seed of what is drawn.
        was_interrupted: Whether the last writer did not come to its end.
    """
    follow_library(store)
    if not was_interrupted:
        return
    recover_file_rows(store)
    revoke_unfinished(store)
    finish_undo(store)
    recount_members(store, store.clusterings.current(), seed=settings.seed)
