"""Which images can be shown to a person: those with a file that is here, and without people."""

from __future__ import annotations

from collections.abc import Collection

from organizer.store import Store
from organizer.types import FileState


def not_shown(store: Store, image_ids: Collection[str]) -> set[str]:
    """Images or crops that are not shown: their files are missing, or people are in the photo."""
    return missing_or_cut(store) | store.photos.hidden(image_ids)


def missing_or_cut(store: Store) -> set[str]:
    """The images all of whose files are missing, and the crops of these."""
    gone = missing_images(store)
    cut = store.detections.crops_of(gone).values() if gone else ()
    return gone.union(crop.crop_id for crops in cut for crop in crops)


def missing_images(store: Store) -> set[str]:
    """The images all of whose files are missing."""
    gone = {image_id for _, image_id in store.photos.all_in_state(FileState.MISSING)}
    here = store.photos.files_in_state(gone, FileState.PRESENT) if gone else []
    return gone.difference(image_id for _, image_id in here)
