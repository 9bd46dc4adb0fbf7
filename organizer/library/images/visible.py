"""Which images can be shown to a person: those with a file that is here, and without people."""

from __future__ import annotations

from collections.abc import Collection

from organizer.store import Store
from organizer.types import FileState


def not_shown(store: Store, image_ids: Collection[str]) -> set[str]:
    """Images that are not shown: their files are missing, or people are in the photo."""
    return missing_images(store) | store.photos.hidden(image_ids)


def missing_images(store: Store) -> set[str]:
    """The images all of whose files are missing."""
    gone = {image_id for _, image_id in store.photos.all_in_state(FileState.MISSING)}
    here = store.photos.files_in_state(gone, FileState.PRESENT) if gone else []
    return gone.difference(image_id for _, image_id in here)
