"""The images that the lines of a table are about: by their ids, or else by their paths."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from organizer.library.csv_tables import CsvTable, LeftOutLine, TableRow
from organizer.library.photo_paths.columns import PathColumns, find_in_table
from organizer.library.photo_paths.find import NotFound, printable
from organizer.store import Store
from organizer.types import is_crop_embedder

_ID = re.compile(r"[0-9a-f]{32}")
_WHY = {
    NotFound.AMBIGUOUS: "fits several photos; write its folder too",
    NotFound.OTHER_FOLDER: "is not there; the library has that name in other folders only",
    NotFound.NOT_IN_LIBRARY: "is on the disk, but not in the library",
    NotFound.MISSING: "is not in the library",
}


@dataclass(frozen=True, slots=True)
class LineImages:
    """The images of lines.

    Attributes:
        of: The image by the number of its line.
        left_out: The lines that are about no image of the library.
    """

    of: dict[int, str]
    left_out: list[LeftOutLine]


def read_images(table: CsvTable, lines: Sequence[TableRow], store: Store) -> LineImages:
    """Find the images of lines, by the column image_id.

    Where a line has no id, as where a person added it or a program rounded it, its path is taken;
    not where the library shows crops, since a photo may have several.
    """
    place = table.columns.get("image_id")
    ids = {n.number: "" if place is None else n.cell(place).strip().lower() for n in lines}
    sound = {number: image_id for number, image_id in ids.items() if _ID.fullmatch(image_id)}
    known = store.photos.facts_of(set(sound.values()))
    found = LineImages({n: i for n, i in sound.items() if i in known}, [])
    other = "is it another library's table? --library names the right one"
    found.left_out.extend(
        LeftOutLine(number, f"there is no image {image_id!r} in the library", other)
        for number, image_id in sound.items()
        if image_id not in known
    )
    _find_by_path(table, [line for line in lines if line.number not in sound], ids, store, found)
    return found


def _find_by_path(
    table: CsvTable,
    lines: Sequence[TableRow],
    ids: dict[int, str],
    store: Store,
    found: LineImages,
) -> None:
    """Add the images of the lines without an id."""
    current = store.clusterings.current()
    of_crops = current is not None and is_crop_embedder(current.embedder)
    columns = None if of_crops else PathColumns.of(table)
    with_path = [] if columns is None else [n for n in lines if columns.path(n).strip()]
    if columns is not None and with_path:
        folder = table.file.expanduser().resolve().parent
        photos = find_in_table(columns, with_path, store, folder=folder, below=Path.cwd())
        for line, image_id, path in zip(with_path, photos.image_ids, photos.paths, strict=True):
            if image_id is not None:
                found.of[line.number] = image_id
            else:
                why = f"{printable(path)} {_WHY[photos.found.not_found[path]]}"
                found.left_out.append(LeftOutLine(line.number, why, "correct its path"))
    done = {line.number for line in with_path}
    hint = "leave the column image_id as organizer wrote it"
    found.left_out.extend(
        LeftOutLine(line.number, f"{ids[line.number][:40]!r} is no image's id", hint)
        for line in lines
        if line.number not in done
    )
