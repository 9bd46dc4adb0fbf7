"""Frames: photos read again, and the crops that are cut out of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer import decode
from organizer.errors import ImageError
from organizer.file_times import modified_ns
from organizer.identity import file_hash, picture_hash
from organizer.store import FileRow, HeldFile
from organizer.types import (
    FRAME_AT,
    Box,
    DecodedImage,
    FileState,
    ImageDetections,
    ImageFacts,
    ImageRef,
)


def cut_box(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """``(h, w, 3)`` uint8 the pixels in a box, at least one."""
    height, width = pixels.shape[:2]
    left, upper, right, lower = box.pixels(width, height)
    return pixels[upper:lower, left:right]


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


def read_frame(
    image_id: str,
    files: Sequence[Path],
    *,
    min_side: int | None,
    max_bytes: int,
    picture: str = "",
    frame_at: float | None = None,
) -> DecodedImage | None:
    """Decode the first of some files that still holds an image; None where none does.

    Args:
        image_id: The image.
        files: The files.
        min_side: As in `organizer.decode.decode_image`.
        max_bytes: A larger file is not read.
        picture: The hash of its picture (`organizer.types.ImageFacts`); "" where it is not known.
        frame_at: Of a video which frame, in seconds; the first where None.
    """
    for file in files:
        try:
            ref = _ref(file)
            data = decode.read_file(ref, max_bytes=max_bytes)
            if _holds(data, image_id, picture):
                return decode.decode_image(
                    ref, data, image_id=image_id, min_side=min_side, frame_at=frame_at
                )
        except ImageError:
            continue
    return None


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
            now = _ref(held.ref.file)
            is_unchanged = (now.size, now.mtime_ns) == (held.ref.size, held.ref.mtime_ns)
            if is_unchanged:
                return held.ref.file
            data = decode.read_file(now, max_bytes=max_bytes)
            if _holds(data, held.image_id, held.picture_hash):
                return held.ref.file
        except ImageError:
            continue
    return None


def present_files(files: Sequence[FileRow]) -> list[Path]:
    """The paths of the files that were present when last looked for."""
    return [row.file for row in files if row.state is FileState.PRESENT]


def _holds(data: bytes, image_id: str, picture: str) -> bool:
    """Whether a file holds an image. One of format 6 that was not read since is its bytes."""
    if picture_hash(data) == (picture or image_id):
        return True
    return not picture and file_hash(data) == image_id


def _widened(start: float, length: float, wanted: float) -> tuple[float, float]:
    """A span of a wanted length round the middle of another, shifted to lie within 0 to 1."""
    wanted = max(wanted, length)
    first = min(max(start + length / 2 - wanted / 2, 0.0), max(1.0 - wanted, 0.0))
    return first, wanted


def _ref(file: Path) -> ImageRef:
    try:
        status = file.stat()
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror or error}", lasting=False) from error
    return ImageRef(file.parent, file.name, status.st_size, modified_ns(status))
