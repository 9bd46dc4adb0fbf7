"""The files of a Lance table: which versions there are, and what a transaction has added.

The layout is that of the Lance table format (https://lance.org/format/table/versioning/): a version
is a file in ``_versions``, named by its number, or by the difference of it to the largest number.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from organizer.durable import sync_file, sync_folder

_VERSIONS = "_versions"
_SUFFIX = ".manifest"
_LARGEST = 2**64 - 1
_HINT = "latest_version_hint.json"


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The files of a table, as they were when this was made.

    Attributes:
        folder: The folder of the table.
        existed: Whether it was there.
        names: The paths of its files.
    """

    folder: Path
    existed: bool
    names: frozenset[str]

    @classmethod
    def read(cls, folder: Path) -> TableFiles:
        """List the files of a table, which may not be there yet."""
        return cls(folder, folder.is_dir(), frozenset(_files(folder)))

    def sync_added(self) -> None:
        """Have the files that came since on the disk, and the folders that name them."""
        added = [Path(name) for name in _files(self.folder) if name not in self.names]
        for file in added:
            sync_file(file)
        folders = {file.parent for file in added}
        inside = (parent for folder in folders for parent in folder.parents)
        folders |= {parent for parent in inside if parent.is_relative_to(self.folder)}
        for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
            sync_folder(folder)

    def remove_added(self) -> None:
        """Remove the files that came since."""
        for name in _files(self.folder):
            if name not in self.names:
                Path(name).unlink(missing_ok=True)
        if not self.existed:
            remove_table(self.folder)


def remove_newer(folder: Path, version: int) -> bool:
    """Remove the versions of a table that were never committed; whether there were any."""
    newer = [file for number, file in _versions(folder) if number > version]
    if newer:
        (folder / _VERSIONS / _HINT).unlink(missing_ok=True)
        for file in newer:
            file.unlink(missing_ok=True)
        sync_folder(folder / _VERSIONS)
    return bool(newer)


def has_version(folder: Path, version: int) -> bool:
    """Whether a version of a table is there."""
    return any(number == version for number, _ in _versions(folder))


def version_files(folder: Path) -> dict[int, Path]:
    """The file of each version of a table that is there."""
    return dict(_versions(folder))


def places_of(folder: Path, version: int) -> tuple[Path, Path]:
    """Where the file of a version of a table may lie, whether it is there or not."""
    names = f"{_LARGEST - version:020d}", f"{version}"
    first, second = (folder / _VERSIONS / f"{name}{_SUFFIX}" for name in names)
    return first, second


def version_stamp(folder: Path, version: int) -> tuple[int, ...] | None:
    """What tells the file of a version from another one of the same number; None where it is gone.

    A table that is removed and made again begins with the same numbers.
    """
    for name in (f"{_LARGEST - version:020d}", f"{version}"):
        try:
            found = os.stat(f"{folder}/{_VERSIONS}/{name}{_SUFFIX}")  # noqa: PTH116 - quicker
        except FileNotFoundError:
            continue
        return found.st_ino, found.st_mtime_ns, found.st_size
    return None


def remove_table(folder: Path) -> None:
    """Remove a table with all that is in it."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _versions(folder: Path) -> Iterator[tuple[int, Path]]:
    try:
        names = os.listdir(folder / _VERSIONS)  # noqa: PTH208 - names are all that is needed
    except FileNotFoundError:
        return
    for name in names:
        stem = name.removesuffix(_SUFFIX)
        if stem != name and stem.isdecimal():
            number = int(stem)
            yield (
                (number if number < _LARGEST // 2 else _LARGEST - number),
                folder / _VERSIONS / name,
            )


def _files(folder: Path) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        elif entry.name != _HINT:
            yield entry.path
