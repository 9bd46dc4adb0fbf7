"""Restore a library from a backup, into a folder where there is none."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from organizer.atomic import replace_atomically
from organizer.durable import make_folders
from organizer.errors import SettingsError, StoreError
from organizer.library.backups.folder import BackupFolder, BackupInfo, SavedFile
from organizer.library.locate import LIBRARY_FOLDER
from organizer.library.progress import NoProgress, Progress
from organizer.store.safety.sealed_lines import content_digest


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """A library that was restored.

    Attributes:
        library: Its folder.
        backup: The backup.
        files: Files that were copied.
    """

    library: Path
    backup: BackupInfo
    files: int


def restore_backup(
    source: Path, to: Path, *, at: str | None = None, progress: Progress | None = None
) -> RestoreReport:
    """Copy a library out of a backup; each file is compared with its hash.

    The library is whole or not there.

    Args:
        source: The folder of backups.
        to: The library's folder ``.organizer``, or the folder that is to hold it.
        at: The name of the backup, or how it begins; the newest where None.
        progress: Receives the progress.

    Raises:
        SettingsError: There is no such backup, or there is something at the place of the library.
        StoreError: The backup is damaged, or the library cannot be written.
    """
    folder = BackupFolder(source)
    info = folder.named(at)
    files = folder.files_of(info)
    library = to if to.name == LIBRARY_FOLDER else to / LIBRARY_FOLDER
    _require_nothing_at(library)
    shown = progress or NoProgress()
    shown.begin("copying files", len(files))
    try:
        make_folders(library.parent)
        with replace_atomically(library, folder=True) as partial:
            for file in files:
                _copy(folder, file, partial)
                shown.advance()
            _require_nothing_at(library)
    except OSError as error:
        raise StoreError(
            f"cannot write the library {library}: {error.strerror or error}",
            "make room there, and run the command again; the backup is as it was",
        ) from error
    return RestoreReport(library, info, len(files))


def _require_nothing_at(library: Path) -> None:
    if library.exists() and not (library.is_dir() and not any(library.iterdir())):
        aside = library.with_name(f"{library.name}.former")
        raise SettingsError(
            f"there is a library at {library}: nothing is restored over it",
            f"choose another --to, or move it aside first: mv '{library}' '{aside}'",
        )


def _copy(folder: BackupFolder, file: SavedFile, to: Path) -> None:
    target = to / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    source = folder.content(file.hash)
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError as error:
        raise _damaged(folder, file) from error
    if content_digest(target) != (file.size, file.hash):
        raise _damaged(folder, file)


def _damaged(folder: BackupFolder, file: SavedFile) -> StoreError:
    return StoreError(
        f"the backup is damaged: {folder.content(file.hash)}, which is {file.path}, is not as it "
        "was written",
        f"nothing was restored; organizer backup --check {folder.path} says which backups are "
        "whole, and --at chooses one",
    )
