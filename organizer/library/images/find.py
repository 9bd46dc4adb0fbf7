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
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from organizer.store import Store
from organizer.types import FileState

_Key = tuple[str, ...]
"""The parts of a path in one spelling, the root or drive first."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_BYTES = re.compile("[\udc80-\udcff]")
"""Bytes of a text that are no UTF-8, as Python reads them with ``surrogateescape``."""

_QUOTES = "\"'`\u2018\u2019\u201c\u201d"
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
    home: Path | None = None,
    places: Sequence[Path] = (),
    roots: Sequence[Path] = (),
) -> FoundPhotos:
    """Find the photos that paths name.

    Args:
        paths: As they are written.
        files: The image of each file of the library, by its absolute path; see `library_files`.
        base: The folder that the paths are relative to; inferred where None.
        home: The folder that they are relative to if as many fit there as anywhere: the one that
            holds the results of a tool.
        places: Folders that they may be relative to, the more likely ones first. They decide
            between photos for a path with a folder in it, never for a name alone.
        roots: Ingested folders, which they may be relative to as well.
    """
    every = list(dict.fromkeys(paths))
    shelf = _Shelf(files)
    written = {path: _Written.of(path, shelf) for path in every}
    if base is not None:
        chosen = _below(written, _key(str(base)))
        near = [base]
    else:
        chosen = _infer(written, shelf, _Places.of(home, places, roots))
        near = [*([home] if home else ()), *places, *roots]
    held: dict[str, str] = {}
    not_found: dict[str, NotFound] = {}
    for path, one in written.items():
        file = chosen.files.get(path)
        if file is None and path not in chosen.ambiguous:
            file = _linked(one, near, shelf)
        if file is not None:
            held[path] = file.image_id
        else:
            not_found[path] = _reason(path, one, chosen, shelf, near)
    only = base or (next(iter(chosen.bases)) if len(chosen.bases) == 1 else None)
    return FoundPhotos(held, not_found, only, tuple(sorted(chosen.folders)))


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
            count = f"1 {one} {single}" if len(paths) == 1 else f"{len(paths):,} {many} {several}"
            more = ", ..." if len(paths) > _SHOWN else ""
            lines.append(f"{count}: {', '.join(paths[:_SHOWN])}{more}")
    return lines


_TOLD = {
    NotFound.AMBIGUOUS: (
        "fits several photos and was left out; write its folder too",
        "fit several photos and were left out; write their folders too",
    ),
    NotFound.OTHER_FOLDER: (
        "names a photo that the library has in another folder",
        "name photos that the library has in another folder",
    ),
    NotFound.NOT_IN_LIBRARY: (
        "names a file that is not in the library (organizer ingest FOLDER)",
        "name files that are not in the library (organizer ingest FOLDER)",
    ),
    NotFound.MISSING: (
        "names a file that is neither in the library nor on the disk",
        "name files that are neither in the library nor on the disk",
    ),
}


# Spelling ----------------------------------------------------------------------------------------


def _parts(text: str) -> tuple[str, ...]:
    """The parts of a path as they are spelled, the root or drive first."""
    parts: list[str] = []
    for part in text.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return ("/", *parts) if text.startswith("/") else tuple(parts)


def _folded(parts: Iterable[str]) -> _Key:
    return tuple(unicodedata.normalize("NFC", part.casefold()) for part in parts)


def _key(path: str) -> _Key:
    return _folded(_parts(_slashed(path)))


def _slashed(path: str) -> str:
    """A path of this machine with slashes."""
    return path.replace("\\", "/") if os.sep == "\\" else path


def _is_absolute(parts: Sequence[str]) -> bool:
    return bool(parts) and (parts[0] == "/" or re.fullmatch(r"[A-Za-z]:", parts[0]) is not None)


def _spellings(path: str) -> Iterator[str]:
    """A path as it is, and in the forms that programs make of it; the exact one first."""
    yield path
    yield path.replace("\\", "/")
    bare = path.strip()
    yield bare.replace("\\", "/")
    yield _plain(path)
    if "%" in bare:
        yield unquote(bare).replace("\\", "/")
    if _BYTES.search(bare):
        yield _BYTES.sub(_of_cp1252, bare).replace("\\", "/")


def _of_cp1252(byte: re.Match[str]) -> str:
    return bytes([ord(byte[0]) - 0xDC00]).decode("cp1252", "replace")


def _plain(path: str) -> str:
    """A path without blanks and quotes around it, with slashes; of an address its path."""
    bare = path.strip().strip(_QUOTES).strip()
    return _of_address(bare) or bare.replace("\\", "/")


def _of_address(text: str) -> str | None:
    """The path in an address: ``file:///D:/a%20b.jpg``, ``gs://bucket/a.jpg``, ``?d=a.jpg``."""
    local = "?d=" in text  # Label Studio's local files
    if not local and not _ADDRESS.match(text):
        return None
    try:
        split = urlsplit(text)
    except ValueError:
        return None
    if local:
        return parse_qs(split.query).get("d", [""])[0].replace("\\", "/") or None
    path = unquote(split.path).replace("\\", "/")
    return path[1:] if re.match(r"/[A-Za-z]:/", path) else path


