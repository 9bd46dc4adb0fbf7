"""TIFF files with more than 8 bits in several bands, or with samples that Pillow does not read."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.errors import ImageError
from organizer.pixels.depth import eight_bits

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""What a TIFF file begins with; the last two are BigTIFF."""

_ORIENTATION, _NO_DATA, _MIN_IS_WHITE = 274, 42_113, 0


@dataclass(frozen=True, slots=True)
class BandsPicture:
    """The first picture of such a file.

    Attributes:
        pixels: ``(h, w, 3)`` uint8 RGB: the first three bands, or the first as grey.
        orientation: As in EXIF.
        pages: Number of pictures in the file.
    """

    pixels: NDArray[np.uint8]
    orientation: int
    pages: int


def read_bands(data: bytes, *, max_pixels: int) -> BandsPicture:
    """Read the first picture of a TIFF file.

    Args:
        data: The file.
        max_pixels: A picture with more is refused before it is decoded.

    Raises:
        ImageError: It has too many pixels, or complex numbers.
        ValueError: It is no such file, or is compressed in a way that is not read; tifffile raises
            other errors too.
    """
    import tifffile

    quiet = logging.getLogger("tifffile")
    if not quiet.handlers:
        quiet.addHandler(logging.NullHandler())  # what is odd in a file is no news for a user
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page: Any = file.pages[0]
        height, width = page.imagelength, page.imagewidth
        if height * width * max(page.samplesperpixel, 1) > 4 * max_pixels:
            raise ImageError(
                f"the picture has {height * width:,} pixels in {page.samplesperpixel} bands, over "
                f"the limit of {max_pixels:,}",
                too_large=True,
            )
        ends = [at + n for at, n in zip(page.dataoffsets, page.databytecounts, strict=True)]
        if not ends or max(ends) > len(data):
            raise ImageError("the picture is damaged: a part of its data is missing")
        values = np.asarray(page.asarray())
        if not values.size:
            raise ImageError("the picture is damaged: it has no pixels")
        if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and values.ndim == 3:
            values = np.moveaxis(values, 0, -1)
        values = values.reshape(height, width, -1)
        if values.dtype.kind not in "uif":
            raise ImageError(f"samples of the kind {values.dtype} are not read")
        values = values[..., : 3 if values.shape[2] > 2 else 1]
        is_plain = values.dtype == np.uint8
        grey = values if is_plain else eight_bits(values, nothing=number(_tag(page, _NO_DATA)))
        if int(page.photometric) == _MIN_IS_WHITE:
            grey = 255 - grey
        pixels = np.repeat(grey, 3, axis=2) if grey.shape[2] == 1 else grey
        turn = _tag(page, _ORIENTATION)
        return BandsPicture(pixels, turn if isinstance(turn, int) else 1, len(file.pages))


def number(text: object) -> float | None:
    """The number that a tag holds, as a number or as text; None where it holds none."""
    try:
        return float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _tag(page: Any, code: int) -> object:
    tag = page.tags.get(code)
    return None if tag is None else tag.value
