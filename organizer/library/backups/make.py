"""Make a backup of a library while others read and write it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from organizer.errors import SettingsError, StoreError
from organizer.library.backups.folder import BackupFolder, BackupInfo, SavedFile, cannot_write
from organizer.library.backups.readable import readable_lines
from organizer.library.progress import Progress
from organizer.store import Store

_TRIES = 5
"""States of a library that is written all the while, of which one has to last for a copy."""
_JOURNAL = "journal.sqlite"
_BESIDE = ("library.json", "arrangements/*.json", "arrangements/*.jsonl")


@dataclass(frozen=True, slots=True)
class BackupReport:
    """A backup that was made.

    Attributes:
        folder: Its folder.
        files: Its files.
        bytes: Their bytes.
        copied: Files that were not in a backup before.
        copied_bytes: Their bytes.
        images: Images in it.
        decisions: Decisions in it.
        removed: Older backups that were removed.
    """

    folder: Path
    files: int
    bytes: int
    copied: int
    copied_bytes: int
    images: int
    decisions: int
    removed: tuple[str, ...]


def make_backup(store: Store, to: Path, *, keep: int | None, progress: Progress) -> BackupReport:
    """See `organizer.library.Library.backup`."""
    if to.resolve().is_relative_to(store.path.resolve()):
        raise SettingsError(
            f"{to} lies in the library", "choose a folder on another disk: --help has an example"
        )
    folder = BackupFolder(to)
    with folder.held():
        _require_same_library(folder, store)
        try:
            return _Backup(store, folder, progress).make(keep)
        except OSError as error:
            raise cannot_write(to, error) from error


def _require_same_library(folder: BackupFolder, store: Store) -> None:
    made = {info.created_at: info.library for info in folder.all()}
    if made and store.created_at not in made:
        other = next(iter(made.values()))
        raise SettingsError(
            f"{folder.path} holds backups of another library: {other}", "choose another folder"
        )


class _Backup:
    """One backup that is being made."""

    def __init__(self, store: Store, folder: BackupFolder, progress: Progress) -> None:
        self._store, self._folder, self._progress = store, folder, progress
        self._copied, self._copied_bytes = 0, 0

    def make(self, keep: int | None) -> BackupReport:
        for left in range(_TRIES - 1, -1, -1):
            with self._store.snapshot():
                state = self._store.saved_state()
                lines = readable_lines(self._store)
                images = self._store.photos.count_images()
                decisions = len(self._store.decisions.all())
            try:
                files = list(self._saved(state.journal, list(state.table_files())))
                break
            except (StoreError, FileNotFoundError):
                # Files of a version go when others took its place.
                if not left or self._store.revision() == state.revision:
                    raise
        info = BackupInfo(
            name=self._name(),
            library=str(self._store.path),
            created_at=self._store.created_at,
            schema=self._store.schema,
            images=images,
            decisions=decisions,
            files="",
            lines="",
        )
        self._folder.write(info, files, lines)
        removed = self._folder.prune(keep, remove=shutil.rmtree) if keep else []
        return BackupReport(
            self._folder.path / info.name,
            len(files),
            sum(file.size for file in files),
            self._copied,
            self._copied_bytes,
            info.images,
            info.decisions,
            tuple(removed),
        )

    def _name(self) -> str:
        name = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
        number = 1
        while (self._folder.path / name).exists():
            number += 1
            name = f"{name.split('Z', maxsplit=1)[0]}Z-{number}"
        return name

    def _saved(self, journal: bytes, names: list[str]) -> Iterator[SavedFile]:
        noted = self._store.noted_files()
        path = self._store.path
        beside = [f.relative_to(path).as_posix() for glob in _BESIDE for f in path.glob(glob)]
        self._progress.begin("copying files", len(names) + len(beside) + 1)
        saved, is_new = self._folder.add_bytes(_JOURNAL, journal)
        yield self._counted(_JOURNAL, saved, is_new=is_new)
        for name in beside:
            saved, is_new = self._folder.add(path / name)
            yield self._counted(name, saved, is_new=is_new)
        for name in names:
            known = noted.get(name)
            if known is not None and self._is_kept(*known):
                yield self._counted(name, SavedFile(name, *known), is_new=False)
                continue
            saved, is_new = self._folder.add(path / name)
            if known is not None and known != (saved.size, saved.hash):
                raise self._store.damage(f"{name} has other bytes than were written")
            yield self._counted(name, saved, is_new=is_new)

    def _is_kept(self, size: int, found: str) -> bool:
        try:
            return self._folder.content(found).stat().st_size == size
        except FileNotFoundError:
            return False

    def _counted(self, name: str, saved: SavedFile, *, is_new: bool) -> SavedFile:
        self._copied += is_new
        self._copied_bytes += saved.size if is_new else 0
        self._progress.advance()
        return SavedFile(name, saved.size, saved.hash)
