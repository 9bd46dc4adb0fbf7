"""Files that a person may have dragged about, known again.

A hard link by its inode, a symbolic link by its text, a file by its size and the time of its last
change; and by its content wherever that does not settle it: another name, a copy, two photos of one
size and time. A file is never taken for another one because of its name alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Inode = tuple[int, int]
"""The device and the number of a file on it."""

Identify = Callable[[str], str | None]
"""The content of the file at a path: its hash, or None where it cannot be read."""


@dataclass(frozen=True, slots=True)
class ExpectedPhoto:
    """A photo where an arrangement put it, or where the last read-back saw it.

    Attributes:
        path: Relative to the arranged folder, with forward slashes; "" where it was in it no more.
        image_id: The hash of its content.
        cluster_id: The cluster that its folder stands for; None for no cluster.
        folder: The folder that stands for the cluster, relative likewise.
        size: Bytes.
        mtime_ns: Time of its last change, nanoseconds.
        inode: Of the file that it is a second name of; None where that is not known.
        link: What a symbolic link says; None for what is no link.
    """

    path: str
    image_id: str
    cluster_id: int | None
    folder: str
    size: int
    mtime_ns: int
    inode: Inode | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that is there now. `link` is None for what is no symbolic link."""

    path: str
    size: int
    mtime_ns: int
    inode: Inode
    link: str | None = None


@dataclass(frozen=True, slots=True)
class RecognisedPhotos:
    """What was known again.

    Attributes:
        paths: For each of the placed photos where it is now: nowhere, at a path, or at several.
        copies: Further files of the same contents, by image.
        unknown_files: Files that are none of the arrangement.
    """

    paths: Sequence[Sequence[str]]
    copies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unknown_files: Sequence[str] = ()


def recognise_photos(
    placed: Sequence[ExpectedPhoto], found: Sequence[FoundFile], identify: Identify
) -> RecognisedPhotos:
    """Tell where each photo is now.

    Args:
        placed: The photos.
        found: The files that are there.
        identify: Asked for the content of a file where nothing cheaper settles it.
    """
    matching = _Matching(placed, found, identify)
    matching.by_key(_link_of_placed, _link_of_found)
    matching.by_key(_inode_of_placed, _inode_of_found)
    matching.by_key(_stamp, _stamp, verify=True)
    matching.by_path()
    return matching.by_content()


def _link_of_placed(photo: ExpectedPhoto) -> Hashable | None:
    return photo.link


def _link_of_found(file: FoundFile) -> Hashable | None:
    return file.link


def _inode_of_placed(photo: ExpectedPhoto) -> Hashable | None:
    return photo.inode


def _inode_of_found(file: FoundFile) -> Hashable | None:
    return file.inode if file.link is None else None


def _stamp(item: ExpectedPhoto | FoundFile) -> Hashable | None:
    return (item.size, item.mtime_ns) if item.link is None else None


class _Matching:
    """Which files are taken for which photos so far."""

    def __init__(
        self, placed: Sequence[ExpectedPhoto], found: Sequence[FoundFile], identify: Identify
    ) -> None:
        self._placed, self._found, self._identify = placed, found, identify
        self._paths: list[list[str]] = [[] for _ in placed]
        self._open = [True] * len(found)

    def by_key(
        self,
        of_placed: Callable[[ExpectedPhoto], Hashable | None],
        of_found: Callable[[FoundFile], Hashable | None],
        *,
        verify: bool = False,
    ) -> None:
        """Take files for the photos that have the same key.

        Args:
            of_placed: The key of a photo; None for none.
            of_found: The key of a file.
            verify: Whether the key proves nothing where the name differs, or where photos of
                different contents share it.
        """
        photos: dict[Hashable, list[int]] = defaultdict(list)
        for row, photo in enumerate(self._placed):
            key = of_placed(photo)
            if key is not None and not self._paths[row]:
                photos[key].append(row)
        files: dict[Hashable, list[int]] = defaultdict(list)
        for number in self._unclaimed():
            key = of_found(self._found[number])
            if key in photos:
                files[key].append(number)
        for key, numbers in files.items():
            for rows, mine in self._by_image(photos[key], numbers, verify=verify):
                self._pair(rows, mine)

    def _by_image(
        self, rows: Sequence[int], numbers: Sequence[int], *, verify: bool
    ) -> Iterator[tuple[list[int], list[int]]]:
        """The photos of one key by their content, each with the files that have it."""
        of_image: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            of_image[self._placed[row].image_id].append(row)
        if not verify:
            yield list(rows), list(numbers)
            return
        only = next(iter(of_image)) if len(of_image) == 1 else None
        names = {_name(self._placed[row].path) for row in rows}
        files: dict[str, list[int]] = defaultdict(list)
        for number in numbers:
            path = self._found[number].path
            is_sure = only is not None and _name(path) in names
            image_id = only if is_sure else self._identify(path)
            if image_id in of_image:
                files[image_id].append(number)
        for image_id, mine in files.items():
            yield of_image[image_id], mine

    def _pair(self, rows: Sequence[int], numbers: Sequence[int]) -> None:
        """Files of one content: each photo has its own where it still lies, then any other."""
        at = {self._placed[row].path: row for row in rows}
        rest = []
        for number in numbers:
            row = at.get(self._found[number].path)
            if row is None:
                rest.append(number)
            else:
                self._claim(row, number)
        free = [row for row in rows if not self._paths[row]]
        for number in rest:
            self._claim(free.pop(0) if free else rows[0], number)

    def by_path(self) -> None:
        """A file that was changed in its place is still the photo that was put there."""
        at = {
            photo.path: row
            for row, photo in enumerate(self._placed)
            if photo.path and not self._paths[row]
        }
        for number in self._unclaimed():
            row = at.get(self._found[number].path)
            if row is not None:
                self._claim(row, number)

    def by_content(self) -> RecognisedPhotos:
        """The files that are left: copies of the photos, or strangers."""
        free: dict[str, list[int]] = defaultdict(list)
        for row, photo in enumerate(self._placed):
            if not self._paths[row]:
                free[photo.image_id].append(row)
        images = {photo.image_id for photo in self._placed}
        copies: dict[str, list[str]] = defaultdict(list)
        unknown_files = []
        for number in self._unclaimed():
            path = self._found[number].path
            image_id = self._identify(path)
            if image_id is None or image_id not in images:
                unknown_files.append(path)
            elif free[image_id]:
                self._claim(free[image_id].pop(0), number)
            else:
                copies[image_id].append(path)
        return RecognisedPhotos(self._paths, dict(copies), unknown_files)

    def _claim(self, row: int, number: int) -> None:
        self._paths[row].append(self._found[number].path)
        self._open[number] = False

    def _unclaimed(self) -> list[int]:
        return [number for number, is_open in enumerate(self._open) if is_open]


def _name(path: str) -> str:
    return path.rpartition("/")[2]
