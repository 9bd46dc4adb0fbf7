"""Where the pictures of images can be read: the files of photos, the boxes of crops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from organizer.file_kinds import FileKind, file_kind
from organizer.library.images.frames import frame_shown, present_files
from organizer.reading import WantedPicture
from organizer.store import FileRow, Store
from organizer.types import Crop


def wanted_pictures(
    store: Store, image_ids: Sequence[str], *, with_people: bool | None = None
) -> list[WantedPicture]:
    """The pictures of images, of crops what lies in their box, in the order of the ids.

    Args:
        store: The library.
        image_ids: Photos and crops.
        with_people: As in `organizer.store.PhotoTables.files_of`.
    """
    files = store.photos.files_of(image_ids, with_people=with_people)
    crops = store.detections.crops(image_ids)
    frames = {*image_ids, *(crop.image_id for crop in crops.values())}
    pictures = store.photos.picture_hashes(frames)
    return [_wanted(store, i, crops.get(i), files.get(i, ()), pictures) for i in image_ids]


def _wanted(
    store: Store,
    image_id: str,
    crop: Crop | None,
    files: Sequence[FileRow],
    pictures: Mapping[str, str],
) -> WantedPicture:
    frame_id = image_id if crop is None else crop.image_id
    box = None if crop is None else crop.box
    present = present_files(files)
    frame_at = _frame_at(store, frame_id, present)
    return WantedPicture(image_id, frame_id, pictures.get(frame_id, ""), box, present, frame_at)


def _frame_at(store: Store, image_id: str, files: Sequence[Path]) -> float | None:
    """The second of the frame that stands for a video."""
    if not any(file_kind(file.suffix.lower()) is FileKind.VIDEO for file in files):
        return None
    facts = store.photos.facts_of([image_id]).get(image_id)
    return frame_shown(facts, store.detections.of([image_id]).get(image_id))
