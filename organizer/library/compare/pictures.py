"""Small pictures of samples, for a plot."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer import decode
from organizer.errors import ImageError
from organizer.settings import Settings
from organizer.types import ImageRef

_SIDE = 128


def pictures_of(files: Iterable[Path], settings: Settings) -> dict[Path, NDArray[np.uint8]]:
    """``(h, w, 3)`` of each file that can be read, the longer side 128 or less."""
    found = {}
    for file in dict.fromkeys(files):
        try:
            found[file] = _small(file, settings)
        except (ImageError, OSError):
            continue  # it has gone, or cannot be read any more: a gap in the plot
    return found


def _small(file: Path, settings: Settings) -> NDArray[np.uint8]:
    from PIL import Image

    status = file.stat()
    ref = ImageRef(file.parent, file.name, status.st_size, status.st_mtime_ns)
    data = decode.read(ref, max_bytes=settings.max_file_bytes)
    picture = Image.fromarray(decode.decode(ref, data, min_side=_SIDE).pixels)
    picture.thumbnail((_SIDE, _SIDE))
    return np.asarray(picture, dtype=np.uint8)
