"""Bring images in: discover, decode, embed, store; new images join the present clusters."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from organizer import registry
from organizer.discover import SUFFIXES, Walk, resolve_start
from organizer.errors import SettingsError
from organizer.library import embedders
from organizer.library.arrangement.standing import made_inside
from organizer.library.commit import Commit, IngestReport
from organizer.library.joining import join_late
from organizer.library.progress import Progress
from organizer.library.seeing import looks_at_contexts
from organizer.protocols import Executor, LoadedEmbedder
from organizer.settings import Settings
from organizer.store import FileIndex, IdSet, Pair, Root, Store
from organizer.types import (
    FileState,
    ImageRef,
    Outcome,
    PartSpec,
    Problem,
)

_REFS_AT_ONCE = 4_096


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
    other_weights: bool,
    settings: Settings,
    progress: Progress,
    stop: Callable[[], bool],
) -> IngestReport:
    """See `organizer.library.Library.ingest`. The caller holds the library for writing."""
    run = _Run(store, starts, embedder, other_weights, settings, progress, stop)
    return run.run(was_cut_short=was_cut_short)


class _Run:
    """One ingest: what has to be known from its beginning to its end."""

    def __init__(
        self,
        store: Store,
        starts: Sequence[Path],
        embedder: str | None,
        other_weights: bool,
        settings: Settings,
        progress: Progress,
        stop: Callable[[], bool],
    ) -> None:
        self._store, self._settings = store, settings
        self._progress, self._stop = progress, stop
        self._report = IngestReport()
        self._is_named = embedder is not None
        self._spec = embedders.stored_spec(store, embedder) if embedder else None
        self._spec = self._spec or embedders.photo_embedder(store)
        self._loaded: LoadedEmbedder | None = None
        if other_weights and self._spec is not None:
            self._loaded = embedders.load_other(self._spec, settings)
            self._spec = self._loaded.spec
        self._embedded = store.vectors.ids(self._spec) if self._spec else IdSet()
        self._walks = [(store.photos.root_for(start), start) for start in starts]
        roots = store.photos.roots()
        self._nested = [r for r in roots if any(r.folder.is_relative_to(s) for s in starts)]
        self._root_ids = {root.folder: root.root_id for root in roots}
        self._index: FileIndex = store.photos.index(starts, self._embedded)
        self._arranged = made_inside(store, starts)
        self._blind: list[Problem] = []
        self._found_again: dict[str, list[Path]] = {}

    def run(self, *, was_cut_short: bool) -> IngestReport:
        """Look, embed, sweep."""
        started = time.monotonic()
        new = self._look()
        if new:
            self._embed(new)
        self._sweep(was_cut_short=was_cut_short)
        self._join_late()
        for file in (file for files in self._found_again.values() for file in files):
            self._report.count(Outcome.DUPLICATE, file)
        self._report.images = self._store.photos.count_images()
        self._report.embedder = self._spec or PartSpec("")
        self._report.seconds = time.monotonic() - started
        return self._report

    def _join_late(self) -> None:
        current = self._store.clusterings.current()
        late = join_late(self._store, current, seed=self._settings.seed)
        self._report.born += late.born
        self._report.settled += late.settled
        if current is not None and looks_at_contexts(current):
            self._report.joined += late.joined
            self._report.unsure += late.unsure
        if current is not None:
            self._report.pile = self._store.clusterings.count_unsure(current.clustering_id)

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
            refs = (self._attributed(ref, root) for ref in walk if not self._is_arranged(ref))
            while chunk := list(islice(refs, _REFS_AT_ONCE)):
                yield chunk
            if not again:
                self._blind += walk.problems
                self._report.other_suffixes += walk.other_suffixes

    def _is_arranged(self, ref: ImageRef) -> bool:
        """Whether a file is a link or copy of an arrangement, and no photo of its own."""
        return bool(self._arranged) and f"{ref.root.as_posix()}/{ref.path}" in self._arranged

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
        loaded = self._loaded or self._load()
        self._spec = loaded.spec
        self._report.engine = getattr(loaded.part, "engine", "")
        commit = Commit(self._store, loaded, self._root_ids, self._report, seed=settings.seed)
        options = {
            "threads": settings.threads,
            "batch_size": settings.batch_size,
            "max_file_bytes": settings.max_file_bytes,
        }
        _, executor = registry.create("organizer.executors", PartSpec("threads"), options=options)
        self._progress.begin(f"embedding with {loaded.spec.name}", total)
        self._drain(executor, loaded, commit)
        self._found_again = commit.found_again

    def _load(self) -> LoadedEmbedder:
        if self._spec is None:
            return embedders.load_default(self._settings, self._progress)
        if not self._is_named:
            embedders.note_better(self._spec, self._settings, self._progress)
        return embedders.load(self._spec, self._settings)

    def _drain(self, executor: Executor, loaded: LoadedEmbedder, commit: Commit) -> None:
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
        commit.finish()

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
            if self._found_again.get(image_id):
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


def _is_below(ref: ImageRef, folder: Path) -> bool:
    return str(ref.file).startswith(f"{folder}/")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(
        f"{count} {suffix or 'without suffix'}" for suffix, count in counts.most_common(4)
    )
