"""The folder for what is damaged: nothing is deleted that somebody may still read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from organizer.durable import make_folders, sync_folder

ASIDE = "damaged"
"""The folder, in that of the library, with a folder for each repair."""


class Aside:
    """The folder of one repair; it is made when the first file comes.

    Args:
        path: The library's folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.folder = path / ASIDE / f"{datetime.now(UTC):%Y%m%dT%H%M%S}Z"

    def move(self, place: Path) -> None:
        """Move a file or folder of the library there, if it is there."""
        if not place.exists():
            return
        to = self.folder / place.relative_to(self._path)
        number = 1
        while to.exists():
            number += 1
            to = to.with_name(f"{place.name}.{number}")
        make_folders(to.parent)
        place.rename(to)
        sync_folder(to.parent)
        sync_folder(place.parent)
