"""Embed crops: read their photos again, cut the boxes out, and store the vectors."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from organizer import decode
from organizer.embed.pictures import Prepared, embed_pictures, prepare_picture
from organizer.errors import SettingsError
from organizer.execute import in_order
from organizer.frames import cut_box, read_frame
from organizer.library import embedders
from organizer.library.images.frames import (
    frame_shown,
    needed_side,
    present_files,
    square_box,
)
from organizer.library.progress import Progress
from organizer.protocols import LoadedEmbedder, least_side
from organizer.settings import Settings, available_cores
from organizer.store import Store
from organizer.types import Crop, EmbeddingBatch, ImageFacts, Vectors

_FRAMES_AT_ONCE = 2_000


@dataclass(slots=True)
class CropReport:
    """What became of crops that had no vector.

    Attributes:
        embedded: Number of crops that have one now.
        unreadable: Number of crops whose photo could not be read: its files are gone or changed.
        failed: Number of crops of which the embedder made no vector; the next run tries again.
        first_failure: Why, for the first of them, in one line.
        interrupted: Whether the run was stopped before its end.
    """

    embedded: int = 0
    unreadable: int = 0
    failed: int = 0
    first_failure: str = ""
    interrupted: bool = False

    @property
    def left_out(self) -> int:
        """Number of crops that were tried and have no vector still."""
        return self.unreadable + self.failed


def embed_crops(
    store: Store,
    crops: Mapping[str, Crop],
    loaded: LoadedEmbedder,
    *,
    settings: Settings,
    progress: Progress,
    stop: Callable[[], bool],
) -> CropReport:
    """Embed the crops that have no vector yet. The caller holds the library for writing.

    Args:
        store: The library.
        crops: The crops.
        loaded: The embedder, one of crops.
        settings: Batches, commits, threads.
        progress: Receives each crop.
        stop: Asked after each batch; True ends the run.
    """
    known = store.vectors.ids(loaded.spec)
    wanted = [crop for crop in crops.values() if crop.crop_id not in known]
    run = _CropEmbedding(store, loaded, settings)
    progress.begin(f"embedding with {loaded.spec.name}", len(wanted))
    for done in run.batches(wanted):
        progress.advance(done)
        if stop():
            run.report.interrupted = True
            break
    return run.finish()


def embed_whole_photos(store: Store, crops: Sequence[Crop], *, settings: Settings) -> None:
    """Embed whole photos as crops, for the current clustering of crops.

    Raises:
        SettingsError: A photo cannot be read.
    """
    current = store.clusterings.current()
    if not crops or current is None:
        return
    known = store.vectors.read_some(current.embedder, [crop.crop_id for crop in crops])
    wanted = [crop for crop in crops if crop.crop_id not in known]
    if not wanted:
        return
    store.detections.add_crops(wanted)
    run = _CropEmbedding(store, embedders.load_embedder(current.embedder, settings), settings)
    for _ in run.batches(wanted):
        pass
    report = run.finish()
    if report.failed:
        raise SettingsError(
            f"{report.failed} of the photos got no vector: {report.first_failure}",
            "a photo without a crop is embedded when it is moved to a cluster: leave them out",
        )
    if report.unreadable:
        raise SettingsError(
            f"{report.unreadable} of the photos cannot be read any more",
            "a photo without a crop is read when it is moved to a cluster: put their files back",
        )


def vectors_of_crops(
    store: Store, crops: Sequence[Crop], loaded: LoadedEmbedder, *, settings: Settings
) -> tuple[dict[str, Vectors], str]:
    """The vectors of crops as their photos are now, without writing them.

    Returns:
        By crop id, those that could be made; and why the first of the others could not, or "".
    """
    run = _CropEmbedding(store, loaded, settings)
    for _ in run.batches(crops, write=False):
        pass
    made = {i: v for b in run.made for i, v in zip(b.image_ids, b.vectors, strict=True)}
    unread = "the photo could not be read" if run.report.unreadable else ""
    return made, run.report.first_failure or unread


@dataclass(frozen=True, slots=True)
class _Job:
    """A photo and the crops to cut out of it."""

    facts: ImageFacts
    files: Sequence[Path]
    crops: Sequence[Crop]
    frame_at: float | None


_Piece = tuple[str, Prepared | None]
"""A crop id with the prepared pixels; None for a crop that could not be read."""


class _CropEmbedding:
    """One run, with the vectors that are not written yet."""

    def __init__(self, store: Store, loaded: LoadedEmbedder, settings: Settings) -> None:
        self._store, self._loaded, self._settings = store, loaded, settings
        self.made: list[EmbeddingBatch] = []
        self._last = time.monotonic()
        self.report = CropReport()

    def batches(self, crops: Sequence[Crop], *, write: bool = True) -> Iterator[int]:
        """Embed crops; yields the number of crops of each batch."""
        size = self._settings.batch_size
        pieces = self._pieces(crops)
        while batch := list(islice(pieces, size)):
            there = [(crop_id, piece) for crop_id, piece in batch if piece is not None]
            self.report.unreadable += len(batch) - len(there)
            if there:
                self._embed(there)
            if write and self._is_due():
                self._write()
            yield len(batch)

    def _embed(self, crops: Sequence[tuple[str, Prepared]]) -> None:
        done = embed_pictures(self._loaded, [piece for _, piece in crops])
        ids = tuple(crops[row][0] for row in done.rows)
        self.made.append(EmbeddingBatch(ids, done.vectors))
        for failure in done.failures.values():
            self.report.failed += 1
            self.report.first_failure = self.report.first_failure or failure.reason

    def finish(self) -> CropReport:
        """Write the remaining vectors."""
        self._write()
        return self.report

    def _is_due(self) -> bool:
        overdue = time.monotonic() - self._last > self._settings.commit_seconds
        count = sum(len(batch.image_ids) for batch in self.made)
        return overdue or count >= self._settings.commit_images

    def _write(self) -> None:
        if not self.made:
            return
        ids = tuple(i for batch in self.made for i in batch.image_ids)
        vectors = np.concatenate([batch.vectors for batch in self.made])
        self._store.vectors.append(self._loaded.spec, EmbeddingBatch(ids, vectors))
        self.report.embedded += len(ids)
        self.made, self._last = [], time.monotonic()

    def _pieces(self, crops: Sequence[Crop]) -> Iterator[_Piece]:
        loaded = self._loaded
        min_side, max_bytes = least_side(loaded.part), self._settings.max_file_bytes

        def work(job: _Job) -> list[_Piece]:
            width, height = job.facts.width, job.facts.height
            boxes = [square_box(crop.box, width, height) for crop in job.crops]
            needed = needed_side(boxes, width, height, min_side)
            image = read_frame(
                job.facts.image_id,
                job.files,
                min_side=needed,
                max_bytes=max_bytes,
                picture=job.facts.picture_hash,
                frame_at=job.frame_at,
            )
            ids = [crop.crop_id for crop in job.crops]
            if image is None:
                return [(crop_id, None) for crop_id in ids]
            cuts = (np.ascontiguousarray(cut_box(image.pixels, box)) for box in boxes)
            return [(i, prepare_picture(loaded, cut)) for i, cut in zip(ids, cuts, strict=True)]

        threads = self._settings.threads or available_cores()
        with warnings.catch_warnings(), ThreadPoolExecutor(threads, "crops") as pool:
            warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif")
            decode.register_codecs()
            try:
                for pieces in in_order(pool, work, self._jobs(crops), ahead=4 * threads):
                    yield from pieces
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _jobs(self, crops: Iterable[Crop]) -> Iterator[_Job]:
        by_frame: dict[str, list[Crop]] = {}
        for crop in crops:
            by_frame.setdefault(crop.image_id, []).append(crop)
        frames = iter(by_frame)
        while some := list(islice(frames, _FRAMES_AT_ONCE)):
            facts = self._store.photos.facts_of(some)
            files = self._store.photos.files_of(some, with_people=True)
            detected = self._store.detections.of(some)
            for image_id in some:
                if image_id in facts:
                    here = present_files(files.get(image_id, ()))
                    at = frame_shown(facts[image_id], detected.get(image_id))
                    yield _Job(facts[image_id], here, by_frame[image_id], at)