# The files of the library ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the library."""

    path: str
    parts: tuple[str, ...]
    key: _Key
    image_id: str


@dataclass(frozen=True, slots=True)
class _Hit:
    """A file that a path fits, the folder that it is then relative to."""

    file: _File
    base: _Key

    @property
    def folder(self) -> Path:
        return Path(self.file.path).parents[len(self.file.key) - len(self.base) - 1]


class _Shelf:
    """The files of a library by the ends of their paths."""

    def __init__(self, files: Mapping[str, str]) -> None:
        folders: dict[str, tuple[tuple[str, ...], _Key]] = {}  # what many files share
        self._files = []
        for path, image_id in files.items():
            folder, slash, name = _slashed(path).rpartition("/")
            if folder not in folders:
                parts = _parts(folder + slash)
                folders[folder] = parts, _folded(parts)
            above, above_key = folders[folder]
            found = _File(path, (*above, name), (*above_key, *_folded([name])), image_id)
            self._files.append(found)
        self._endings: dict[int, dict[_Key, list[_File]]] = {}
        self._whole: dict[_Key, list[_File]] = {}
        for file in self._files:
            self._whole.setdefault(file.key, []).append(file)

    def whole(self, parts: tuple[str, ...]) -> _File | None:
        """The file of an absolute path."""
        files = _as_spelled(self._whole.get(_folded(parts), ()), parts)
        return files[0] if len({file.image_id for file in files}) == 1 else None

    def ending(self, key: _Key) -> Sequence[_File]:
        """The files whose paths end so."""
        length = len(key)
        if length not in self._endings:
            by_ending: dict[_Key, list[_File]] = {}
            for file in self._files:
                if len(file.key) > length:
                    by_ending.setdefault(file.key[-length:], []).append(file)
            self._endings[length] = by_ending
        return self._endings[length].get(key, ())


def _as_spelled(files: Sequence[_File], parts: Sequence[str]) -> Sequence[_File]:
    """Of files whose names differ in spelling alone those spelled so, where there are any."""
    if len(files) < 2:
        return files
    count = len(parts)
    exact = [file for file in files if file.parts[-count:] == tuple(parts)]
    composed = [unicodedata.normalize("NFC", part) for part in parts]
    return (
        exact
        or [
            f
            for f in files
            if [unicodedata.normalize("NFC", p) for p in f.parts[-count:]] == composed
        ]
        or files
    )


@dataclass(slots=True)
class _Written:
    """A path as it is written, and the files that it fits.

    Attributes:
        parts: Its parts in the spelling that fits.
        key: The same, folded.
        hits: The files that a relative path fits, by the folder that it is then relative to.
        whole: The file that an absolute path is.
    """

    parts: tuple[str, ...]
    key: _Key
    hits: dict[_Key, list[_Hit]] = field(default_factory=dict)
    whole: _File | None = None

    @classmethod
    def of(cls, path: str, shelf: _Shelf) -> _Written:
        """Read a path; of its spellings the first that fits a file."""
        for text in dict.fromkeys(_spellings(path)):
            parts = _parts(text)
            one = cls(parts, _folded(parts))
            if _is_absolute(parts):
                one.whole = shelf.whole(parts)
            elif parts:
                one.hits = _hits(shelf, parts)
            if one.hits or one.whole:
                return one
        parts = _parts(_plain(path))
        return cls(parts, _folded(parts))

    @property
    def is_absolute(self) -> bool:
        return _is_absolute(self.parts)


