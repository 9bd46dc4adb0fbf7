"""Photos that the library knows, read again: whole, or what lies in a box of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer import decode
from organizer.errors import ImageError
from organizer.file_times import modified_ns
from organizer.identity import file_hash, picture_hash
from organizer.types import Box, DecodedImage, ImageRef


def cut_box(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """``(h, w, 3)`` uint8 the pixels in a box, at least one."""
    height, width = pixels.shape[:2]
    left, upper, right, lower = box.pixels(width, height)
    return pixels[upper:lower, left:right]


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
            ref = file_ref(file)
            data = decode.read_file(ref, max_bytes=max_bytes)
            if holds_image(data, image_id, picture):
                return decode.decode_image(
                    ref, data, image_id=image_id, min_side=min_side, frame_at=frame_at
                )
        except ImageError:
            continue
    return None


def holds_image(data: bytes, image_id: str, picture: str) -> bool:
    """Whether a file holds an image. One of format 6 that was not read since is its bytes.

    Args:
        data: The content of the file.
        image_id: The image.
        picture: As in `read_frame`.
    """
    if picture_hash(data) == (picture or image_id):
        return True
    return not picture and file_hash(data) == image_id


def file_ref(file: Path) -> ImageRef:
    """A file as it is now.

    Raises:
        ImageError: It is not there, or cannot be looked at.
    """
    try:
        status = file.stat()
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror or error}", lasting=False) from error
    return ImageRef(file.parent, file.name, status.st_size, modified_ns(status))
