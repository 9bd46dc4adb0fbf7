"""Pictures that are read for duplicates: miniatures of older libraries, and sharpness."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from organizer.errors import ImageError
from organizer.execute import in_order
from organizer.library.images.frames import present_files
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress
from organizer.reading import WantedPicture
from organizer.types import KIND, Box
from organizer.workers.pool import Call

_STORED_AT_ONCE = 2_000
_AHEAD = 4


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
    workers, most = opened.workers, opened.settings.max_file_bytes
    files = opened.store.photos.files_of(image_ids, with_people=True)
    pictures = opened.store.photos.picture_hashes(image_ids)

    def read(image_id: str) -> tuple[str, Any]:
        there = present_files(files.get(image_id, ()))
        wanted = WantedPicture(
            image_id, image_id, pictures.get(image_id, ""), boxes.get(image_id), there
        )

        def ask(call: Call) -> Any:
            return _result(lambda: call(method, wanted, most))

        try:
            return image_id, workers.attempt(ask, size=max(map(_size, there), default=0))
        except ImageError:
            return image_id, None

    with ThreadPoolExecutor(workers.most, "pictures") as pool:
        for found in in_order(pool, read, image_ids, ahead=_AHEAD * workers.most):
            progress.advance()
            yield found


def _result(begin: Callable[[], Any]) -> Any:
    """What a generator returns that yields nothing."""
    try:
        next(begin())
    except StopIteration as end:
        return end.value
    raise AssertionError("a worker yielded what nobody asked for")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
