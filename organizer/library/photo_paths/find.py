"""Find the photos that a table or a detector's results name, however the paths are spelled.

Slashes and backslashes, capitals, composed and decomposed letters (Unicode NFC and NFD), blanks,
quotes, ``./`` and addresses (``file:///D:/a%20b.jpg``) are read as the same path; where two files
differ in nothing else, the exact spelling decides.

Paths are relative to a folder that is inferred, or absolute, maybe of another machine. Nothing is
guessed: a path that fits several photos is refused, not given to the first of them, and a table
whose paths are relative to one folder finds nothing in another.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from organizer.counts import count_text
from organizer.library.photo_paths.choose import ChosenFiles, PathPlaces, choose_below, infer_files
from organizer.library.photo_paths.known_files import KnownFile, PathIndex, WrittenPath
from organizer.spelling import parts_of, path_key, slashed
from organizer.store import Store
from organizer.types import FileState

_SHOWN = 3


class NotFound(StrEnum):
    """Why a path finds no photo."""

    AMBIGUOUS = "ambiguous"
    OTHER_FOLDER = "other folder"
    NOT_IN_LIBRARY = "not in the library"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class FoundPhotos:
    """The photos that some paths name.

    Attributes:
        image_ids: The image of each path that names one.
        not_found: Why each of the others names none, in their order.
        base: The folder that the relative paths are relative to, where it is one.
        folders: The folders that ambiguous paths may be relative to, sorted.
    """

    image_ids: Mapping[str, str]
    not_found: Mapping[str, NotFound] = field(default_factory=dict)
    base: Path | None = None
    folders: tuple[Path, ...] = ()


def library_files(store: Store) -> dict[str, str]:
    """The image of each file of a library by its path, also of files that are missing now."""
    rows = [row for files in store.photos.files_of(with_people=True).values() for row in files]
    rows.sort(key=lambda row: row.state is not FileState.MISSING)
    return {str(row.file): row.image_id for row in rows}


def find_photos(
    paths: Iterable[str],
    files: Mapping[str, str],
    *,
    base: Path | None = None,
    of_one_folder: bool = False,
    home: Path | None = None,
    places: Sequence[Path] = (),
    roots: Sequence[Path] = (),
) -> FoundPhotos:
    """Find the photos that paths name.

    Args:
        paths: As they are written.
        files: The image of each file of the library, by its absolute path; see `library_files`.
        base: The folder that the paths are relative to; inferred where None.
        of_one_folder: Whether all relative paths are relative to one folder, as a tool writes them:
            where two fit, a path that is in one of them only is not taken for a proof of it, since
            the other may be in the library by half.
        home: The folder that they are relative to if any of them fits there: the one that holds the
            results of a tool. Where some have folders in them, one of these has to fit.
        places: Folders that they may be relative to, the more likely ones first. They decide
            between photos for a path with a folder in it, never for a name alone.
        roots: Ingested folders, which they may be relative to as well.
    """
    every = list(dict.fromkeys(paths))
    index = PathIndex(files)
    written = {path: WrittenPath.of(path, index) for path in every}
    if base is not None:
        chosen = choose_below(written, path_key(str(base)))
        near = [base]
    else:
        chosen = infer_files(
            written,
            index,
            PathPlaces.of(home, places, roots),
            of_one_folder=of_one_folder,
        )
        near = [*([home] if home else ()), *places, *roots]
    held: dict[str, str] = {}
    not_found: dict[str, NotFound] = {}
    for path, one in written.items():
        file = chosen.files.get(path)
        if file is None and path not in chosen.ambiguous:
            file = _linked(one, near, index)
        if file is not None:
            held[path] = file.image_id
        else:
            not_found[path] = _reason(path, one, chosen, index, near)
    bases = {hit.folder for hit in chosen.bases.values()}
    only = base or (bases.pop() if len(bases) == 1 else None)
    folders = {hit.folder for hit in chosen.folders.values()}
    return FoundPhotos(held, not_found, only, tuple(sorted(folders)))


def not_found_lines(found: FoundPhotos, what: str) -> list[str]:
    """What was not found, a line for each reason, with the first paths.

    Args:
        found: The photos that were found.
        what: What the paths are of, one and several: "label,labels".
    """
    one, many = what.split(",")
    lines = []
    for reason, (single, several) in _TOLD.items():
        paths = [path for path, why in found.not_found.items() if why is reason]
        if paths:
            count = count_text(len(paths), f"{one} {single}", f"{many} {several}")
            more = ", ..." if len(paths) > _SHOWN else ""
            lines.append(f"{count}: {', '.join(map(printable, paths[:_SHOWN]))}{more}")
    return lines


def printable(path: str) -> str:
    """A path as text that can be printed and stored, also with bytes that are no UTF-8."""
    return path.encode("utf-8", "replace").decode()


_TOLD = {
    NotFound.AMBIGUOUS: (
        "fits several photos and was left out; write its folder too",
        "fit several photos and were left out; write their folders too",
    ),
    NotFound.OTHER_FOLDER: (
        "is of a name that the library has in other folders only",
        "are of names that the library has in other folders only",
    ),
    NotFound.NOT_IN_LIBRARY: (
        "is of a file on the disk that is not in the library (organizer ingest FOLDER)",
        "are of files on the disk that are not in the library (organizer ingest FOLDER)",
    ),
    NotFound.MISSING: (
        "is of a file that is not in the library",
        "are of files that are not in the library",
    ),
}


def _linked(one: WrittenPath, near: Sequence[Path], index: PathIndex) -> KnownFile | None:
    """The file that a link leads to, or a path that begins with ``..``."""
    for place in near:
        file = _joined(place, one)
        if file is not None and _is_there(file):
            for path in (os.path.normpath(file), os.path.realpath(file)):
                found = index.whole(parts_of(slashed(path)))
                if found is not None:
                    return found
    return None


def _reason(
    path: str, one: WrittenPath, chosen: ChosenFiles, index: PathIndex, near: Sequence[Path]
) -> NotFound:
    if path in chosen.ambiguous:
        return NotFound.AMBIGUOUS
    files = [_joined(place, one) for place in near]
    if any(file is not None and _is_there(file) for file in files):
        return NotFound.NOT_IN_LIBRARY
    if one.key and index.ending(one.key[-1:]):
        return NotFound.OTHER_FOLDER
    return NotFound.MISSING


def _joined(place: Path, one: WrittenPath) -> Path | None:
    """A path below a folder; an absolute one is itself."""
    if not one.parts:
        return None
    return place.joinpath(*one.parts)


def _is_there(file: Path) -> bool:
    try:
        return os.path.lexists(file)
    except ValueError:
        return False