def _hits(shelf: _Shelf, parts: tuple[str, ...]) -> dict[_Key, list[_Hit]]:
    """The files that a relative path fits, by folder: of each those spelled like it."""
    by_base: dict[_Key, list[_File]] = {}
    key = _folded(parts)
    for file in shelf.ending(key):
        by_base.setdefault(file.key[: -len(key)], []).append(file)
    return {
        base: [_Hit(file, base) for file in _as_spelled(files, parts)]
        for base, files in by_base.items()
    }


# Choosing ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Places:
    """Folders that paths may be relative to."""

    home: _Key | None = None
    near: tuple[_Key, ...] = ()
    roots: frozenset[_Key] = frozenset()

    @classmethod
    def of(cls, home: Path | None, places: Sequence[Path], roots: Sequence[Path]) -> _Places:
        """The folders, each also as links lead to it."""
        near = dict.fromkeys(key for place in places for key in _keys(place))
        known = frozenset(key for root in roots for key in _keys(root))
        return cls(_key(str(home.resolve())) if home else None, tuple(near), known)


@dataclass(slots=True)
class _Chosen:
    """The files that were chosen for paths.

    Attributes:
        files: The file of each path that has one.
        ambiguous: The paths that fit several photos.
        bases: The folders that paths turned out to be relative to.
        folders: The folders that ambiguous paths may be relative to.
    """

    files: dict[str, _File] = field(default_factory=dict)
    ambiguous: set[str] = field(default_factory=set)
    bases: set[Path] = field(default_factory=set)
    folders: set[Path] = field(default_factory=set)

    def take(self, path: str, hits: Sequence[_Hit]) -> None:
        """Take the file of a path, or of one folder where names differ in spelling alone."""
        if len({hit.file.image_id for hit in hits}) == 1:
            self.files[path] = hits[0].file
            self.bases.update(hit.folder for hit in hits)
        else:
            self.refuse(path, hits)

    def refuse(self, path: str, hits: Iterable[_Hit]) -> None:
        """Refuse a path that fits several photos."""
        self.files.pop(path, None)
        self.ambiguous.add(path)
        self.folders.update(hit.folder for hit in hits)


def _below(written: Mapping[str, _Written], base: _Key) -> _Chosen:
    """The files below a folder that was named; an absolute path also is itself."""
    chosen = _Chosen()
    for path, one in written.items():
        if one.whole is not None:
            chosen.files[path] = one.whole
        elif base in one.hits:
            chosen.take(path, one.hits[base])
    return chosen


def _infer(written: Mapping[str, _Written], shelf: _Shelf, places: _Places) -> _Chosen:
    """The files of paths whose folder was not named."""
    chosen = _Chosen({path: one.whole for path, one in written.items() if one.whole is not None})
    relative = {path: one for path, one in written.items() if one.hits}
    if not relative and not chosen.files:
        groups = _of_another_machine(written, shelf)
        targets = Counter(base for group in groups for base in _bases(group))
        for group in groups:
            if all(targets[base] == 1 for base in _bases(group)):
                _choose(group, _Places(), chosen)
            else:  # two folders there cannot both be this one here
                for path, one in group.items():
                    chosen.refuse(path, _every(one))
    _choose(relative, places, chosen)
    return chosen


def _of_another_machine(
    written: Mapping[str, _Written], shelf: _Shelf
) -> list[dict[str, _Written]]:
    """Absolute paths of another machine by the beginning that is replaced, as little as possible.

    The paths are shortened to what follows that beginning.
    """
    whole = {path: one for path, one in written.items() if one.is_absolute}
    for count in range(1, max((len(one.parts) for one in whole.values()), default=0)):
        groups: dict[_Key, dict[str, _Written]] = {}
        for path, one in whole.items():
            rest = one.parts[count:]
            if rest:
                short = _Written(rest, one.key[count:], _hits(shelf, rest))
                groups.setdefault(one.key[:count], {})[path] = short
        fitting = [g for g in groups.values() if any(one.hits for one in g.values())]
        if fitting:
            return [{path: one for path, one in g.items() if one.hits} for g in fitting]
    return []


