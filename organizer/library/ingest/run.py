"""Ingest: discover, decode, embed and store images, and assign new ones to the clusters."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from organizer import metadata, registry
from organizer.capture_times import FILE_NAME, NamePattern
from organizer.cluster.decisions import compile_constraints
from organizer.discover import Walk, resolve_start
from organizer.errors import SettingsError
from organizer.file_kinds import by_kind, image_suffixes
from organizer.file_times import modified_ns
from organizer.library import embedders
from organizer.library.arrangements.active import arranged_files_below
from organizer.library.clustering.preprocessing import uses_capture_info
from organizer.library.ingest.commit import CommitBuffer
from organizer.library.ingest.described import undescribed_files
from organizer.library.ingest.late import assign_late
from organizer.library.ingest.name_times import complete_times, with_name_times
from organizer.library.ingest.report import IngestReport
from organizer.library.ingest.twins import Suspect, merge_twins
from organizer.library.progress import NoProgress, Progress
from organizer.paths import folder_prefix
from organizer.protocols import Embedder, Executor, LoadedEmbedder, StartableExecutor
from organizer.settings import DEFAULT_EMBEDDER, Settings, config_path
from organizer.store import (
    AbsentFiles,
    FileImage,
    FileIndex,
    IdSet,
    KnownPictures,
    PhotoRoot,
    Store,
)
from organizer.types import (
    FileState,
    Identity,
    ImageRef,
    KnownImage,
    Outcome,
    PartSpec,
    Problem,
    ProcessedBatch,
    ProcessedFile,
    ReaderFailure,
)

_EXECUTORS = "organizer.executors"
_REFS_AT_ONCE = 4_096


def starting_points(paths: Sequence[Path]) -> list[Path]:
    """The absolute paths to walk: each once, none inside another.

    Raises:
        SettingsError: A path does not exist, or no path was given.
    """
    if not paths:
        raise SettingsError("no folder was named", "organizer ingest FOLDER")
    starts = sorted({resolve_start(path) for path in paths})
    return [s for s in starts if not any(s != t and s.is_relative_to(t) for t in starts)]


def require_images(starts: Sequence[Path]) -> None:
    """Make sure that there are image files to ingest.

    Raises:
        SettingsError: There is no file of a kind that is read.
    """
    others: Counter[str] = Counter()
    for start in starts:
        walk = Walk(start if start.is_dir() else start.parent, start)
        if next(iter(walk), None) is not None or walk.problems:
            return
        others += walk.other_suffixes
    where = " or ".join(str(start) for start in starts)
    found = f", only {_listed(others)}" if others else ""
    kinds = " ".join(sorted(suffix.removeprefix(".") for suffix in image_suffixes()))
    raise SettingsError(f"there are no images in {where}{found}", f"read are: {kinds}")


def require_executor(settings: Settings) -> None:
    """Make sure that there is an executor of the name in the settings; none is imported.

    Raises:
        SettingsError: There is none.
        PluginError: There are two.
    """
    try:
        registry.check_part(_EXECUTORS, settings.executor)
    except SettingsError as error:
        raise SettingsError(
            error.message, f"look at ORGANIZER_EXECUTOR and at {config_path()}: {error.hint}"
        ) from error


def run_ingest(
    store: Store,
    starts: Sequence[Path],
    *,
    was_interrupted: bool,
    embedder: str | Embedder | None,
    other_weights: bool,
    settings: Settings,
    progress: Progress,
    stop: Callable[[], bool],
    confirm_missing: bool = False,
    is_complete: Callable[[ImageRef], bool] | None = None,
    name_times: NamePattern | None = None,
    verify: bool = False,
    reread_metadata: bool = False,
) -> IngestReport:
    """See `organizer.library.Library.ingest`. The caller keeps other writers out.

    The library is held for writing for each commit alone: in between others may decide.

    Args:
        store: The library.
        starts: See `starting_points`.
        was_interrupted: Whether the last writer was interrupted.
        embedder: As in `Library.ingest`.
        other_weights: As in `Library.ingest`.
        settings: The settings.
        progress: Receives the progress.
        stop: As in `Library.ingest`.
        confirm_missing: As in `Library.ingest`.
        is_complete: Whether a file is to be read; another program may still be writing it. One
            that is not, or that changed while it was read and cannot be used, is left for a later
            ingest: neither broken nor missing. None reads all files.
        name_times: How names of files tell the times of images that have no other.
        verify: As in `Library.ingest`.
        reread_metadata: As in `Library.ingest`.
    """
    try:
        run = _prepare(store, starts, embedder, other_weights, settings, progress, stop)
        run.is_complete, run.name_times = is_complete, name_times
        run.confirm_missing = confirm_missing
        run.index.trusts_times = not (verify or reread_metadata)
        run.reads_again = reread_metadata
        return run.run(was_interrupted=was_interrupted)
    finally:
        store.roots.discard_pending()


@dataclass(frozen=True, slots=True)
class PendingFiles:
    """What an ingest would find different from what the library knows.

    Attributes:
        refs: The files that it would read.
        gone: Number of files, and of problems of files, that are not there any more.
        returned: Number of missing files that are there again.
        absent: Folders most of whose files are gone; an ingest leaves these as they are known.
    """

    refs: tuple[ImageRef, ...]
    gone: int
    returned: int
    absent: tuple[AbsentFiles, ...] = ()


def pending_files(
    store: Store,
    starts: Sequence[Path],
    *,
    embedder: str | Embedder | None,
    settings: Settings,
    confirm_missing: bool = False,
) -> PendingFiles:
    """Look for what an ingest would read or note, without reading a file or writing anything."""
    try:
        run = _prepare(store, starts, embedder, False, settings, NoProgress(), lambda: False)
        run.confirm_missing = confirm_missing
        return run.pending()
    finally:
        store.roots.discard_pending()


def _prepare(
    store: Store,
    starts: Sequence[Path],
    embedder: str | Embedder | None,
    other_weights: bool,
    settings: Settings,
    progress: Progress,
    stop: Callable[[], bool],
) -> _Ingest:
    """Read all that an ingest needs before it looks at the first file."""
    loaded = embedders.as_loaded(embedder)
    spec = loaded.spec if loaded is not None else None
    if isinstance(embedder, str) and embedder:
        spec = embedders.stored_spec(store, embedder)
    spec = spec or embedders.photo_embedder(store)
    if other_weights and spec is not None and loaded is None:
        loaded = embedders.load_with_other_weights(spec, settings)
        spec = loaded.spec
    embedded = store.vectors.ids(spec) if spec else IdSet()
    walks = [(store.roots.root_for(start), start) for start in starts]
    roots = store.roots.all()
    return _Ingest(
        store=store,
        settings=settings,
        progress=progress,
        stop=stop,
        spec=spec,
        loaded=loaded,
        embedded=embedded,
        walks=walks,
        nested=[r for r in roots if any(r.folder.is_relative_to(s) for s in starts)],
        root_ids={root.folder: root.root_id for root in roots},
        index=store.photos.index(starts, embedded),
        arranged=arranged_files_below(store, starts),
    )


@dataclass(slots=True)
class _Ingest:
    """One ingest, from its beginning to its end.

    Attributes:
        spec: The embedder; None before the first ingest has chosen one.
        loaded: The embedder, where it is loaded already.
        embedded: The images that have a vector of it.
        walks: The root and the start of each walk.
        nested: Roots below one of the starting points.
        root_ids: Ids of all roots, by folder.
        index: The known files below the starting points.
        arranged: Links and copies that arrangements made below the starting points.
        blind: Folders that cannot be listed.
        seen: Number of image files that are there, by starting point.
        found_again: Files of known images, by image.
        is_complete: See `run_ingest`.
        name_times: See `run_ingest`.
        confirm_missing: See `run_ingest`.
        reads_again: Whether the metadata of files that did not change are read too.
        undescribed: Images that may have the metadata of another file than the one that counts.
        twins: Pairs of images that turned out to be one picture.
        suspects: Pairs that may be.
    """

    store: Store
    settings: Settings
    progress: Progress
    stop: Callable[[], bool]
    spec: PartSpec | None
    loaded: LoadedEmbedder | None
    embedded: IdSet
    walks: list[tuple[PhotoRoot, Path]]
    nested: list[PhotoRoot]
    root_ids: dict[Path, int]
    index: FileIndex
    arranged: frozenset[str]
    report: IngestReport = field(default_factory=IngestReport)
    blind: list[Problem] = field(default_factory=list)
    seen: Counter[Path] = field(default_factory=Counter)
    found_again: dict[str, list[Path]] = field(default_factory=dict)
    is_complete: Callable[[ImageRef], bool] | None = None
    name_times: NamePattern | None = None
    confirm_missing: bool = False
    reads_again: bool = False
    undescribed: set[str] = field(default_factory=set)
    twins: list[tuple[str, str]] = field(default_factory=list)
    suspects: list[Suspect] = field(default_factory=list)

    def pending(self) -> PendingFiles:
        """See `pending_files`."""
        refs = [
            ref
            for refs in self._chunks()
            for ref, known in zip(refs, self.index.look_up(refs, self.root_ids), strict=True)
            if known is None
        ]
        vanished = self._vanished()
        absent = self._look_absent(vanished)
        gone = len(set(vanished).difference(*(found.gone for found in absent)))
        gone += 0 if absent else len(self.index.vanished_problems())
        return PendingFiles(tuple(refs), gone, len(self.index.found_again()), absent)

    def run(self, *, was_interrupted: bool) -> IngestReport:
        """Look for files, embed new images, note what has gone."""
        started = time.monotonic()
        new = self._look()
        absent = self._look_absent(self._vanished())
        if self.name_times is not None:
            starts = [start for _, start in self.walks]
            known = complete_times(self.store, starts, self.name_times)
            self.report.time_sources.update({FILE_NAME: known} if known else {})
        if new:
            self._embed(new)
        self._sweep(absent, was_interrupted=was_interrupted)
        self._merge_twins()
        self._describe_again()
        self._assign_late()
        for file in (file for files in self.found_again.values() for file in files):
            self.report.count(Outcome.DUPLICATE, file)
        self.report.images = self.store.photos.count_images()
        self.report.embedder = self.spec or PartSpec("")
        self.report.seconds = time.monotonic() - started
        return self.report

    def _assign_late(self) -> None:
        with self.store.writing():
            current = self.store.clusterings.current()
            late = assign_late(self.store, current, seed=self.settings.seed)
        self.report.novel += late.novel
        self.report.novel_images += late.novel_images
        self.report.count_assigned(late.assigned)
        if current is not None and uses_capture_info(current):
            self.report.compared += late.compared
            self.report.unassigned += late.unassigned
        if current is not None:
            self.report.total_unassigned = self.store.clusterings.count_unassigned(
                current.clustering_id
            )
            self.report.name_grown(
                self.store.clusterings.cluster_ids(current.clustering_id),
                compile_constraints(self.store.decisions.current()).names,
            )

    # Mark ----------------------------------------------------------------------------------

    def _look(self) -> int:
        """Stat every file; count those that have to be read."""
        self.progress.begin("looking for images", None)
        new = 0
        for refs in self._chunks():
            for ref, known in zip(refs, self.index.look_up(refs, self.root_ids), strict=True):
                if known is not None:
                    self.report.count(known, ref.file)
                elif self._is_to_be_read(ref):
                    new += 1
            self.progress.advance(len(refs))
        return new

    def _refs_to_read(self) -> Iterator[ImageRef]:
        """Walk again: two walks cost less than remembering ten million files."""
        for refs in self._chunks(again=True):
            known = self.index.look_up(refs, self.root_ids)
            for ref, outcome in zip(refs, known, strict=True):
                if outcome is None and self._is_to_be_read(ref):
                    yield ref

    def _is_to_be_read(self, ref: ImageRef) -> bool:
        return self.is_complete is None or self.is_complete(ref)

    def _chunks(self, *, again: bool = False) -> Iterator[list[ImageRef]]:
        for root, start in self.walks:
            walk = Walk(root.folder, start)
            refs = (self._attributed(ref, root) for ref in walk if not self._is_arranged(ref))
            while chunk := list(islice(refs, _REFS_AT_ONCE)):
                if not again:
                    self.seen[start] += len(chunk)
                    self._note_beside(walk, root)
                walk.beside.clear()
                yield chunk
            if not again:
                self._note_beside(walk, root)
                self.blind += walk.problems
                self.report.other_suffixes += walk.other_suffixes
                self.report.companions += walk.companions
                self.report.videos_beside += walk.videos_beside

    def _note_beside(self, walk: Walk, root: PhotoRoot) -> None:
        """Raw files that were alone when they were read stay photos, now that a JPEG lies there."""
        refs = [self._attributed(ref, root) for ref in walk.beside]
        for ref, known in zip(refs, self.index.look_up(refs, self.root_ids), strict=True):
            if known is not None:
                self.report.count(known, ref.file)

    def _is_arranged(self, ref: ImageRef) -> bool:
        """Whether a file is a link or copy of an arrangement, and no photo of its own."""
        return bool(self.arranged) and f"{folder_prefix(ref.root)}{ref.path}" in self.arranged

    def _attributed(self, ref: ImageRef, root: PhotoRoot) -> ImageRef:
        """A file below a root inside this one belongs to the inner root."""
        inner = [r for r in self.nested if r.root_id != root.root_id and _is_below(ref, r.folder)]
        if not inner:
            return ref
        deepest = max(inner, key=lambda r: len(r.folder.parts))
        path = ref.file.relative_to(deepest.folder).as_posix()
        return replace(ref, root=deepest.folder, path=path)

    # Read, embed, commit -------------------------------------------------------------------

    def _embed(self, total: int) -> None:
        executor = self._executor()
        with _started(executor, total):
            self._embed_with(executor, self._loaded(), total)

    def _embed_with(self, executor: Executor, loaded: LoadedEmbedder, total: int) -> None:
        self.spec = loaded.spec
        self.report.engine = getattr(loaded.part, "engine", "")
        pictures = self.store.photos.known_pictures(self.embedded)
        pictures.reads_again = self.reads_again
        commit = self._commit_buffer(loaded, pictures)
        self.progress.begin(f"embedding with {loaded.spec.name}", total)
        self._drain(executor, loaded, commit, pictures)
        self.found_again = commit.found_again
        self.undescribed |= commit.undescribed
        self.twins += commit.twins
        self.suspects += commit.suspects

    def _commit_buffer(self, loaded: LoadedEmbedder, pictures: KnownPictures) -> CommitBuffer:
        return CommitBuffer.open(
            self.store,
            loaded,
            self.root_ids,
            self.report,
            embedded=self.embedded,
            pictures=pictures,
            settings=self.settings,
        )

    def _executor(self) -> Executor:
        settings = self.settings
        options = {
            "threads": settings.threads,
            "batch_size": settings.batch_size,
            "max_file_bytes": settings.max_file_bytes,
            "video_frames": settings.video_frames,
        }
        _, executor = registry.create_part(_EXECUTORS, PartSpec(settings.executor), options=options)
        return executor  # type: ignore[no-any-return]

    def _loaded(self) -> LoadedEmbedder:
        if self.loaded is None:
            self.loaded = self._load()
        return self.loaded

    def _load(self) -> LoadedEmbedder:
        return embedders.load_embedder(self.spec or PartSpec(DEFAULT_EMBEDDER), self.settings)

    def _drain(
        self,
        executor: Executor,
        loaded: LoadedEmbedder,
        commit: CommitBuffer,
        pictures: KnownPictures,
    ) -> None:
        batches = executor.run(self._refs_to_read(), loaded, find=pictures.find)
        notes = _Notes(self.progress, loaded.spec.name, self.settings.batch_size)
        last = time.monotonic()
        for read in batches:
            batch = read if self.is_complete is None else _without_changing(read)
            if self.name_times is not None:
                batch = with_name_times(batch, self.name_times)
            notes.of(batch)
            commit.add(batch)
            self.progress.advance(len(batch.files))
            overdue = time.monotonic() - last > self.settings.commit_seconds
            if overdue or commit.pending >= self.settings.commit_images:
                commit.write()
                last = time.monotonic()
            if self.stop():
                self.report.interrupted = True
                break
        commit.write()
        commit.finish()

    # Sweep ---------------------------------------------------------------------------------

    def _vanished(self) -> list[FileImage]:
        """The files that were there and are not, except where one cannot look."""
        return self.index.vanished(except_below=[problem.ref.file for problem in self.blind])

    def _sweep(self, absent: Sequence[AbsentFiles], *, was_interrupted: bool) -> None:
        """Mark the files that are missing, present again, or moved.

        A run that was stopped does so too: every file was looked for before the first was read.
        """
        with self.store.writing(), self.store.transaction():
            self.store.roots.write_pending()
            self._note_gone(absent, was_interrupted=was_interrupted)
        for problem in self.blind:
            self.report.count(problem.outcome, problem.ref.file)

    def _note_gone(self, absent: Sequence[AbsentFiles], *, was_interrupted: bool) -> None:
        photos = self.store.photos
        photos.mark(self.index.found_again(), FileState.PRESENT)
        vanished = self._vanished()
        self.undescribed.update(image_id for _, image_id in vanished)
        self.undescribed.update(image_id for _, image_id in self.index.found_again())
        missing = photos.files_in_state(self.found_again, FileState.MISSING)
        moved = self._matched([*missing, *vanished])
        if was_interrupted:
            moved |= self._moved_before_interruption(vanished)
        photos.forget_files(moved)
        without_moved = (found.without(moved) for found in absent)
        self.report.absent = tuple(found for found in without_moved if found.is_most)
        left = moved.union(*(found.gone for found in self.report.absent))
        photos.mark(set(vanished) - left, FileState.MISSING)
        self.report.counts[Outcome.MISSING] += len(set(vanished) - left)
        if not self.report.absent:
            photos.forget_problems(self.index.vanished_problems())
        photos.add_problems(self.blind, self.root_ids)

    def _look_absent(self, vanished: Collection[FileImage]) -> tuple[AbsentFiles, ...]:
        """The folders that may be on a disk that is not connected, before anything is read."""
        if self.confirm_missing:
            return ()
        return self.store.photos.absent(
            {start: self.seen[start] for _, start in self.walks}, vanished
        )

    def _merge_twins(self) -> None:
        if self.spec is not None and (self.twins or self.suspects):
            with self.store.writing():
                self.undescribed |= merge_twins(
                    self.store,
                    self.spec,
                    self.twins,
                    self.suspects,
                    self.report,
                    seed=self.settings.seed,
                )

    def _describe_again(self) -> None:
        """Read the files whose metadata count now and were not read, as those before them went."""
        held = undescribed_files(self.store, self.undescribed)
        if not held or self.report.interrupted:
            return
        loaded, pictures = self._loaded(), self.store.photos.known_pictures(self.embedded)

        def find(identity: Identity) -> KnownImage | None:
            known = pictures.find(identity)
            return None if known is None else replace(known, file_hash="")

        commit = self._commit_buffer(loaded, pictures)
        refs = iter([one.ref for one in held])
        for batch in self._executor().run(refs, loaded, find=find):
            # A file that has changed once more is for the next ingest.
            as_known = {one.ref: one.image_id for one in held}
            files = (f for f in batch.files if f.image_id == as_known[f.ref])
            commit.describe(replace(batch, files=tuple(files)))

    def _matched(self, gone: list[FileImage]) -> set[FileImage]:
        """The files that are gone and whose content was found elsewhere: they moved."""
        moved = set()
        for path_id, image_id in gone:
            if self.found_again.get(image_id):
                moved.add((path_id, image_id))
                self.report.count(Outcome.MOVED, self.found_again[image_id].pop(0))
        return moved

    def _moved_before_interruption(self, vanished: list[FileImage]) -> set[FileImage]:
        """The files that are gone and whose content has another file.

        The interrupted run may have read a moved file under its new path: what looks like one of
        two copies that went is then one file that moved.
        """
        photos = self.store.photos
        gone = [*photos.all_in_state(FileState.MISSING), *vanished]
        here = photos.files_in_state((image_id for _, image_id in gone), FileState.PRESENT)
        elsewhere = {image_id for _, image_id in set(here) - set(gone)}
        return {pair for pair in gone if pair[1] in elsewhere}


def _started(executor: Executor, files: int) -> AbstractContextManager[None]:
    return executor.started(files) if isinstance(executor, StartableExecutor) else nullcontext()


@dataclass(slots=True)
class _Notes:
    """What a person should read while an ingest runs, each once."""

    progress: Progress
    embedder: str
    batch_size: int
    readers: set[str] = field(default_factory=set)
    is_batch_noted: bool = False

    def of(self, batch: ProcessedBatch) -> None:
        """Note what is new in a batch."""
        for file in batch.files:
            for failure in file.reader_failures:
                if failure.reader not in self.readers:
                    self.readers.add(failure.reader)
                    self.progress.note(_reader_note(failure, file.ref))
        if batch.batch_failure and not self.is_batch_noted:
            self.is_batch_noted = True
            self.progress.note(
                f"{batch.batch_failure} (on {self.batch_size} pictures at once; fewer at once "
                "went well, and a lower --batch-size may be quicker)"
            )


def _reader_note(failure: ReaderFailure, ref: ImageRef) -> str:
    """Said at once: what a reader does not find in a photo is looked for again only if asked."""
    return (
        f"the metadata reader {failure.reader!r} of {metadata.reader_provider(failure.reader)} "
        f"failed on {ref.file}: {failure.reason}; new photos go in without what it would find"
    )


def _without_changing(batch: ProcessedBatch) -> ProcessedBatch:
    """A batch without the unusable or damaged files that changed since they were looked for."""
    files = tuple(f for f in batch.files if not _is_doubtful(f) or not _has_changed(f.ref))
    return replace(batch, files=files)


def _is_doubtful(file: ProcessedFile) -> bool:
    return file.problem is not None or bool(file.damage)


def _has_changed(ref: ImageRef) -> bool:
    try:
        status = ref.file.stat()
    except OSError:
        return True
    return (status.st_size, modified_ns(status)) != (ref.size, ref.mtime_ns)


def _is_below(ref: ImageRef, folder: Path) -> bool:
    return f"{folder_prefix(ref.root)}{ref.path}".startswith(folder_prefix(folder))


def _listed(counts: Counter[str]) -> str:
    ranked = list(by_kind(counts).items())
    rest = [f"{len(ranked) - 6} more kinds"] if len(ranked) > 6 else []
    shown = [f"{count} {suffix or 'without suffix'}" for suffix, count in ranked[:6]]
    return ", ".join(shown + rest)
