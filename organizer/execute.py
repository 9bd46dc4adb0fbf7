"""Where the work runs: on this machine. Another place is a plugin.

Every embedder gets the same engine: files are read, hashed and decoded in worker processes, which a
file may crash without harm to the others, prepared on threads, a bounded number of them ahead, and
embedded in batches by the calling thread. Order is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from organizer import metadata
from organizer.embed.frames import join_pictures
from organizer.embed.pictures import Prepared, embed_pictures, prepare_picture
from organizer.errors import ImageError
from organizer.protocols import LoadedEmbedder, least_side
from organizer.reading import WORKER, ReadFile, Reading, ReadingOptions
from organizer.settings import available_cores
from organizer.store.ids import IdSet
from organizer.types import (
    FRAME_AT,
    EmbeddingBatch,
    Identity,
    ImageFacts,
    ImageRef,
    KnownImage,
    Outcome,
    Problem,
    ProcessedBatch,
    ProcessedFile,
    ReaderFailure,
)
from organizer.workers.pool import Call, WorkerPool

_Job = TypeVar("_Job")
_Done = TypeVar("_Done")

_FILES_PER_BATCH = 8
"""A batch is closed at this many files for each image that fits in, so that a folder of nothing but
duplicates is committed as it goes too."""


_FILES_PER_START = 16
"""A process takes as long to start as so many photos to decode."""


class ThreadedExecutor:
    """Reads and decodes in processes, prepares on threads, embeds on the caller's thread."""

    def __init__(
        self,
        *,
        threads: int = 0,
        batch_size: int = 32,
        max_file_bytes: int = 2 * 1024**3,
        video_frames: int = 16,
    ) -> None:
        self._threads = threads or available_cores()
        self._batch_size = batch_size
        self._max_file_bytes = max_file_bytes
        self._video_frames = video_frames
        self._workers: WorkerPool | None = None

    @contextmanager
    def started(self, files: int) -> Iterator[None]:
        """See `organizer.protocols.StartableExecutor`; the processes serve one `run`."""
        with WorkerPool(WORKER, self._threads) as self._workers:
            self._workers.start(-(-files // _FILES_PER_START))
            yield
        self._workers = None

    def run(
        self,
        refs: Iterable[ImageRef],
        embedder: LoadedEmbedder,
        *,
        find: Callable[[Identity], KnownImage | None],
    ) -> Iterator[ProcessedBatch]:
        """See `organizer.protocols.Executor`."""
        options = ReadingOptions(
            least_side(embedder.part), self._max_file_bytes, self._video_frames
        )

        def work(ref: ImageRef) -> _Work:
            return _read_and_prepare(ref, embedder, workers, options, find)

        metadata.installed_readers()  # one that cannot be had is told before anything is read
        with (
            self._workers or WorkerPool(WORKER, self._threads) as workers,
            # While one thread prepares a picture, another has the worker decode the next.
            ThreadPoolExecutor(2 * self._threads, "decode") as pool,
        ):
            works = in_order(pool, work, refs, ahead=self._batch_size + 2 * self._threads)
            try:
                yield from self._batches(works, embedder)
            finally:
                workers.close()
                pool.shutdown(wait=True, cancel_futures=True)

    def _batches(
        self, works: Iterator[_Work], embedder: LoadedEmbedder
    ) -> Iterator[ProcessedBatch]:
        came, said = IdSet(), IdSet()
        batch = _OpenBatch()
        for work in works:
            batch.add(work, came, said)
            full = len(batch.prepared) >= self._batch_size
            if full or len(batch.files) >= _FILES_PER_BATCH * self._batch_size:
                done = batch.close(embedder)
                came.add(done.embeddings.image_ids)
                yield done
                batch = _OpenBatch()
        if batch.files:
            yield batch.close(embedder)


@dataclass(frozen=True, slots=True)
class _Work:
    """One file as it comes from a thread; of a video, `prepared` are frames at some seconds.

    Where there are `pixels`, they are still to be prepared.
    """

    ref: ImageRef
    image_id: str | None = None
    identity: Identity = field(default_factory=lambda: Identity("", ""))
    facts: ImageFacts | None = None
    prepared: tuple[Prepared, ...] = ()
    frames_at: tuple[float, ...] = ()
    pixels: NDArray[np.uint8] | None = None
    problem: Problem | None = None
    reader_failures: tuple[ReaderFailure, ...] = ()
    holds_more: bool = False
    miniature: NDArray[np.uint8] | None = None


@dataclass(slots=True)
class _OpenBatch:
    files: list[ProcessedFile] = field(default_factory=list)
    image_ids: list[str] = field(default_factory=list)
    prepared: list[Prepared] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    frames_at: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def add(self, work: _Work, came: IdSet, said: IdSet) -> None:
        """Add a file.

        Args:
            work: The file.
            came: The images that were embedded in this run.
            said: The files, by their hashes, that gave facts in this run; this one is added.
        """
        is_embedded, facts, failures = False, work.facts, work.reader_failures
        if facts is not None and facts.file_hash in said:
            facts, failures = None, ()
        elif facts is not None:
            said.add([facts.file_hash])
        if work.image_id is not None and work.prepared:
            # Two threads may decode the same picture at once: the first in order counts.
            is_embedded = work.image_id not in self.image_ids and work.image_id not in came
            if is_embedded:
                self.image_ids.append(work.image_id)
                self.prepared += work.prepared
                self.counts.append(len(work.prepared))
                if work.frames_at:
                    self.frames_at[work.image_id] = work.frames_at
        file = ProcessedFile(
            work.ref,
            work.image_id,
            facts,
            work.problem,
            failures,
            file_hash=work.identity.file,
            picture_hash=work.identity.picture,
            is_embedded=is_embedded,
            holds_more=work.holds_more,
            miniature=work.miniature,
        )
        self.files.append(file)

    def close(self, embedder: LoadedEmbedder) -> ProcessedBatch:
        pictures = embed_pictures(embedder, self.prepared)
        done = join_pictures(pictures, self.counts)
        reasons = {self.image_ids[row]: failure.reason for row, failure in done.failures.items()}
        ids = tuple(self.image_ids[row] for row in done.rows)
        shown = {
            image_id: self.frames_at[image_id][medoid]
            for image_id, medoid in zip(ids, done.medoids, strict=True)
            if image_id in self.frames_at
        }
        files = (_with_frame(_with_problem(file, reasons), shown) for file in self.files)
        embeddings = EmbeddingBatch(ids, done.vectors)
        return ProcessedBatch(tuple(files), embeddings, pictures.batch_failure)


def _with_problem(file: ProcessedFile, reasons: Mapping[str, str]) -> ProcessedFile:
    """A file whose image got no vector is a problem; the image may have several files."""
    if file.image_id is None or file.image_id not in reasons:
        return file
    reason = reasons[file.image_id]
    problem = Problem(file.ref, Outcome.BROKEN, reason, lasting=False, image_id=file.image_id)
    return ProcessedFile(file.ref, problem=problem)


def _with_frame(file: ProcessedFile, shown: Mapping[str, float]) -> ProcessedFile:
    """A video with the second of the frame that stands for it."""
    if file.facts is None or file.facts.image_id not in shown:
        return file
    extra = {**file.facts.extra, FRAME_AT: shown[file.facts.image_id]}
    return replace(file, facts=replace(file.facts, extra=extra))


def _read_and_prepare(
    ref: ImageRef,
    embedder: LoadedEmbedder,
    workers: WorkerPool,
    options: ReadingOptions,
    find: Callable[[Identity], KnownImage | None],
) -> _Work:
    def read(call: Call) -> _Work:
        reading: Reading = call("read", ref, options)
        identity = Identity("", "")
        frames: list[Prepared] = []
        frames_at: list[float] = []
        try:
            told = next(reading)
            while True:
                if isinstance(told, Identity):
                    identity, known = told, find(told)
                    told = reading.send(known)
                else:
                    frames.append(prepare_picture(embedder, told.pixels))
                    frames_at.append(told.at)
                    told = next(reading)
        except StopIteration as end:
            done: ReadFile = end.value
        return _Work(
            ref,
            done.image_id,
            identity,
            done.facts,
            tuple(frames),
            tuple(frames_at),
            pixels=done.pixels,
            reader_failures=done.reader_failures,
            holds_more=done.holds_more,
            miniature=done.miniature,
        )

    try:
        work = workers.attempt(read, size=ref.size)
        if work.pixels is None:
            return work
        # The worker has gone on to the next file.
        prepared = (prepare_picture(embedder, work.pixels),)
        return replace(work, prepared=prepared, pixels=None)
    except ImageError as error:
        return _Work(ref, problem=Problem(ref, error.outcome, error.message, error.lasting))


def in_order(
    pool: ThreadPoolExecutor,
    work: Callable[[_Job], _Done],
    jobs: Iterable[_Job],
    *,
    ahead: int,
) -> Iterator[_Done]:
    """Results in the order of `jobs`, with at most `ahead` begun or waiting."""
    rest = iter(jobs)
    begun: deque[Future[_Done]] = deque(pool.submit(work, job) for job in islice(rest, ahead))
    while begun:
        done = begun.popleft().result()
        begun.extend(pool.submit(work, job) for job in islice(rest, 1))
        yield done
