"""Folders most of whose files cannot be seen: more likely a disk than a decision."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace
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
    def is_most(self) -> bool:
        """Whether more than half are gone."""
        return 2 * len(self.gone) > self.known

    def without(self, found: Set[FileImage]) -> AbsentFiles:
        """The same without files that were found elsewhere."""
        return replace(self, gone=self.gone - found)

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
    seen: Mapping[Path, int],
    gone: Collection[FileImage],
) -> tuple[AbsentFiles, ...]:
    """The starting points of which more than half of the files that were there are gone.

    Where others have come in their place the disk is there, and another card is in it.

    Args:
        database: The tables.
        roots: The folders that were ingested.
        seen: Folders in which files were looked for, with the number of all image files there.
        gone: The files that were there and were not found.
    """
    if not gone:
        return ()
    wanted = set(gone)
    table = database.read("files", ["path_id", "image_id", "root_id", "path", "state"])
    present = table.filter(pc.equal(table["state"], FileState.PRESENT.value))
    found = []
    for start, count in seen.items():
        rows = files_below(present, roots, [start])
        pairs = set(zip(rows["path_id"].to_pylist(), rows["image_id"].to_pylist(), strict=True))
        lost = frozenset(pairs & wanted)
        absent = AbsentFiles(start, len(pairs), lost)
        if absent.is_most and len(pairs) > 2 * count:
            found.append(absent)
    return tuple(found)
