"""The folders that an arrangement changed, until their names are on the disk.

A folder is synchronised once for all that a batch of steps changes in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from organizer.arrange.disk import Disk
from organizer.arrange.preflight import existing_folder
from organizer.errors import StoreError


@dataclass(slots=True)
class UnsyncedFolders:
    """Folders whose names may still be in memory only.

    Attributes:
        disk: The disk.
    """

    disk: Disk
    _gained: dict[str, None] = field(default_factory=dict)
    _lost: dict[str, None] = field(default_factory=dict)

    def gained(self, names: Iterable[str | Path]) -> None:
        """Note new files and folders: their names are in the folders above them."""
        self._gained.update(dict.fromkeys(map(os.path.dirname, names)))

    def lost(self, names: Iterable[str | Path]) -> None:
        """Note files and folders that were removed, or moved elsewhere."""
        self._lost.update(dict.fromkeys(map(os.path.dirname, names)))

    def changed(self, folder: str) -> None:
        """Note a folder whose time was set."""
        self._lost[folder] = None

    def sync(self) -> None:
        """Synchronise the folders to the disk.

        Those with new names come first: of a file that moved, a power cut then leaves the new name,
        the old one or both, and never none.

        Raises:
            StoreError: A disk cannot write them.
        """
        for folder in {**self._gained, **self._lost}:
            try:
                self.disk.sync_folder(folder)
            except (FileNotFoundError, NotADirectoryError):
                continue  # removed since: that is in the folder above it
            except OSError as error:
                raise unwritten(folder, error) from error
        self._gained.clear()
        self._lost.clear()


def sync_photos(disk: Disk, to: Path) -> None:
    """Synchronise the photos that are to get new names below a folder.

    A name is only worth its content, and a photo may have come from its card a moment ago. All that
    can be linked or renamed is on the disk of that folder.

    Raises:
        StoreError: The disk cannot write them.
    """
    folder = str(existing_folder(to))
    try:
        disk.sync_all(folder)
    except PermissionError:
        return  # it may not be listed; the system writes what it has in its own time
    except OSError as error:
        raise unwritten(folder, error) from error


def unwritten(folder: str, error: OSError) -> StoreError:
    """The error of a disk that does not write."""
    return StoreError(
        f"the disk of {folder} could not write what was changed: {error.strerror or error}",
        "check that disk; organizer status then says how to go on",
    )
