"""Pictures that are read for duplicates: miniatures of older libraries, and sharpness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from organizer.library.images.ask_workers import ask_workers
from organizer.library.images.frames import present_files
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress
from organizer.reading import WantedPicture
from organizer.types import KIND, Box

_STORED_AT_ONCE = 2_000


def make_miniatures(opened: OpenLibrary, image_ids: Sequence[str], *, progress: Progress) -> int:
    """Make and store the miniatures of images that have none; some are committed at a time.

    Returns:
        How many could not be made, as their files are gone or cannot be read.
    """
    unread = 0
    progress.begin("reading pictures", len(image_ids))
    for start in range(0, len(image_ids), _STORED_AT_ONCE):
        part = image_ids[start : start + _STORED_AT_ONCE]
        made = dict(_read(opened, "miniature", part, {}, progress=progress))
        known = {image_id: one for image_id, one in made.items() if one is not None}
        unread += len(part) - len(known)
        if known:
            with opened.writing(), opened.store.transaction():
                opened.store.miniatures.append(list(known), np.stack(list(known.values())))
    if image_ids:
        with opened.writing():
            opened.tidy()
    return unread


def measure_sharpness_of(
    opened: OpenLibrary, boxes: dict[str, Box | None], *, progress: Progress
) -> dict[str, float | None]:
    """How sharp images are, or what lies in a box of them; None where they cannot be read."""
    progress.begin("measuring sharpness", len(boxes))
    return dict(_read(opened, "sharpness", list(boxes), boxes, progress=progress))


def videos_among(opened: OpenLibrary, image_ids: Sequence[str]) -> set[str]:
    """The videos among some images."""
    kinds = opened.store.photos.extra_of(KIND) if image_ids else {}
    return {image_id for image_id in image_ids if kinds.get(image_id) == "video"}


def _read(
    opened: OpenLibrary,
    method: str,
    image_ids: Sequence[str],
    boxes: dict[str, Box | None],
    *,
    progress: Progress,
) -> Iterator[tuple[str, Any]]:
    """Ask workers about pictures, in order."""
    files = opened.store.photos.files_of(image_ids, with_people=True)
    pictures = opened.store.photos.picture_hashes(image_ids)
    wanted = [
        WantedPicture(i, i, pictures.get(i, ""), boxes.get(i), present_files(files.get(i, ())))
        for i in image_ids
    ]
    most = opened.settings.max_file_bytes
    for found in ask_workers(opened.workers, method, wanted, most):
        progress.advance()
        yield found
