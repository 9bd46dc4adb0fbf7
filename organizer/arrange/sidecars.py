"""Sidecars of photos: ``a.xmp``, ``a.jpg.xmp``, ``a.json``, ``a.jpg.*.json``.

Lightroom, darktable, digiKam and Google Takeout keep edits and labels there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from organizer.arrange.names import name_key
from organizer.file_times import modified_ns

_SUFFIXES = (".xmp", ".json")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file that belongs to a photo.

    Attributes:
        path: Its path.
        tail: What follows the photo's stem in its name: ".xmp", ".jpg.xmp".
        size: Bytes.
        mtime_ns: Nanoseconds.
        is_link: Whether it is a symbolic link.
    """

    path: str
    tail: str
    size: int
    mtime_ns: int
    is_link: bool


class FolderListing:
    """The listing of a folder of photos.

    Raises:
        OSError: It cannot be listed.
    """

    def __init__(self, path: str, photos: Iterable[str]) -> None:
        """List a folder.

        Args:
            path: The folder.
            photos: The names of the photos in it that are arranged.
        """
        with os.scandir(path) as scan:
            self._entries = {entry.name: entry for entry in scan}
        self._path = path
        self._exact = {owner for name in photos for owner in (name, split_stem(name)[0])}
        self._beside: dict[str, list[tuple[str, str]]] = {}
        for name in self._entries:
            base, suffix = split_stem(name)
            if suffix.lower() in _SUFFIXES:
                self._beside.setdefault(name_key(base), []).append((base, name))
                inner, more = split_stem(base)
                if suffix.lower() == ".json" and more:
                    self._beside.setdefault(f"{name_key(inner)}/", []).append((inner, name))

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        return name in self._entries or os.path.lexists(os.path.join(self._path, name))  # noqa: PTH118

    def is_link(self, name: str) -> bool:
        """Whether a file is a symbolic link."""
        entry = self._entries.get(name)
        return entry is not None and entry.is_symlink()

    def sidecars(self, photo: str) -> Iterator[Sidecar]:
        """The sidecars of a photo, by its name; one may belong to several photos."""
        if not self._beside:
            return
        stem, suffix = split_stem(photo)
        for owner, more, start in ((stem, "", ""), (photo, "", suffix), (photo, "/", suffix)):
            found = self._beside.get(name_key(owner) + more)
            for base, name in sorted(found or (), key=lambda pair: (pair[0] != owner, pair)):
                if base != owner and base in self._exact:
                    continue  # another photo's name matches it exactly, this one's only by case
                entry = self._entries[name]
                if entry.is_file():
                    status = entry.stat()
                    yield Sidecar(
                        entry.path,
                        start + name[len(base) :],
                        status.st_size,
                        modified_ns(status),
                        entry.is_symlink(),
                    )


def split_stem(name: str) -> tuple[str, str]:
    """The stem and the suffix of a name, the suffix with its dot."""
    return os.path.splitext(name)  # noqa: PTH122 - called once per file, and faster than Path
