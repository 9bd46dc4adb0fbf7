"""The files of a library, by the ends of their paths, and those that a written path fits."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from organizer.spelling import (
    PathKey,
    folded,
    is_absolute,
    parts_of,
    plain_spelling,
    slashed,
    spellings,
)


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file of the library."""

    path: str
    key: PathKey
    image_id: str

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of its path as they are spelled."""
        return parts_of(slashed(self.path))


@dataclass(frozen=True, slots=True)
class PathHit:
    """A file that a path fits, the folder that it is then relative to."""

    file: KnownFile
    base: PathKey

    @property
    def folder(self) -> Path:
        """The folder."""
        return Path(self.file.path).parents[len(self.file.key) - len(self.base) - 1]


class PathIndex:
    """The files of a library by the ends of their paths."""

    def __init__(self, files: Mapping[str, str]) -> None:
        folders: dict[str, PathKey] = {}  # what many files share
        self._files = []
        for path, image_id in files.items():
            folder, slash, name = slashed(path).rpartition("/")
            if folder not in folders:
                folders[folder] = folded(parts_of(folder + slash))
            key = (*folders[folder], *folded([name]))
            self._files.append(KnownFile(path, key, image_id))
        self._endings: dict[int, dict[PathKey, list[KnownFile]]] = {}
        self._whole: dict[PathKey, list[KnownFile]] = {}

    def whole(self, parts: tuple[str, ...]) -> KnownFile | None:
        """The file of an absolute path."""
        if not self._whole:
            for file in self._files:
                self._whole.setdefault(file.key, []).append(file)
        files = _as_spelled(self._whole.get(folded(parts), ()), parts)
        return files[0] if len({file.image_id for file in files}) == 1 else None

    def hits(self, parts: tuple[str, ...]) -> dict[PathKey, list[PathHit]]:
        """The files that a relative path fits, by folder: of each those spelled like it."""
        by_base: dict[PathKey, list[KnownFile]] = {}
        key = folded(parts)
        for file in self.ending(key):
            by_base.setdefault(file.key[: -len(key)], []).append(file)
        return {
            base: [PathHit(file, base) for file in _as_spelled(files, parts)]
            for base, files in by_base.items()
        }

    def ending(self, key: PathKey) -> Sequence[KnownFile]:
        """The files whose paths end so."""
        length = len(key)
        if length not in self._endings:
            by_ending: dict[PathKey, list[KnownFile]] = {}
            for file in self._files:
                if len(file.key) > length:
                    by_ending.setdefault(file.key[-length:], []).append(file)
            self._endings[length] = by_ending
        return self._endings[length].get(key, ())


def _as_spelled(files: Sequence[KnownFile], parts: Sequence[str]) -> Sequence[KnownFile]:
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
class WrittenPath:
    """A path as it is written, and the files that it fits.

    Attributes:
        parts: Its parts in the spelling that fits.
        key: The same, folded.
        hits: The files that a relative path fits, by the folder that it is then relative to.
        whole: The file that an absolute path is.
    """

    parts: tuple[str, ...]
    key: PathKey
    hits: dict[PathKey, list[PathHit]] = field(default_factory=dict)
    whole: KnownFile | None = None

    @classmethod
    def of(cls, path: str, index: PathIndex) -> WrittenPath:
        """Read a path; of its spellings the first that fits a file."""
        tried: set[str] = set()
        for text in spellings(path):
            if text in tried:
                continue
            tried.add(text)
            parts = parts_of(text)
            one = cls(parts, folded(parts))
            if is_absolute(parts):
                one.whole = index.whole(parts)
            elif parts:
                one.hits = index.hits(parts)
            if one.hits or one.whole:
                return one
        parts = parts_of(plain_spelling(path))
        return cls(parts, folded(parts))

    @property
    def is_absolute(self) -> bool:
        """Whether it begins at a root or a drive."""
        return is_absolute(self.parts)

    @property
    def every_hit(self) -> list[PathHit]:
        """The files that it fits in any folder."""
        return [hit for hits in self.hits.values() for hit in hits]

    @property
    def images(self) -> set[str]:
        """The images that it may mean."""
        return {hit.file.image_id for hit in self.every_hit}
