"""An open library: the store and settings that every object of `Library` works on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock, local

from organizer.errors import OrganizerError, StaleRevisionError, StoreError
from organizer.reading import WORKER
from organizer.settings import Settings, available_cores
from organizer.store import Store
from organizer.workers.pool import WorkerPool

Repair = Callable[[Store, bool], None]
"""Repairs a library before a write: called with the store, and whether the last writer was
interrupted."""


@dataclass(slots=True)
class OpenLibrary:
    """An open store, read by many, and held for writing by one at a time.

    Attributes:
        store: The tables of the library.
        settings: The settings that it was opened with.
        repair: Called before every write; see `organizer.library.recovery`.
        is_served: Whether several threads read; see `serving`.
        defers_upkeep: Whether the upkeep after a write waits until it is asked for.
        is_upkeep_due: Whether there is some that waits.
        workers: Processes that decode what is shown or searched for; they start when needed.
    """

    store: Store
    settings: Settings
    repair: Repair
    is_served: bool = False
    defers_upkeep: bool = False
    is_upkeep_due: bool = False
    workers: WorkerPool = field(init=False)
    _reading: ExitStack = field(default_factory=ExitStack)
    _expected: local = field(default_factory=local)
    _counting: Lock = field(default_factory=Lock)
    _streams: int = 0
    _is_closed: bool = False

    def __post_init__(self) -> None:
        self.workers = WorkerPool(WORKER, self.settings.threads or available_cores())

    def start(self, *, has_moved: bool) -> None:
        """Register as a reader, so that writers keep what is read; repair a library that was moved.

        Args:
            has_moved: Whether the library lies elsewhere than when it was last written.
        """
        self.store.photos.with_people = self.settings.with_people
        self.store.author.usual = lambda: self.settings.user_name
        self._reading.enter_context(self.store.reading())
        if has_moved:
            with (
                suppress(OrganizerError, OSError),
                self.writing(waits=False),
            ):  # the next writer tries again
                pass

    def close(self) -> None:
        """Unregister as a reader; nothing can be written any more."""
        self._is_closed = True
        self.workers.close()
        self._reading.close()
        self.store.close()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Let several threads read for as long as the context lasts; see `Library.serving`."""
        self.is_served = True
        try:
            with self.streaming():
                yield
        finally:
            self.is_served = False

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Keep what is read bit by bit from the upkeep after a write of this process."""
        with self._counting:
            self._streams += 1
        try:
            yield
        finally:
            with self._counting:
                self._streams -= 1

    @contextmanager
    def at_revision(self, revision: int) -> Iterator[None]:
        """Let this thread write only for as long as a revision is the current one.

        See `organizer.library.Library.at_revision`.
        """
        self._expected.revision = revision
        try:
            yield
        finally:
            del self._expected.revision

    @contextmanager
    def writing(self, *, decides: bool = False, waits: bool = True) -> Iterator[bool]:
        """Hold the library for writing; what an interrupted writer left is repaired first.

        Args:
            decides: Whether this may be done while an ingest is going on; see `Store.writing`.
            waits: Whether to wait for another writer, for as long as the settings say.

        Yields:
            Whether the last writer was interrupted.

        Raises:
            StoreError: The library was closed, or another process writes to it.
            StaleRevisionError: This thread expects another revision; see `at_revision`.
        """
        self._require_open()
        seconds = self.settings.wait if waits else 0.0
        with self.store.writing(decides=decides, seconds=seconds) as was_interrupted:
            self._require_expected()
            self.repair(self.store, was_interrupted)
            yield was_interrupted

    @contextmanager
    def ingesting(self, *, waits: bool = True) -> Iterator[bool]:
        """Begin an ingest; what an interrupted writer left is repaired first.

        The library is held for writing only where the ingest asks for it, by `Store.writing`: in
        between others may decide.

        Args:
            waits: Whether to wait for another writer, for as long as the settings say.

        Yields:
            Whether the last writer was interrupted.

        Raises:
            StoreError: As `writing` raises.
        """
        self._require_open()
        seconds = self.settings.wait if waits else 0.0
        with self.store.ingesting(seconds=seconds) as was_interrupted:
            with self.store.writing():
                self._require_expected()
                self.repair(self.store, was_interrupted)
            yield was_interrupted

    def _require_open(self) -> None:
        if self._is_closed:
            raise StoreError(f"the library {self.store.path} was closed", "open it again")

    def _require_expected(self) -> None:
        expected = getattr(self._expected, "revision", None)
        current = self.store.steps.number()
        if expected is not None and expected != current:
            raise StaleRevisionError(expected, current)

    def tidy_after_ingest(self) -> None:
        """Compact the tables after what this thread committed, which is done by now.

        So a disk that has gone since is no failure of it.
        """
        with suppress(StoreError), self.store.writing():
            self.tidy()

    def tidy(self) -> None:
        """Compact the tables after a write, or note that it is to be done later."""
        if self.defers_upkeep:
            self.is_upkeep_due = True
        else:
            self.tidy_now()

    def tidy_now(self) -> None:
        """Compact the tables; this process counts as a reader only while it streams.

        What was asked for is done by then, so a full disk is no failure of it: the next writer
        tidies up.
        """
        self.is_upkeep_due = False
        if not self._streams:
            self._reading.close()
        try:
            with suppress(StoreError, OSError):
                self.store.tidy()
        finally:
            if not self._streams:
                self._reading.enter_context(self.store.reading())
