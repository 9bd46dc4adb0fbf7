"""Bring images in: discover, decode, embed, store; new images join the present clusters."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np

from organizer import registry
from organizer.discover import SUFFIXES, Walk, resolve_start
from organizer.errors import SettingsError
from organizer.library import embedders
from organizer.library.joining import join, join_late
from organizer.library.progress import Progress
from organizer.protocols import Executor, LoadedEmbedder
from organizer.settings import Settings
from organizer.store import ClusterModels, FileIndex, IdSet, Known, Pair, Root, Store
from organizer.types import (
    AssignmentState,
    EmbeddingBatch,
    FileState,
    ImageRef,
    Outcome,
    PartSpec,
    Problem,
    ProcessedBatch,
    ProcessedFile,
)

_REFS_AT_ONCE = 4_096
_EXAMPLES = 3


@dataclass(slots=True)
class IngestReport:
    """What an ingest did.

    Attributes:
        counts: Files by what became of them.
        examples: A few paths for each outcome but "unchanged".
        images: Images in the library afterwards.
        embedded: Vectors that were made.
        joined: New images that were put into present clusters; `unsure` of them fit none well.
        unsure: See `joined`.
        other_suffixes: Files of kinds that are not read, by suffix.
        embedder: What made the vectors.
        seconds: Wall time.
        interrupted: Whether the run was stopped before its end.
    """

    counts: Counter[Outcome] = field(default_factory=Counter)
    examples: dict[Outcome, list[str]] = field(default_factory=lambda: defaultdict(list))
    images: int = 0
    embedded: int = 0
    joined: int = 0
    unsure: int = 0
    other_suffixes: Counter[str] = field(default_factory=Counter)
    embedder: PartSpec = field(default_factory=lambda: PartSpec(""))
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def unusable(self) -> int:
        """Files that could not be used."""
        return self.counts[Outcome.BROKEN] + self.counts[Outcome.TOO_LARGE]

    def count(self, outcome: Outcome, file: Path) -> None:
        """Count a file."""
        self.counts[outcome] += 1
        if len(self.examples[outcome]) < _EXAMPLES:
            self.examples[outcome].append(str(file))


def starts_of(paths: Sequence[Path]) -> list[Path]:
    """The absolute places to walk: each once, none inside another.

    Raises:
        SettingsError: A path does not exist, or no path was given.
    """
    if not paths:
        raise SettingsError("no folder was named", "organizer ingest FOLDER")
    starts = sorted({resolve_start(path) for path in paths})
    return [s for s in starts if not any(s != t and s.is_relative_to(t) for t in starts)]


def require_images(starts: Sequence[Path]) -> None:
    """Make sure that there is something to ingest.

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
    kinds = " ".join(sorted(suffix.removeprefix(".") for suffix in SUFFIXES))
    raise SettingsError(f"there are no images in {where}{found}", f"read are: {kinds}")


def ingest(
    store: Store,
    starts: Sequence[Path],
    *,
    was_cut_short: bool,
    embedder: str | None,
    settings: Settings,
    progress: Progress,
    stop: Callable[[], bool],
) -> IngestReport:
    """See `organizer.library.Library.ingest`. The caller holds the library for writing."""
    run = _Run(store, starts, embedder, settings, progress, stop)
    return run.run(was_cut_short=was_cut_short)


