"""Small pictures of the images of a library, for reports and pages."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from organizer import decode
from organizer.errors import ImageError
from organizer.execute import in_order
from organizer.library.progress import Progress
from organizer.settings import available_cores
from organizer.store import FileRow, Store
from organizer.thumbnail import Thumbnail, thumbnail
from organizer.types import FileState, ImageRef

SIDE = 96
"""Pixels: ten stand in a row on a page, and 1,200 take some 3 MB."""

_AHEAD = 4
"""Pictures a thread that are begun before they are asked for."""


def pictures(
    store: Store,
    wanted: Sequence[str],
    *,
    side: int = SIDE,
    threads: int = 0,
    max_file_bytes: int = 2 * 1024**3,
    progress: Progress,
) -> dict[str, Thumbnail]:
    """Small pictures of some images, whole and upright.

    An image whose files are gone, changed, unreadable or broken is absent: what a file holds now
    is never shown for what it held.

    Args:
        store: The library.
        wanted: Image ids; one that comes twice is read once.
        side: The longer side of a picture at most, pixels.
        threads: That read and decode; 0 takes one for each core.
        max_file_bytes: A larger file is not read.
        progress: Told of each image.

    Returns:
        By image id, in the order of `wanted`.
    """
    ids = list(dict.fromkeys(wanted))
    files = store.photos.files_of(ids)
    progress.begin("reading pictures", len(ids))
    found = {}
    jobs = [(image_id, _present(files.get(image_id, ()))) for image_id in ids]
    for image_id, picture in _made(jobs, side, threads or available_cores(), max_file_bytes):
        progress.advance()
        if picture is not None:
            found[image_id] = picture
    return found


_Job = tuple[str, list[Path]]


def _made(
    jobs: Sequence[_Job], side: int, threads: int, max_bytes: int
) -> Iterator[tuple[str, Thumbnail | None]]:
    def work(job: _Job) -> tuple[str, Thumbnail | None]:
        return job[0], _picture(*job, side=side, max_bytes=max_bytes)

    with warnings.catch_warnings(), ThreadPoolExecutor(threads, "pictures") as pool:
        # Pillow warns of what a damaged file holds; the picture is there or absent.
        warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif")
        decode.register_codecs()
        try:
            yield from in_order(pool, work, jobs, ahead=_AHEAD * threads)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _present(files: Sequence[FileRow]) -> list[Path]:
    return [row.file for row in files if row.state is FileState.PRESENT]


def _picture(
    image_id: str, files: Sequence[Path], *, side: int, max_bytes: int
) -> Thumbnail | None:
    """The picture in the first of the files that still holds the image."""
    for file in files:
        try:
            ref = _ref(file)
            data = decode.read(ref, max_bytes=max_bytes)
            if decode.identify(data) != image_id:
                continue
            image = decode.decode(ref, data, image_id=image_id, min_side=side)
        except ImageError:
            continue
        return thumbnail(image.pixels, side=side)
    return None


def _ref(file: Path) -> ImageRef:
    try:
        status = file.stat()
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror or error}", lasting=False) from error
    return ImageRef(file.parent, file.name, status.st_size, status.st_mtime_ns)
