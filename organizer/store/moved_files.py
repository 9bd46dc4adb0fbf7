"""Files that organizer itself moved: they need not be ingested again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from organizer.paths import folder_prefix
from organizer.store.database import Database
from organizer.store.file_index import path_id
from organizer.store.former_folders import FormerFolders
from organizer.store.roots import RootTable
from organizer.store.schemas import FILES
from organizer.types import FileState


class MovedFiles:
    """Paths in the file rows of one library, changed as files are moved."""

    def __init__(
        self, database: Database, *, roots: RootTable, former_folders: FormerFolders
    ) -> None:
        self._database = database
        self._roots = roots
        self._former_folders = former_folders

    def relocate(self, moves: Mapping[Path, tuple[Path, str]], *, new_root: Path) -> int:
        """Record that files were moved: at their new path they are what they were.

        In one commit, whatever their number. A file that is not known at its former path is
        skipped, so that the same moves may be recorded twice.

        Args:
            moves: The new path of each file, and the image that it holds, by its former path.
            new_root: The folder that becomes a root if a new path is below none.

        Returns:
            How many files were recorded.
        """
        rows = self._database.read("files").select(FILES.names)
        prefixes = {root.root_id: folder_prefix(root.folder) for root in self._roots.all()}
        wanted = {
            former.as_posix(): (current.as_posix(), image_id)
            for former, (current, image_id) in moves.items()
        }
        columns = rows.to_pydict()
        found = {}
        for number, root_id in enumerate(columns["root_id"]):
            former = prefixes[root_id] + columns["path"][number]
            if former in wanted and wanted[former][1] == columns["image_id"][number]:
                found[number] = wanted[former][0]
        if found:
            self._rewrite_paths(columns, found, new_root)
        return len(found)

    def _rewrite_paths(
        self, columns: dict[str, list[Any]], paths: Mapping[int, str], new_root: Path
    ) -> None:
        """Give rows another path; they replace what was known of it."""
        self._former_folders.remember(
            (columns["image_id"][n], columns["root_id"][n], columns["path"][n]) for n in paths
        )
        roots = sorted(self._roots.all(), key=lambda root: -len(root.folder.parts))
        for number, path in paths.items():
            root = next((r for r in roots if path.startswith(folder_prefix(r.folder))), None)
            if root is None:
                root = self._roots.add(new_root)
                roots.append(root)
            inside = path[len(folder_prefix(root.folder)) :]
            columns["root_id"][number], columns["path"][number] = root.root_id, inside
            columns["path_id"][number] = path_id(root.root_id, inside)
            columns["state"][number] = FileState.PRESENT.value
        pairs = list(zip(columns["path_id"], columns["image_id"], strict=True))
        moved = {pairs[number] for number in paths}
        kept = [n for n, pair in enumerate(pairs) if n in paths or pair not in moved]
        # The whole table at once: a kill leaves all of it as it was, or none of it.
        self._database.overwrite("files", pa.table(columns, schema=FILES).take(pa.array(kept)))