def _choose(group: Mapping[str, _Written], places: _Places, chosen: _Chosen) -> None:
    """Choose the files of relative paths of one table."""
    rule = _Rule.of(group, places)
    doubtful: set[_Key] = set()
    plain: dict[str, _Written] = {}
    for path, one in group.items():
        base = rule.base_of(one)
        if base is not None:
            chosen.take(path, one.hits[base])
        elif rule.is_elsewhere(one):
            continue
        elif len(_images(one)) == 1:
            plain[path] = one
            chosen.take(path, list(_every(one)))
        else:
            doubtful |= one.hits.keys() if len(one.hits) > 1 else set()
            chosen.refuse(path, _every(one))
    if len(plain) == sum(path in chosen.files for path in group) and all(
        one.hits.keys() <= doubtful for one in plain.values()
    ):
        # Of two folders that fit, one may be in the library by half.
        for path, one in plain.items():
            chosen.refuse(path, _every(one))
        if plain:
            chosen.bases.clear()


@dataclass(frozen=True, slots=True)
class _Rule:
    """The folders that the paths of one table are relative to.

    Attributes:
        places: The folders that they may be relative to.
        home: The folder that decides, if there is one.
        near: Those that decide for paths with a folder.
        pinned: The folders that paths with a folder leave no doubt of.
    """

    places: _Places
    home: _Key | None
    near: tuple[_Key, ...]
    pinned: Set[_Key]

    @classmethod
    def of(cls, group: Mapping[str, _Written], places: _Places) -> _Rule:
        """Which folders decide: none in which fewer paths fit than in another."""
        fits = Counter(base for one in group.values() for base in one.hits)
        most = max(fits.values(), default=0)
        home = places.home if places.home and 0 < fits[places.home] == most else None
        near = tuple(place for place in places.near if fits[place] == most)
        pinned = {
            next(iter(one.hits))
            for one in group.values()
            if len(one.key) > 1 and len(one.hits) == 1
        }
        return cls(places, home, near, pinned)

    def base_of(self, one: _Written) -> _Key | None:
        """The folder that decides for a path."""
        if self.home is not None and self.home in one.hits:
            return self.home
        if len(_images(one)) == 1:
            return None
        near = [place for place in self.near if place in one.hits] if len(one.key) > 1 else []
        return near[0] if near else self._above(one)

    def _above(self, one: _Written) -> _Key | None:
        """The folder above all others that a path fits, where other paths leave no doubt of it.

        A name in one of the folders below would have been written with that folder.
        """
        known = self.pinned | self.places.roots if len(one.key) > 1 else self.pinned
        for base in known & one.hits.keys():
            if all(other[: len(base)] == base for other in one.hits):
                return base
        return None

    def is_elsewhere(self, one: _Written) -> bool:
        """Whether a path fits only in folders that the table is not relative to."""
        known = self.places.roots | set(self.places.near)
        if self.home is not None:
            return not one.hits.keys() & known
        bare = len(one.key) == 1
        return bare and bool(self.pinned) and not one.hits.keys() & (self.pinned | known)


def _every(one: _Written) -> Iterator[_Hit]:
    return (hit for hits in one.hits.values() for hit in hits)


def _images(one: _Written) -> set[str]:
    return {hit.file.image_id for hit in _every(one)}


def _bases(group: Mapping[str, _Written]) -> set[_Key]:
    return {base for one in group.values() for base in one.hits}


def _keys(place: Path) -> Iterator[_Key]:
    yield _key(str(place))
    yield _key(str(place.resolve()))


# What is not found -------------------------------------------------------------------------------


def _linked(one: _Written, near: Sequence[Path], shelf: _Shelf) -> _File | None:
    """The file that a link leads to, or a path that begins with ``..``."""
    for place in near:
        file = _joined(place, one)
        if file is not None and _is_there(file):
            for path in (os.path.normpath(file), str(file.resolve())):
                found = shelf.whole(_parts(_slashed(path)))
                if found is not None:
                    return found
    return None


def _reason(
    path: str, one: _Written, chosen: _Chosen, shelf: _Shelf, near: Sequence[Path]
) -> NotFound:
    if path in chosen.ambiguous:
        return NotFound.AMBIGUOUS
    files = [_joined(place, one) for place in near]
    if any(file is not None and _is_there(file) for file in files):
        return NotFound.NOT_IN_LIBRARY
    if one.key and shelf.ending(one.key[-1:]):
        return NotFound.OTHER_FOLDER
    return NotFound.MISSING


def _joined(place: Path, one: _Written) -> Path | None:
    """A path below a folder; an absolute one is itself."""
    if not one.parts:
        return None
    return place.joinpath(*one.parts)


def _is_there(file: Path) -> bool:
    try:
        return os.path.lexists(file)
    except ValueError:
        return False
