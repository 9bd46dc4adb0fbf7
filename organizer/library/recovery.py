"""Repair a library before a write: after it was moved, or after an interrupted writer."""

from __future__ import annotations

from organizer.library.arrangements.file_rows import recover_file_rows
from organizer.library.arrangements.relocation import follow_library
from organizer.store import Store


def repair(store: Store, was_interrupted: bool) -> None:
    """Repair what the last writer should have left otherwise.

    Args:
        store: The library, held for writing.
        was_interrupted: Whether a command that takes several transactions did not come to its end.
    """
    follow_library(store)
    if was_interrupted:
        recover_file_rows(store)
