"""Thumbnails of the images of a library, for reports, exports and notebooks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from organizer import decode
from organizer.execute import in_order
from organizer.library.images.ask_workers import ask_worker
from organizer.library.images.wanted_pictures import wanted_pictures
from organizer.library.progress import Progress
from organizer.reading import WantedPicture, thumbnail_of
from organizer.settings import available_cores
from organizer.store import Store
from organizer.thumbnail import QUALITY, Thumbnail
from organizer.workers.pool import WorkerPool

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
    progress.begin("reading pictures", len(ids))
    found = {}
    jobs = wanted_pictures(store, ids)
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
    (wanted,) = wanted_pictures(store, [image_id], with_people=True)
    made: Thumbnail | None = ask_worker(workers, "thumbnail", wanted, side, QUALITY, max_file_bytes)
    return made


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
