"""Thumbnails of the images of a library, for reports, exports and notebooks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from organizer import decode
from organizer.errors import ImageError
from organizer.execute import in_order
from organizer.file_kinds import FileKind, file_kind
from organizer.library.images.frames import frame_shown, present_files
from organizer.library.progress import Progress
from organizer.reading import WantedPicture, thumbnail_of
from organizer.settings import available_cores
from organizer.store import FileRow, Store
from organizer.thumbnail import QUALITY, Thumbnail
from organizer.types import Crop
from organizer.workers.pool import Call, WorkerPool

THUMBNAIL_SIDE = 96
"""Pixels: ten fit in a row on a page, and 1,200 take some 3 MB."""

_AHEAD = 4
"""Pictures a thread that are begun before they are asked for."""


def make_thumbnails(
    store: Store,
    wanted: Sequence[str],
    *,
    side: int = THUMBNAIL_SIDE,
    quality: int = QUALITY,
    threads: int = 0,
    max_file_bytes: int = 2 * 1024**3,
    progress: Progress,
) -> dict[str, Thumbnail]:
    """Make thumbnails of images, uncropped and upright; of a crop what lies in its box.

    An image whose files are gone, changed, unreadable or broken is absent: what a file holds now
    is never shown for what it held before.

    Args:
        store: The library.
        wanted: Image ids; one that comes twice is read once.
        side: The longer side of a picture, in pixels, at most.
        quality: Of the JPEGs, 1 to 95.
        threads: Threads that read and decode; 0 takes one for each core.
        max_file_bytes: A larger file is not read.
        progress: Receives each image.

    Returns:
        By image id, in the order of `wanted`.
    """
    ids = list(dict.fromkeys(wanted))
    files = store.photos.files_of(ids)
    crops = store.detections.crops(ids)
    progress.begin("reading pictures", len(ids))
    found = {}
    pictures = store.photos.picture_hashes({*ids, *(crop.image_id for crop in crops.values())})
    jobs = [_job(store, i, crops.get(i), files.get(i, ()), pictures) for i in ids]
    read = partial(thumbnail_of, side=side, quality=quality, max_bytes=max_file_bytes)
    for image_id, picture in _made(jobs, read, threads or available_cores()):
        progress.advance()
        if picture is not None:
            found[image_id] = picture
    return found


def make_thumbnail(
    store: Store, image_id: str, *, side: int, max_file_bytes: int, workers: WorkerPool
) -> Thumbnail | None:
    """Make the thumbnail of one image, photos with people included; see `make_thumbnails`.

    Several threads may do so at once. It is made in a worker process, as a picture that makes a
    decoder crash must not end a service.
    """
    files = store.photos.files_of([image_id], with_people=True).get(image_id, ())
    crop = store.detections.crops([image_id]).get(image_id)
    pictures = store.photos.picture_hashes([image_id if crop is None else crop.image_id])
    job = _job(store, image_id, crop, files, pictures)

    def read(call: Call) -> Thumbnail | None:
        try:
            next(call("thumbnail", job, side, QUALITY, max_file_bytes))
        except StopIteration as end:
            made: Thumbnail | None = end.value
            return made
        return None

    try:
        return workers.attempt(read, size=max(map(_size, job.files), default=0))
    except ImageError:
        return None


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _job(
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


def _made(
    jobs: Sequence[WantedPicture], read: Callable[[WantedPicture], Thumbnail | None], threads: int
) -> Iterator[tuple[str, Thumbnail | None]]:
    def work(job: WantedPicture) -> tuple[str, Thumbnail | None]:
        return job.image_id, read(job)

    with warnings.catch_warnings(), ThreadPoolExecutor(threads, "pictures") as pool:
        # Pillow warns about damaged files; their picture is there or absent.
        warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif")
        decode.register_codecs()
        try:
            yield from in_order(pool, work, jobs, ahead=_AHEAD * threads)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
