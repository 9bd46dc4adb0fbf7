"""The folders that photos were ingested from, wherever their drives are now."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from organizer.file_times import modified_ns
from organizer.store.database import Database
from organizer.store.file_index import PhotoRoot, files_below
from organizer.store.former_folders import FormerFolders
from organizer.store.schemas import ROOTS
from organizer.types import FileState

_RELOCATION_SAMPLE = 64
_RELOCATION_SHARE = 0.9


class RootTable:
    """The roots of one library. Files are known by their path below one.

    A root that an ingest begins with is pending: it is stored with the first of its files, so that
    an ingest that is refused leaves nothing.
    """

    def __init__(self, database: Database, *, former_folders: FormerFolders) -> None:
        self._database = database
        self._former_folders = former_folders
        self._pending: dict[int, str] = {}
        self._known: tuple[Any, dict[int, str]] = None, {}

    def all(self) -> tuple[PhotoRoot, ...]:
        """All roots, pending ones too, with their folders as absolute paths."""
        locations = self._stored() | self._pending
        return tuple(PhotoRoot(i, self._absolute(place)) for i, place in sorted(locations.items()))

    def _stored(self) -> dict[int, str]:
        """The location of each root; read once for each version of the table."""
        dataset, locations = self._known
        current = self._database.dataset("roots")
        if dataset is not current:
            rows = self._database.read("roots", dataset=current).to_pylist()
            locations = {row["root_id"]: row["location"] for row in rows}
            self._known = current, locations
        return locations

    def write_pending(self) -> None:
        """Store the roots that are pending."""
        if not self._pending:
            return
        with self._database.transaction():
            known = set(self._database.read("roots", ["root_id"])["root_id"].to_pylist())
            for root_id, location in self._pending.items():
                if root_id in known:
                    where = f"root_id = {root_id:d}"
                    self._database.update_where("roots", where, {"location": location})
                else:
                    self._append(root_id, location)
        self._pending = {}

    def discard_pending(self) -> None:
        """Forget the roots that are pending."""
        self._pending = {}

    def root_for(self, start: Path) -> PhotoRoot:
        """The root that holds a folder or file; one that is made or moved for it is pending.

        A folder that holds what a root held whose own folder is gone is that root at a new place:
        a drive under another letter, a folder with a new name.
        """
        roots = self.all()
        above = [root for root in roots if start == root.folder or root.folder in start.parents]
        if above:
            return max(above, key=lambda root: len(root.folder.parts))
        folder = start if start.is_dir() else start.parent
        for root in sorted(roots, key=lambda root: len(root.folder.parts)):
            if not root.folder.exists() and self._holds_files_of(root, folder, roots):
                self._relocate(root.folder, folder, roots)
                return replace(root, folder=folder)
        root = PhotoRoot(self._next_id(), folder)
        self._pending[root.root_id] = self._location(folder)
        return root

    def add(self, folder: Path) -> PhotoRoot:
        """Make a folder a root."""
        root = PhotoRoot(self._next_id(), folder)
        self._append(root.root_id, self._location(folder))
        return root

    def restore(self, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Store roots that are not there any more, by their ids; whether there were any."""
        known = set(self._database.read("roots", ["root_id"])["root_id"].to_pylist())
        lost = [row for row in rows if row["root_id"] not in known]
        for row in lost:
            self._append(row["root_id"], row["location"])
        return bool(lost)

    def _next_id(self) -> int:
        return max((known.root_id for known in self.all()), default=0) + 1

    def _append(self, root_id: int, location: str) -> None:
        row = {"root_id": root_id, "location": location}
        self._database.append("roots", pa.Table.from_pylist([row], schema=ROOTS))

    def forget(self, folder: Path) -> None:
        """Remove a root of which no file is known: it is as if it had not been ingested."""
        remembered = {root_id for root_id, _ in self._former_folders.all()}
        for root in self.all():
            of_root = f"root_id = {root.root_id:d}"
            if root.folder != folder or root.root_id in remembered:
                continue
            if not any(self._database.count(table, of_root) for table in ("files", "problems")):
                self._database.delete_where("roots", of_root)

    def _relocate(self, former: Path, folder: Path, roots: Sequence[PhotoRoot]) -> None:
        """A folder moved, and the roots inside it with it."""
        for root in roots:
            if root.folder.is_relative_to(former):
                current = folder / root.folder.relative_to(former)
                self._pending[root.root_id] = self._location(current)

    def _holds_files_of(self, root: PhotoRoot, folder: Path, roots: Sequence[PhotoRoot]) -> bool:
        """Whether most of a sample of a root's files lie below another folder, as they were."""
        rows = files_below(self._database.read("files"), roots, [root.folder]).to_pylist()
        rows = [row for row in rows if row["state"] == FileState.PRESENT]
        sample = rows[:: max(1, len(rows) // _RELOCATION_SAMPLE)]
        inside = {
            known.root_id: known.folder.relative_to(root.folder)
            for known in roots
            if known.folder.is_relative_to(root.folder)
        }
        same = sum(
            _is_as_known(
                folder / inside[row["root_id"]] / row["path"], row["size"], row["mtime_ns"]
            )
            for row in sample
        )
        return bool(sample) and same >= _RELOCATION_SHARE * len(sample)

    def _location(self, folder: Path) -> str:
        parent = self._database.path.parent
        if folder.is_relative_to(parent):
            return folder.relative_to(parent).as_posix()
        return str(folder)

    def _absolute(self, location: str) -> Path:
        return (self._database.path.parent / location).resolve()


def _is_as_known(file: Path, size: int, mtime_ns: int) -> bool:
    try:
        status = os.stat(file)  # noqa: PTH116 - follows Path.stat, without a second object
    except OSError:
        return False
    return status.st_size == size and modified_ns(status) == mtime_ns
