"""The columns of a table that name a photo, as the programs of the field write them.

One column with a path (``path``, ``filepath``, ``SourceFile``), or a folder and a name: Timelapse's
``RelativePath`` and ``File``, camtrapR's ``Directory`` and ``FileName``, ``folder`` and
``filename``. Capitals, blanks and underscores in the names of columns do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from organizer.export.spreadsheet import unguarded
from organizer.file_kinds import IMAGE_SUFFIXES
from organizer.library.csv_tables import CsvTable, TableRow
from organizer.library.photo_paths.find import FoundPhotos, find_photos, library_files
from organizer.store import Store

_PATHS = ("path", "filepath", "imagepath", "imgpath", "fullpath", "absolutepath", "sourcefile")
_NAMES = (
    "file", "filename", "image", "imagename", "photo", "photoname", "picture", "img", "imagefile",
    "mediafilename", "originalfilename",
)  # fmt: skip
_FOLDERS = ("relativepath", "directory", "folder", "dir", "folderpath", "foldername", "subfolder")
_ROOTS = ("rootfolder",)

COLUMNS_OF_PHOTOS = "path, file, filename, filepath, image, or RelativePath and File"
"""The usual ones, for messages."""


@dataclass(frozen=True, slots=True)
class PathColumns:
    """The places of the columns that name a photo.

    Attributes:
        name: That of the path, or of the name in a folder.
        folder: That of the folder; None where the path is in one column.
        root: That of the name of the folder which the folders are relative to (Timelapse).
    """

    name: int
    folder: int | None = None
    root: int | None = None

    @classmethod
    def of(cls, table: CsvTable) -> PathColumns | None:
        """The columns of a table; None where it has none of them."""
        at: dict[str, int] = {}
        for place, title in enumerate(table.header):
            at.setdefault(re.sub(r"[\s_-]", "", title.lower()), place)
        whole = _first(at, _PATHS)
        name, folders = _first(at, _NAMES), [at[title] for title in _FOLDERS if title in at]
        if name is None and whole is not None:
            relative = at.get("relativepath")  # below an absolute path, as AddaxAI writes them
            return cls(whole) if relative is None else cls(relative, whole)
        if name is None:
            return cls(folders[0]) if "relativepath" in at else None
        root = _first(at, _ROOTS)
        if root is None and "relativepath" in at:
            root = at.get("folder")  # as Timelapse called it before
        if folders and whole is None:
            return cls(name, folders[0], root)
        return cls(name, whole, None)

    def path(self, line: TableRow) -> str:
        """The path in a line, as it is written."""
        name = self.name_in(line)
        if self.folder is None:
            return name
        folder = unguarded(line.cell(self.folder)).strip()
        name = name.strip()
        return _joined(folder, name) if folder and name else folder if _is_file(folder) else name

    def name_in(self, line: TableRow) -> str:
        """The name in a line, or the path where it is in one column."""
        return unguarded(line.cell(self.name))

    def root_of(self, line: TableRow) -> str:
        """The name of the folder that the path is relative to; "" where it is unknown."""
        return "" if self.root is None else unguarded(line.cell(self.root)).strip()

    def rooted_path(self, line: TableRow) -> str:
        """The path with that name before it."""
        root, path = self.root_of(line), self.path(line)
        return f"{root}/{path}" if root and path else path


@dataclass(frozen=True, slots=True)
class TablePhotos:
    """The photos that the lines of a table name.

    Attributes:
        paths: The path in each line, in their order.
        image_ids: The image of each line; None where it names none.
        found: The same by path, with the reasons where none is found.
    """

    paths: Sequence[str]
    image_ids: Sequence[str | None]
    found: FoundPhotos


def find_in_table(
    columns: PathColumns,
    lines: Sequence[TableRow],
    store: Store,
    *,
    folder: Path,
    below: Path,
) -> TablePhotos:
    """Find the photos that lines of a table name.

    Args:
        columns: The columns that name photos.
        lines: The lines.
        store: The library.
        folder: The folder that holds the table.
        below: The current folder.
    """
    files = library_files(store)
    roots = [root.folder for root in store.roots.all()]

    def find(paths: Sequence[str]) -> TablePhotos:
        # A folder of its own column may be empty: the name is then in the folder of all.
        home = folder if columns.folder is not None else None
        places = [folder, below]
        found = find_photos(filter(str.strip, paths), files, home=home, places=places, roots=roots)
        return TablePhotos(paths, [found.image_ids.get(path) for path in paths], found)

    if columns.root is not None:
        rooted = find([columns.rooted_path(line) for line in lines])
        if rooted.found.image_ids or len({columns.root_of(line) for line in lines}) > 1:
            return rooted
    found = find([columns.path(line) for line in lines])
    names = [columns.name_in(line) for line in lines]
    if columns.folder is not None and not found.found.image_ids and all(map(_has_folder, names)):
        return find(names)  # the other column is about something else
    return found


def _first(at: Mapping[str, int], titles: Sequence[str]) -> int | None:
    return next((at[title] for title in titles if title in at), None)


def _has_folder(path: str) -> bool:
    return "/" in path or "\\" in path


def _is_file(path: str) -> bool:
    return PurePosixPath(path.replace("\\", "/")).suffix.lower() in IMAGE_SUFFIXES


def _joined(folder: str, name: str) -> str:
    """A folder and a name as one path; each of them may be the whole path already."""
    above, below = folder.replace("\\", "/").rstrip("/"), name.replace("\\", "/")
    last = below.rsplit("/", 1)[-1].casefold()
    if above.rsplit("/", 1)[-1].casefold() == last or _is_file(above):
        return folder
    is_whole = below.startswith("/") or re.match(r"[A-Za-z]:/", below) is not None
    is_whole = is_whole or below.casefold().startswith(f"{above.casefold()}/")
    return name if is_whole else f"{above}/{below}"
