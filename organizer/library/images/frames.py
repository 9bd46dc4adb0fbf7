"""Where crops lie in the photos that they are cut out of, and which files still hold a photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from organizer import decode
from organizer.errors import ImageError
from organizer.frames import file_ref, holds_image
from organizer.store import FileRow, HeldFile
from organizer.types import FRAME_AT, Box, FileState, ImageDetections, ImageFacts


def square_box(box: Box, width: int, height: int) -> Box:
    """A box made square where the picture allows it.

    Networks are given a square: of a long animal they would get the middle.

    Args:
        box: The box.
        width: Of the picture, pixels.
        height: Of the picture, pixels.
    """
    side = max(box.width * width, box.height * height)
    x, across = _widened(box.x, box.width, min(side / width, 1.0))
    y, down = _widened(box.y, box.height, min(side / height, 1.0))
    return Box(x, y, across, down)


def needed_side(boxes: Sequence[Box], width: int, height: int, min_side: int | None) -> int | None:
    """The shorter side of a frame, in pixels, at which every box still has `min_side` of them."""
    if min_side is None:
        return None
    shortest = min(min(box.width * width, box.height * height) for box in boxes)
    return int(np.ceil(min_side * min(width, height) / max(shortest, 1.0)))


def frame_shown(facts: ImageFacts | None, detected: ImageDetections | None) -> float | None:
    """The second of the frame that stands for a video: the one that its boxes are of."""
    for told in (detected, facts):
        at = None if told is None else told.extra.get(FRAME_AT)
        if isinstance(at, int | float):
            return float(at)
    return None


def first_as_it_was(files: Sequence[HeldFile], *, max_bytes: int) -> Path | None:
    """The first of some files that holds the picture that it held; None where none does.

    Args:
        files: The files as they were then; those with another size or time are read again.
        max_bytes: A larger file is not read.
    """
    for held in files:
        try:
            now = file_ref(held.ref.file)
            is_unchanged = (now.size, now.mtime_ns) == (held.ref.size, held.ref.mtime_ns)
            if is_unchanged:
                return held.ref.file
            data = decode.read_file(now, max_bytes=max_bytes)
            if holds_image(data, held.image_id, held.picture_hash):
                return held.ref.file
        except ImageError:
            continue
    return None


def present_files(files: Sequence[FileRow]) -> list[Path]:
    """The paths of the files that were present when last looked for."""
    return [row.file for row in files if row.state is FileState.PRESENT]


def _widened(start: float, length: float, wanted: float) -> tuple[float, float]:
    """A span of a wanted length round the middle of another, shifted to lie within 0 to 1."""
    wanted = max(wanted, length)
    first = min(max(start + length / 2 - wanted / 2, 0.0), max(1.0 - wanted, 0.0))
    return first, wanted
