"""What lies beside photos and goes with them: raw files, videos, sidecars; see `companions`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from organizer.companions import Companion, find_companions, split_name, title_in
from organizer.file_times import modified_ns


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
        found = find_companions(
            (entry.name for entry in self._entries.values() if not _is_folder(entry)),
            photos=frozenset(photos),
            title_of=lambda name: title_in(self._entries[name].path),
        )
        self._beside: dict[str, list[Companion]] = {}
        for companion in found.values():
            for photo in companion.photos:
                self._beside.setdefault(photo, []).append(companion)

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        return name in self._entries or os.path.lexists(os.path.join(self._path, name))  # noqa: PTH118

    def is_link(self, name: str) -> bool:
        """Whether a file is a symbolic link."""
        entry = self._entries.get(name)
        return entry is not None and entry.is_symlink()

    def sidecars(self, photo: str, *, only_first: bool) -> Iterator[Sidecar]:
        """What goes with a photo.

        Args:
            photo: Its name.
            only_first: Whether what belongs to several photos goes with the first of them alone.
        """
        stem = split_name(photo)[0]
        beside = self._beside.get(photo, ())
        for companion in sorted(beside, key=lambda found: not found.name.startswith(stem)):
            if only_first and companion.photos[0] != photo:
                continue
            entry = self._entries[companion.name]
            if entry.is_file():
                status = entry.stat()
                yield Sidecar(
                    entry.path,
                    companion.tail(photo),
                    status.st_size,
                    modified_ns(status),
                    entry.is_symlink(),
                )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)
