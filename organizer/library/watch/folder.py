"""A watched folder: whether it is there, or its drive is not connected."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

Identity = tuple[int, int]
"""The device and the number of a folder: another folder of the same name has others."""


@dataclass(slots=True)
class WatchedFolder:
    """A folder that comes and goes.

    Attributes:
        path: Absolute.
        identity: Which folder is there; None while there is none.
        is_away: Whether it was told to be away.
        device: The device on which it last held something; None before.
    """

    path: Path
    identity: Identity | None = None
    is_away: bool = False
    device: int | None = None

    def look(self) -> bool:
        """Look whether it is there.

        Returns:
            Whether another folder is than at the last look, or none.
        """
        before = self.identity
        self.identity = _identity(self.path)
        return self.identity != before

    def has_gone(self) -> bool:
        """Whether the folder of the last look is not there any more."""
        return _identity(self.path) != self.identity

    def may_be_unmounted(self) -> bool:
        """Whether it is empty, and on another device than when it last held something.

        The folder on which a drive is mounted stays when the drive goes, and is empty then.
        """
        if self.identity is None:
            return False
        try:
            with os.scandir(self.path) as entries:
                is_empty = next(entries, None) is None
        except OSError:  # the ingest says so
            return False
        if not is_empty:
            self.device = self.identity[0]
        return is_empty and self.device != self.identity[0]


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None