class _Run:
    """One ingest: what has to be known from its beginning to its end."""

    def __init__(
        self,
        store: Store,
        starts: Sequence[Path],
        embedder: str | None,
        settings: Settings,
        progress: Progress,
        stop: Callable[[], bool],
    ) -> None:
        self._store, self._starts = store, starts
        self._settings, self._progress, self._stop = settings, progress, stop
        self._report = IngestReport()
        self._spec = embedders.stored_spec(store, embedder) if embedder else None
        self._spec = self._spec or embedders.library_embedder(store)
        self._embedded = store.vectors.ids(self._spec) if self._spec else IdSet()
        self._walks = [(store.photos.root_for(start), start) for start in starts]
        roots = store.photos.roots()
        self._nested = [r for r in roots if any(r.folder.is_relative_to(s) for s in starts)]
        self._root_ids = {root.folder: root.root_id for root in roots}
        self._index: FileIndex = store.photos.index(starts, self._embedded)
        self._blind: list[Problem] = []
        self._found_again: dict[str, list[Path]] = {}

    def run(self, *, was_cut_short: bool) -> IngestReport:
        """Look, embed, sweep."""
        started = time.monotonic()
        new = self._look()
        if new:
            self._embed(new)
        self._sweep(was_cut_short=was_cut_short)
        join_late(self._store, self._store.clusterings.current())
        for file in (file for files in self._found_again.values() for file in files):
            self._report.count(Outcome.DUPLICATE, file)
        self._report.images = self._store.photos.count_images()
        self._report.embedder = self._spec or PartSpec("")
        self._report.seconds = time.monotonic() - started
        return self._report

    # Mark ----------------------------------------------------------------------------------

    def _look(self) -> int:
        """Stat every file; count those that have to be read."""
        self._progress.begin("looking for images", None)
        new = 0
        for refs in self._chunks():
            for ref, known in zip(refs, self._index.look_up(refs, self._root_ids), strict=True):
                if known is None:
                    new += 1
                else:
                    self._report.count(known, ref.file)
            self._progress.advance(len(refs))
        return new

    def _refs_to_read(self) -> Iterator[ImageRef]:
        """Walk again: two walks cost less than remembering ten million files."""
        for refs in self._chunks(again=True):
            known = self._index.look_up(refs, self._root_ids)
            yield from (ref for ref, outcome in zip(refs, known, strict=True) if outcome is None)

    def _chunks(self, *, again: bool = False) -> Iterator[list[ImageRef]]:
        for root, start in self._walks:
            walk = Walk(root.folder, start)
            refs = (self._attributed(ref, root) for ref in walk)
            while chunk := list(islice(refs, _REFS_AT_ONCE)):
                yield chunk
            if not again:
                self._blind += walk.problems
                self._report.other_suffixes += walk.other_suffixes

    def _attributed(self, ref: ImageRef, root: Root) -> ImageRef:
        """A file below a root that was ingested by itself before stays that root's."""
        inner = [r for r in self._nested if r.root_id != root.root_id and _is_below(ref, r.folder)]
        if not inner:
            return ref
        deepest = max(inner, key=lambda r: len(r.folder.parts))
        path = ref.file.relative_to(deepest.folder).as_posix()
        return replace(ref, root=deepest.folder, path=path)

    # Read, embed, commit -------------------------------------------------------------------

    def _embed(self, total: int) -> None:
        settings = self._settings
        if self._spec is None:
            loaded = embedders.load_default(settings, self._progress)
        else:
            loaded = embedders.load(self._spec, settings)
        self._spec = loaded.spec
        self._store.vectors.create(loaded.spec, loaded.part.dim)
        commit = _Commit(self._store, loaded, self._root_ids, self._report)
        options = {
            "threads": settings.threads,
            "batch_size": settings.batch_size,
            "max_file_bytes": settings.max_file_bytes,
        }
        _, executor = registry.create("organizer.executors", PartSpec("threads"), options=options)
        self._progress.begin(f"embedding with {loaded.spec.name}", total)
        self._drain(executor, loaded, commit)
        self._found_again = commit.found_again

    def _drain(self, executor: Executor, loaded: LoadedEmbedder, commit: _Commit) -> None:
        batches = executor.run(self._refs_to_read(), loaded, is_known=self._embedded.__contains__)
        last = time.monotonic()
        for batch in batches:
            self._embedded.add(batch.embeddings.image_ids)
            commit.add(batch)
            self._progress.advance(len(batch.files))
            overdue = time.monotonic() - last > self._settings.commit_seconds
            if overdue or commit.pending >= self._settings.commit_images:
                commit.write()
                last = time.monotonic()
            if self._stop():
                self._report.interrupted = True
                break
        commit.write()

    # Sweep ---------------------------------------------------------------------------------

    def _sweep(self, *, was_cut_short: bool) -> None:
        """Note what has gone, what has come back, and what was only moved.

        An interrupted run does so too: every file was looked for before the first was read.
        """
        photos = self._store.photos
        photos.mark(self._index.found_again(), FileState.PRESENT)
        blind = [problem.ref.file for problem in self._blind]
        vanished = self._index.vanished(except_below=blind)
        missing = photos.files_in_state(self._found_again, FileState.MISSING)
        moved = self._matched([*missing, *vanished])
        if was_cut_short:
            moved |= self._moved_before_the_cut(vanished)
        photos.forget_files(moved)
        photos.mark(set(vanished) - moved, FileState.MISSING)
        self._report.counts[Outcome.MISSING] += len(set(vanished) - moved)
        photos.forget_problems(self._index.vanished_problems())
        photos.add_problems(self._blind, self._root_ids)
        for problem in self._blind:
            self._report.count(problem.outcome, problem.ref.file)

    def _matched(self, gone: list[Pair]) -> set[Pair]:
        """Of the files that are gone those that moved: their content was found elsewhere."""
        moved = set()
        for path_id, image_id in gone:
            if self._found_again[image_id]:
                moved.add((path_id, image_id))
                self._report.count(Outcome.MOVED, self._found_again[image_id].pop(0))
        return moved

    def _moved_before_the_cut(self, vanished: list[Pair]) -> set[Pair]:
        """Of the files that are gone those whose content has another file.

        The run that was cut short may have read a moved file under its new path: what looks like
        one of two copies that went is then one file that moved.
        """
        photos = self._store.photos
        gone = [*photos.all_in_state(FileState.MISSING), *vanished]
        here = photos.files_in_state((image_id for _, image_id in gone), FileState.PRESENT)
        elsewhere = {image_id for _, image_id in set(here) - set(gone)}
        return {pair for pair in gone if pair[1] in elsewhere}


