"""Watch folders, and ingest what comes once it is complete."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from organizer.capture_times import NamePattern
from organizer.errors import LibraryBusyError, SettingsError, StoreError
from organizer.library.ingest.run import pending_files
from organizer.library.ingest.write import write_ingest
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress
from organizer.library.watch.changes import FileSystemEvents
from organizer.library.watch.events import WatchEvent, WatchEventKind
from organizer.library.watch.folder import WatchedFolder
from organizer.library.watch.waiting import WaitingFiles
from organizer.protocols import Embedder
from organizer.store import AbsentFiles, IdSet, Store
from organizer.types import ImageRef

SETTLE = 3.0
"""Seconds for which a file has to stay as it is: longer than a card reader or a network pauses."""

LONGEST_WAIT = 600.0
"""Seconds after which what is complete is ingested though the copying goes on: where a camera
writes into the folder day and night, it never ends."""

_LOOK_EVERY = 60.0
"""Seconds between two looks where no event came: a network drive gives none of what other machines
do, and a flood of events loses some."""

_LOOK_SHARE = 5
"""A look is followed by at least so many times its own duration without one."""

_BUSY_RETRY = 1.0
_FAILED_RETRY = 10
"""A failed ingest is tried again after so many times the settle time."""


def require_folders(paths: Sequence[Path], *, known: Sequence[Path] = ()) -> list[Path]:
    """The folders to watch: absolute, each once, none inside another.

    One that is not there is waited for if the library knows it.

    Args:
        paths: Folders; none for all that were ingested.
        known: The folders that were ingested.

    Raises:
        SettingsError: There is none, or one is a file, or is not there and not known.
    """
    if not paths and not known:
        raise SettingsError("no folder was named", "organizer watch FOLDER")
    folders = sorted({_absolute(path) for path in paths or known})
    for folder in folders:
        if folder.exists() and not folder.is_dir():
            raise SettingsError(f"{folder} is no folder", "watch the folder that it is in")
        if not folder.exists() and not any(_holds(folder, root) for root in known):
            raise SettingsError(f"there is no folder {folder}", "check the path")
    return [f for f in folders if not any(f != g and f.is_relative_to(g) for g in folders)]


def _holds(folder: Path, root: Path) -> bool:
    return root.is_relative_to(folder) or folder.is_relative_to(root)


def _absolute(path: Path) -> Path:
    try:
        return path.expanduser().resolve()
    except (OSError, RuntimeError) as error:
        raise SettingsError(f"there is no folder {path}", "check the path") from error


@dataclass(slots=True)
class FolderWatch:
    """Watches folders of a library for as long as its events are asked for.

    Attributes:
        opened: The library.
        folders: The folders.
        embedder: As in `Library.ingest`.
        settle: Seconds for which a file has to stay as it is to count as complete.
        poll: Whether to look every few seconds and not wait for events of the file system.
        progress: Receives the progress of each ingest.
        stop: Asked several times a second; True ends it.
        library: What the checks of plugins are given after each ingest.
        name_times: How names of files tell the times of images that have no other.
        longest_wait: Seconds after which complete files are ingested though others are copied.
    """

    opened: OpenLibrary
    folders: Sequence[WatchedFolder]
    embedder: str | Embedder | None
    settle: float
    poll: bool
    progress: Progress
    stop: Callable[[], bool]
    library: Any
    name_times: NamePattern | None = None
    longest_wait: float = LONGEST_WAIT
    _waiting: WaitingFiles = field(init=False)
    _file_events: FileSystemEvents | None = None
    _changed: float = -math.inf
    _due: float = 0.0
    _not_before: float = 0.0
    _told: str = ""
    _absent: frozenset[Path] = frozenset()
    _sees_files_go: bool = False

    def __post_init__(self) -> None:
        self._waiting = WaitingFiles(self.settle)

    def events(self) -> Iterator[WatchEvent]:
        """Watch, until `stop` says so.

        Raises:
            SettingsError: An ingest cannot be done as asked: there are no weights, for example.
        """
        for folder in self.folders:
            yield WatchEvent(WatchEventKind.WATCHING, folder=folder.path)
        try:
            while not self.stop():
                yield from self._look_for_folders()
                self._wait()
                if time.monotonic() >= self._due and not self.stop():
                    yield from self._with_retries(self._look())
        finally:
            self._stop_events()

    # Folders that come and go ----------------------------------------------------------------

    def _look_for_folders(self) -> Iterator[WatchEvent]:
        """Notice folders that are not there any more, and others in their place."""
        changed = [folder for folder in self.folders if folder.look()]
        if changed:
            self._stop_events()
            self._waiting = WaitingFiles(self.settle)  # what could not be read there may be here
        for folder in self.folders:
            if folder.identity is None:
                yield from self._away(folder)

    def _there(self) -> Iterator[WatchEvent]:
        """Tell which folders are there, and which are empty because their drive is not."""
        for folder in self.folders:
            if folder.identity is None:
                continue
            if folder.may_be_unmounted() and _knows_files_below(self.opened.store, folder.path):
                yield from self._away(folder)
            elif folder.is_away:
                folder.is_away = False
                yield WatchEvent(WatchEventKind.BACK, folder=folder.path)

    @staticmethod
    def _away(folder: WatchedFolder) -> Iterator[WatchEvent]:
        if not folder.is_away:
            folder.is_away = True
            yield WatchEvent(WatchEventKind.AWAY, folder=folder.path)

    # Waiting ---------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Wait a moment; note when to look for files."""
        if self._file_events is None:
            there = [folder.path for folder in self.folders if folder.identity is not None]
            self._file_events = FileSystemEvents(
                there, ignored=self.opened.store.path, poll=self.poll or not there
            )
            self._due = 0.0  # at once: what happened before is told by no event
        changed = self._file_events.wait()
        if self._file_events.refusal and not self.poll:
            self.poll = True
            self.progress.note(
                f"no events from the file system ({self._file_events.refusal}): looking every "
                f"{self.settle:g} seconds"
            )
        if changed:
            self._changed = time.monotonic()
            self._due = min(self._due, max(self._changed, self._not_before))
            self._waiting.touch(changed)
        if any(folder.path in changed for folder in self.folders):
            self._stop_events()  # the folder itself went; what is there now may be another

    def _stop_events(self) -> None:
        if self._file_events is not None:
            self._file_events.close()
        self._file_events = None

    # Looking and ingesting -------------------------------------------------------------------

    def _with_retries(self, events: Iterator[WatchEvent]) -> Iterator[WatchEvent]:
        """Pass events on; what can be got over is told once, and tried again later."""
        try:
            yield from events
        except LibraryBusyError as error:
            yield from self._retry(WatchEventKind.BUSY, error, _BUSY_RETRY)
        except StoreError as error:
            seconds = max(_BUSY_RETRY, _FAILED_RETRY * self.settle)
            yield from self._retry(WatchEventKind.FAILED, error, seconds)

    def _retry(
        self, kind: WatchEventKind, error: StoreError, seconds: float
    ) -> Iterator[WatchEvent]:
        self._due = time.monotonic() + seconds
        # Who holds it may be another one at every look.
        told = kind.value if kind is WatchEventKind.BUSY else error.message
        if self._told != told:
            self._told = told
            yield WatchEvent(kind, error=error, retry_seconds=seconds)

    def _look(self) -> Iterator[WatchEvent]:
        """Look for files; ingest them once they are complete."""
        began = time.monotonic()
        yield from self._there()
        starts = [folder.path for folder in self.folders if not folder.is_away]
        if not starts:
            self._due = began + self._pause()
            return
        pending = pending_files(
            self.opened.store,
            starts,
            embedder=self.embedder,
            settings=self.opened.settings,
            confirm_missing=self._sees_files_go,
        )
        self._note_absent(pending.absent)
        was_waiting, now = len(self._waiting) > 0, time.monotonic()
        self._waiting.update(pending, began)
        self._not_before = now + max(self.settle, _LOOK_SHARE * (now - began))
        self._due = max(self._not_before, now + self._pause())
        if self._waiting.began is None:
            self._told = ""
            return
        complete = self._waiting.complete(began)
        is_quiet = began - self._changed >= self.settle and self._waiting.is_steady(began)
        is_overdue = began - self._waiting.began >= self.longest_wait
        if is_quiet or (is_overdue and (complete or any(self._waiting.gone))):
            yield from self._ingest(starts, complete)
        elif self._waiting and not was_waiting:
            yield WatchEvent(WatchEventKind.COPYING, files=len(self._waiting))

    def _note_absent(self, absent: Sequence[AbsentFiles]) -> None:
        """Say of a folder that most of its files were gone before it was watched, once.

        Until they are back, no file that is gone is noted. Files that go while they are watched are
        gone: a drive that goes is told by its device.
        """
        if not self._sees_files_go and not self._absent:
            for found in absent:
                self.progress.note(found.text)
                self.progress.note(f"hint: {found.hint}")
        self._absent = frozenset(found.folder for found in absent)
        self._sees_files_go = not absent

    def _pause(self) -> float:
        """Seconds until the next look."""
        if self.poll or self._waiting.began is not None:
            return self.settle
        return _LOOK_EVERY

    def _ingest(
        self, starts: Sequence[Path], complete: frozenset[ImageRef]
    ) -> Iterator[WatchEvent]:
        folders = [folder for folder in self.folders if folder.path in starts]
        if complete and not self._told:
            yield WatchEvent(WatchEventKind.INGESTING, files=len(complete))
        report = write_ingest(
            self.opened,
            starts,
            embedder=self.embedder,
            progress=self.progress,
            stop=lambda: self.stop() or any(folder.has_gone() for folder in folders),
            confirm_missing=self._sees_files_go,
            is_complete=complete.__contains__,
            waits=False,
            name_times=self.name_times,
            library=self.library,
        )
        if not report.interrupted:
            self._waiting.has_read(complete)
        self._told = ""
        self._due = 0.0  # something may have come meanwhile
        yield WatchEvent(WatchEventKind.INGESTED, report=report)


def _knows_files_below(store: Store, folder: Path) -> bool:
    index = store.photos.index([folder], IdSet())
    return bool(index.vanished(except_below=[]))
