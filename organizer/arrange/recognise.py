"""Recognises arranged photos that a person may have moved or renamed.

A hard link by its inode, a symbolic link by its target, another file by its size and modification
time; by its content where these do not decide: another name, a copy, two photos of one size and
time. A file is never matched by its name alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Inode = tuple[int, int]
"""The device and the inode number of a file."""

Identify = Callable[[str], str | None]
"""The image that the file at a path holds; None where it cannot be read, or holds none of them."""


@dataclass(frozen=True, slots=True)
class ExpectedPhoto:
    """A photo where an arrangement put it, or where the last read-back found it.

    Attributes:
        path: Relative to the arranged folder, with forward slashes; "" where it was gone.
        image_id: The image that it holds.
        cluster_id: The cluster that its folder stands for; None for no cluster.
        folder: The folder that stands for the cluster, relative likewise.
        size: Bytes.
        mtime_ns: Modification time, nanoseconds.
        inode: Of a hard link; None where unknown.
        link: The target of a symbolic link; None for any other file.
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
    """A file in the arranged folder; `link` is the target of a symbolic link, otherwise None."""

    path: str
    size: int
    mtime_ns: int
    inode: Inode
    link: str | None = None


@dataclass(frozen=True, slots=True)
class RecognisedPhotos:
    """Where the photos are now.

    Attributes:
        paths: The paths of each placed photo: none, one or several.
        copies: Further files of the same content, by image.
        unknown_files: Files that do not belong to the arrangement.
    """

    paths: Sequence[Sequence[str]]
    copies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unknown_files: Sequence[str] = ()


def recognise_photos(
    placed: Sequence[ExpectedPhoto], found: Sequence[FoundFile], identify: Identify
) -> RecognisedPhotos:
    """Find where each photo is now.

    Args:
        placed: The photos.
        found: The files in the arranged folder.
        identify: Called for the content of a file where nothing cheaper decides.
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
    """The matches of files and photos so far."""

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
        """Match files and photos that have the same key.

        Args:
            of_placed: The key of a photo; None for none.
            of_found: The key of a file.
            verify: Whether to compare contents where the name differs, or where photos of
                different contents share the key.
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
        """Group the photos and files of one key by content."""
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
        """Match files and photos of one content: first those at the same path, then the rest."""
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
        """Match by path: a file that was edited in its place is still the same photo."""
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
        """Match the remaining files by content, as copies of the photos or unknown files."""
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
