"""Thumbnails of the images of a library, for reports, exports and notebooks."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from organizer import decode
from organizer.execute import in_order
from organizer.file_kinds import FileKind, file_kind
from organizer.library.images.frames import cut_box, frame_shown, present_files, read_frame
from organizer.library.progress import Progress
from organizer.settings import available_cores
from organizer.store import FileRow, Store
from organizer.thumbnail import QUALITY, Thumbnail, thumbnail
from organizer.types import Box, Crop

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
    read = partial(_picture, side=side, quality=quality, max_bytes=max_file_bytes)
    for image_id, picture in _made(jobs, read, threads or available_cores()):
        progress.advance()
        if picture is not None:
            found[image_id] = picture
    return found


def make_thumbnail(
    store: Store, image_id: str, *, side: int, max_file_bytes: int
) -> Thumbnail | None:
    """Make the thumbnail of one image, photos with people included; see `make_thumbnails`.

    Several threads may do so at once.
    """
    files = store.photos.files_of([image_id], with_people=True).get(image_id, ())
    crop = store.detections.crops([image_id]).get(image_id)
    pictures = store.photos.picture_hashes([image_id if crop is None else crop.image_id])
    job = _job(store, image_id, crop, files, pictures)
    decode.register_codecs()
    return _picture(job, side=side, quality=QUALITY, max_bytes=max_file_bytes)


@dataclass(frozen=True, slots=True)
class _Job:
    """A picture to make: of all of a photo, or of a box of it."""

    image_id: str
    frame_id: str
    picture: str
    box: Box | None
    files: Sequence[Path]
    frame_at: float | None = None


def _job(
    store: Store,
    image_id: str,
    crop: Crop | None,
    files: Sequence[FileRow],
    pictures: Mapping[str, str],
) -> _Job:
    frame_id = image_id if crop is None else crop.image_id
    box = None if crop is None else crop.box
    present = present_files(files)
    frame_at = _frame_at(store, frame_id, present)
    return _Job(image_id, frame_id, pictures.get(frame_id, ""), box, present, frame_at)


def _frame_at(store: Store, image_id: str, files: Sequence[Path]) -> float | None:
    """The second of the frame that stands for a video."""
    if not any(file_kind(file.suffix.lower()) is FileKind.VIDEO for file in files):
        return None
    facts = store.photos.facts_of([image_id]).get(image_id)
    return frame_shown(facts, store.detections.of([image_id]).get(image_id))


def _made(
    jobs: Sequence[_Job], read: Callable[[_Job], Thumbnail | None], threads: int
) -> Iterator[tuple[str, Thumbnail | None]]:
    def work(job: _Job) -> tuple[str, Thumbnail | None]:
        return job.image_id, read(job)

    with warnings.catch_warnings(), ThreadPoolExecutor(threads, "pictures") as pool:
        # Pillow warns about damaged files; their picture is there or absent.
        warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif")
        decode.register_codecs()
        try:
            yield from in_order(pool, work, jobs, ahead=_AHEAD * threads)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _picture(job: _Job, *, side: int, quality: int, max_bytes: int) -> Thumbnail | None:
    box = job.box
    needed = side if box is None else math.ceil(side / max(min(box.width, box.height), 1 / side))
    image = read_frame(
        job.frame_id,
        job.files,
        min_side=needed,
        max_bytes=max_bytes,
        picture=job.picture,
        frame_at=job.frame_at,
    )
    if image is None:
        return None
    pixels = image.pixels if box is None else cut_box(image.pixels, box)
    return thumbnail(pixels, side=side, quality=quality)