class _Commit:
    """What has been read and not yet written."""

    def __init__(
        self,
        store: Store,
        loaded: LoadedEmbedder,
        root_ids: dict[Path, int],
        report: IngestReport,
    ) -> None:
        self._store, self._loaded, self._root_ids = store, loaded, root_ids
        self._report = report
        self._images = store.photos.image_ids()
        self._files: list[ProcessedFile] = []
        self._batches: list[EmbeddingBatch] = []
        self.found_again: dict[str, list[Path]] = defaultdict(list)
        current = store.clusterings.current()
        joins = current is not None and current.embedder == loaded.spec
        self._clustering = current.clustering_id if current is not None and joins else None
        self._models: ClusterModels | None = (
            store.clusterings.models(self._clustering) if self._clustering is not None else None
        )

    @property
    def pending(self) -> int:
        """Files that are not written yet."""
        return len(self._files)

    def add(self, batch: ProcessedBatch) -> None:
        """Take a batch in."""
        self._files += batch.files
        self._batches.append(batch.embeddings)

    def write(self) -> None:
        """Commit what there is. The file rows come last: they make the rest real."""
        if not self._files:
            return
        batch = EmbeddingBatch(
            tuple(image_id for part in self._batches for image_id in part.image_ids),
            np.concatenate([part.vectors for part in self._batches]),
        )
        photos = self._store.photos
        known = photos.known_at([file.ref for file in self._files], self._root_ids)
        facts = {
            file.facts.image_id: file.facts
            for file in self._files
            if file.facts is not None and file.facts.image_id not in self._images
        }
        self._store.vectors.append(self._loaded.spec, batch)
        photos.add_images(list(facts.values()))
        self._join(batch)
        photos.add_files(self._files, self._root_ids, known)
        self._count(known)
        self._images.add(facts)
        self._report.embedded += len(batch.image_ids)
        self._files, self._batches = [], []

    def _join(self, batch: EmbeddingBatch) -> None:
        """Put new images into the present clusters; nobody else moves."""
        if self._models is None or self._clustering is None or not batch.image_ids:
            return
        members = join(self._models, batch.image_ids, batch.vectors)
        self._store.clusterings.append_members(self._clustering, members)
        self._report.joined += len(members)
        self._report.unsure += int(np.count_nonzero(members.states == AssignmentState.UNSURE))

    def _count(self, known: Known) -> None:
        """Count files by outcome, given what was known of them before."""
        new: set[str] = set()
        for file in self._files:
            path_id = self._store.photos.path_id(file.ref, self._root_ids)
            if file.problem is not None:
                self._report.count(file.problem.outcome, file.ref.file)
            elif file.image_id is not None and (path_id, file.image_id) in known:
                self._report.count(Outcome.UNCHANGED, file.ref.file)
            elif file.image_id is None:
                raise AssertionError(f"{file.ref.file} has neither an image nor a problem")
            elif file.image_id in new or file.image_id in self._images:
                # A duplicate or a moved file: the sweep tells which.
                self.found_again[file.image_id].append(file.ref.file)
            else:
                new.add(file.image_id)
                self._report.count(Outcome.ADDED, file.ref.file)


def _is_below(ref: ImageRef, folder: Path) -> bool:
    return str(ref.file).startswith(f"{folder}/")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(
        f"{count} {suffix or 'without suffix'}" for suffix, count in counts.most_common(4)
    )
