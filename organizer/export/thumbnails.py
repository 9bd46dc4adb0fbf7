"""Small pictures of images, for a format whose reader cannot open files."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from organizer import decode
from organizer.errors import ImageError
from organizer.types import ImageRef

_MAX_BYTES = 512 * 1024 * 1024
_QUALITY = 80


def thumbnails(paths: Sequence[str], *, side: int) -> Iterator[bytes | None]:
    """A JPEG of each image, upright; None where its file cannot be read or is no image any more.

    Args:
        paths: The files.
        side: Pixels of the longer side, at most.
    """
    with ThreadPoolExecutor() as pool:
        yield from pool.map(lambda path: thumbnail(path, side=side), paths)


def thumbnail(path: str, *, side: int) -> bytes | None:
    """See `thumbnails`."""
    from PIL import Image

    file = Path(path)
    try:
        status = file.stat()
        ref = ImageRef(file.parent, file.name, status.st_size, status.st_mtime_ns)
        data = decode.read(ref, max_bytes=_MAX_BYTES)
        found = decode.decode(ref, data, image_id="", min_side=side)
    except (OSError, ImageError):
        return None
    picture = Image.fromarray(found.pixels)
    picture.thumbnail((side, side), reducing_gap=2.0)
    made = io.BytesIO()
    picture.save(made, "JPEG", quality=_QUALITY)
    return made.getvalue()
