"""Folders most of whose files cannot be seen: more likely a disk than a decision."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from organizer.store.database import Database
from organizer.store.file_index import FileImage, PhotoRoot, files_below
from organizer.types import FileState


@dataclass(frozen=True, slots=True)
class AbsentFiles:
    """A folder more than half of whose files cannot be seen.

    Attributes:
        folder: The folder.
        known: Number of its files that were there when last looked for.
        gone: The ones of these that are not there now.
    """

    folder: Path
    known: int
    gone: frozenset[FileImage]

    @property
    def text(self) -> str:
        """What is to be said of it, in one line."""
        there = self.known - len(self.gone)
        return (
            f"left as it was known: {there:,} of {self.known:,} files are in {self.folder}; is its "
            "disk connected?"
        )

    @property
    def hint(self) -> str:
        """What to do where the files are really gone."""
        return f'if they were deleted: organizer ingest "{self.folder}" --confirm-missing'


def absent_files(
    database: Database,
    roots: Sequence[PhotoRoot],
    starts: Sequence[Path],
    gone: Collection[FileImage],
) -> tuple[AbsentFiles, ...]:
    """The starting points of which more than half of the files that were there are gone.

    Args:
        database: The tables.
        roots: The folders that were ingested.
        starts: Folders in which files were looked for.
        gone: The files that were there and were not found, nor found elsewhere.
    """
    if not gone:
        return ()
    wanted = set(gone)
    table = database.read("files", ["path_id", "image_id", "root_id", "path", "state"])
    present = table.filter(pc.equal(table["state"], FileState.PRESENT.value))
    found = []
    for start in starts:
        rows = files_below(present, roots, [start])
        pairs = set(zip(rows["path_id"].to_pylist(), rows["image_id"].to_pylist(), strict=True))
        lost = frozenset(pairs & wanted)
        if 2 * len(lost) > len(pairs):
            found.append(AbsentFiles(start, len(pairs), lost))
    return tuple(found)
