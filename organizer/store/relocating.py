"""Files that organizer itself moved, and where they lay before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from organizer.store.choices import ChoiceTable
from organizer.store.file_index import path_id
from organizer.store.roots import Roots
from organizer.store.schemas import FILES
from organizer.types import FileState

_DIGITS = 32
"""Of an image id."""
_FORMER = "former_folders"
"""The name among the choices of a library under which folders of moved files are remembered."""


class Relocating(Roots):
    """Places of files that change without their being ingested again."""

    def relocate(self, moves: Mapping[Path, tuple[Path, str]], *, home: Path) -> int:
        """Note that files were moved by organizer itself: there they are what they were.

        In one commit, whatever their number. A file that is not known at its former place is
        passed over, so that the same moves may be noted twice.

        Args:
            moves: The new place of files, and the image that each holds, by the former place.
            home: The folder that becomes a root if a new place is below none.

        Returns:
            How many files were noted.
        """
        rows = self._database.read("files").select(FILES.names)
        folders = {root.root_id: _inside(root.folder) for root in self.roots()}
        wanted = {
            former.as_posix(): (now.as_posix(), image_id)
            for former, (now, image_id) in moves.items()
        }
        columns = rows.to_pydict()
        found = {}
        for number, root_id in enumerate(columns["root_id"]):
            former = folders[root_id] + columns["path"][number]
            if former in wanted and wanted[former][1] == columns["image_id"][number]:
                found[number] = wanted[former][0]
        if found:
            self._rewrite_places(columns, found, home)
        return len(found)

    def former_folders(self) -> dict[tuple[int, str], list[str]]:
        """The images of which a file was moved away, by the root and folder where it lay first."""
        kept: dict[str, str] = ChoiceTable(self._database).get(_FORMER) or {}
        found = {}
        for key, ids in kept.items():
            root_id, _, folder = key.partition("/")
            steps = range(0, len(ids), _DIGITS)
            found[int(root_id), folder] = [ids[at : at + _DIGITS] for at in steps]
        return found

    def remember_folders(self, files: Iterable[tuple[str, int, str]]) -> None:
        """Remember where files lay that are moved away: it may tell where they were taken.

        Of an image the folder counts in which it lay first.

        Args:
            files: The image, the root and the path of each.
        """
        former = self.former_folders()
        known = {image_id for ids in former.values() for image_id in ids}
        before = len(known)
        for image_id, root_id, path in files:
            if image_id not in known:
                former.setdefault((root_id, path.rpartition("/")[0]), []).append(image_id)
                known.add(image_id)
        if len(known) > before:
            kept = {f"{root}/{folder}": "".join(ids) for (root, folder), ids in former.items()}
            ChoiceTable(self._database).set(_FORMER, kept)

    def forget_root(self, folder: Path) -> None:
        """Remove a root of which no file is known: it is as if it had not been ingested."""
        remembered = {root_id for root_id, _ in self.former_folders()}
        for root in self.roots():
            of_root = f"root_id = {root.root_id:d}"
            if root.folder != folder or root.root_id in remembered:
                continue
            if not any(self._database.count(table, of_root) for table in ("files", "problems")):
                self._database.delete_where("roots", of_root)

    def _rewrite_places(
        self, columns: dict[str, list[Any]], places: Mapping[int, str], home: Path
    ) -> None:
        """Give files another place; they come in place of what was known of it."""
        self.remember_folders(
            (columns["image_id"][n], columns["root_id"][n], columns["path"][n]) for n in places
        )
        roots = sorted(self.roots(), key=lambda root: -len(root.folder.parts))
        for number, place in places.items():
            root = next((r for r in roots if place.startswith(_inside(r.folder))), None)
            if root is None:
                root = self._new_root(home)
                roots.append(root)
            path = place[len(_inside(root.folder)) :]
            columns["root_id"][number], columns["path"][number] = root.root_id, path
            columns["path_id"][number] = path_id(root.root_id, path)
            columns["state"][number] = FileState.PRESENT.value
        pairs = list(zip(columns["path_id"], columns["image_id"], strict=True))
        moved = {pairs[number] for number in places}
        kept = [n for n, pair in enumerate(pairs) if n in places or pair not in moved]
        # The whole table at once: a kill leaves all of it as it was, or none of it.
        self._database.overwrite("files", pa.table(columns, schema=FILES).take(pa.array(kept)))


def _inside(folder: Path) -> str:
    """What the path of every file in a folder begins with."""
    return folder.as_posix().rstrip("/") + "/"
