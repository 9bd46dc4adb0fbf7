"""Makes detections from the bursts of a library, for photos without a detector's results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organizer.execute import in_order
from organizer.frames import read_frame
from organizer.library import Library
from organizer.library.detections.report import DetectionReport
from organizer.library.images.capture import read_capture_info
from organizer.library.images.frames import present_files
from organizer.library.progress import NoProgress, Progress
from organizer.settings import Settings, available_cores
from organizer.store import Store
from organizer.types import NOISE, Detected, Detection, ImageDetections
from organizer_camera_trap.burst_median import (
    LEAST,
    SIDE,
    MovedRegion,
    Pixels,
    find_moved,
    group_by_light,
    is_grey,
)

DETECTOR = "burst median"

_MOST_COMPARED = 30
"""The most photos of a burst that are compared at once; a longer burst is split."""


@dataclass(frozen=True, slots=True)
class BurstReport:
    """The result of detections from bursts.

    Attributes:
        report: The library's report.
        bursts: Bursts of three photos or more that were compared.
        photos: Photos in them.
        still: Photos in which nothing moved; they are not called empty.
        alone: Photos without a time, or in no burst of three.
        unreadable: Photos that could not be read again.
        known: Photos with a detector's results, which are kept.
    """

    report: DetectionReport
    bursts: int
    photos: int
    still: int
    alone: int
    unreadable: int
    known: int


def from_bursts(
    library: Library,
    *,
    embedder: str | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> BurstReport:
    """Find what moved in each burst, and add it as detections.

    Photos with results of a real detector keep these.

    Args:
        library: The library.
        embedder: The embedder of the crops; the library's own where None.
        progress: Called for each burst.
        stop: Called after each burst; True interrupts.

    Raises:
        SettingsError: There are no images in the library.
    """
    shown = progress or NoProgress()
    known = _known(library.store)
    groups = _bursts(library.store, settings=library.settings)
    wanted = [group for group in groups if not known.issuperset(group)]
    shown.begin("comparing photos of bursts", len(wanted))
    found: list[ImageDetections] = []
    still = unreadable = 0
    for compared in _compare_all(library, wanted):
        shown.advance()
        unreadable += compared.unreadable
        for image_id, region in compared.found.items():
            if image_id in known:
                continue
            if region is None:
                still += 1
            else:
                found.append(_detections(image_id, region))
        if stop():
            break
    report = library.detections.add(
        found,
        total=len(found),
        embedder=embedder,
        keep_other_detectors=True,
        progress=shown,
        stop=stop,
    )
    inside = {image_id for group in groups for image_id in group}
    return BurstReport(
        report=report,
        bursts=len(wanted),
        photos=len(inside),
        still=still,
        alone=library.store.photos.count_images() - len(inside),
        unreadable=unreadable,
        known=len(known),
    )


def _known(store: Store) -> set[str]:
    """The photos with results of a real detector."""
    return {
        one.image_id
        for one in store.detections.of().values()
        if one.detector != DETECTOR and one.outcome is not Detected.FAILED
    }


def _bursts(store: Store, *, settings: Settings) -> list[list[str]]:
    """The photos of each burst of three or more, in order of time."""
    taken = read_capture_info(store, settings=settings)
    groups: dict[int, list[tuple[int, str]]] = {}
    rows = zip(taken.image_ids, taken.bursts.tolist(), taken.ranks.tolist(), strict=True)
    for image_id, burst, rank in rows:
        if burst != NOISE:
            groups.setdefault(burst, []).append((rank, image_id))
    ordered = [[image_id for _, image_id in sorted(group)] for group in groups.values()]
    return [group for group in ordered if len(group) >= LEAST]


@dataclass(frozen=True, slots=True)
class _ComparedBurst:
    found: dict[str, MovedRegion | None]
    unreadable: int


def _compare_all(library: Library, groups: Sequence[Sequence[str]]) -> Iterator[_ComparedBurst]:
    settings = library.settings
    threads = settings.threads or available_cores()

    def work(group: Sequence[str]) -> _ComparedBurst:
        files = library.store.photos.files_of(group, with_people=True)
        here = {image_id: present_files(files.get(image_id, ())) for image_id in group}
        pictures = library.store.photos.picture_hashes(group)
        return _compare(here, pictures, max_bytes=settings.max_file_bytes)

    with ThreadPoolExecutor(threads, "bursts") as pool:
        try:
            yield from in_order(pool, work, groups, ahead=2 * threads)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _compare(
    files: dict[str, list[Path]], pictures: dict[str, str], *, max_bytes: int
) -> _ComparedBurst:
    """What moved in the photos of a burst; photos of one size and brightness are compared."""
    sizes: dict[tuple[int, int, bool], dict[str, Pixels]] = {}
    unreadable = 0
    for image_id, paths in files.items():
        picture = pictures.get(image_id, "")
        image = read_frame(image_id, paths, min_side=SIDE, max_bytes=max_bytes, picture=picture)
        if image is None:
            unreadable += 1
        else:
            small = _small(image.pixels)
            kind = small.shape[0], small.shape[1], is_grey(small)
            sizes.setdefault(kind, {})[image_id] = small
    found: dict[str, MovedRegion | None] = {}
    for same in sizes.values():
        ids = list(same)
        for group in group_by_light([float(pixels.mean()) for pixels in same.values()]):
            for part in _parts([ids[row] for row in group]):
                if len(part) >= LEAST:
                    found.update(zip(part, find_moved([same[i] for i in part]), strict=True))
    return _ComparedBurst(found, unreadable)


def _parts(ids: Sequence[str]) -> list[list[str]]:
    """Split a long burst into parts of about equal length."""
    count = -(-len(ids) // _MOST_COMPARED)
    return [[str(i) for i in part] for part in np.array_split(np.array(ids), count)]


def _small(pixels: Pixels) -> Pixels:
    from PIL import Image

    height, width = pixels.shape[:2]
    scale = min(1.0, SIDE / min(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return pixels
    small = Image.fromarray(pixels).resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    return np.asarray(small)


def _detections(image_id: str, region: MovedRegion) -> ImageDetections:
    box = region.box
    detection = Detection("animal", region.share, box.x, box.y, box.width, box.height)
    return ImageDetections(image_id, Detected.FOUND, (detection,), detector=DETECTOR)
