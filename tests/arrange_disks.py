"""A disk of which only what was synchronised is left: the worst that a power cut may do.

A file has the content of its last synchronisation, a folder the names of its own. What a system
happens to write in time is not counted on.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.arrange_trees import Bomb

_Name = tuple[int, str]
"""The inode that a name leads to; of a symbolic link, the text."""


@dataclass
class PowerCuts:
    """What is on the disk below a folder, and what only seems to be.

    Attributes:
        root: The folder.
        pool: A folder for a second name of each file, so that no inode number is used twice.
        removes_at_once: Whether a file that is removed is so on the disk too, unasked.
        before_sync: Called before each synchronisation; a test dies there.
    """

    root: Path
    pool: Path
    removes_at_once: bool = False
    before_sync: Callable[[], None] = lambda: None
    _names: dict[int, dict[str, _Name]] = field(default_factory=dict)
    _contents: dict[int, bytes] = field(default_factory=dict)

    @contextmanager
    def watching(self, *, fresh: bool = False) -> Iterator[None]:
        """Note what is synchronised.

        Args:
            fresh: Whether the contents of the files that are there are still in memory.
        """
        self.pool.mkdir(exist_ok=True)
        self.sync_all()
        if fresh:
            self._contents.clear()
        mkdir, unlink = os.mkdir, os.unlink

        def make(path: str | Path, mode: int = 0o777) -> None:
            mkdir(path, mode)
            self._names[Path(path).stat().st_ino] = {}

        def remove(path: str | Path, *, dir_fd: int | None = None) -> None:
            unlink(path, dir_fd=dir_fd)
            if self.removes_at_once:
                folder = Path(path).parent if dir_fd is None else Path(f"/proc/self/fd/{dir_fd}")
                self._names[folder.stat().st_ino].pop(Path(path).name, None)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", self._sync)
            patch.setattr(os, "mkdir", make)
            patch.setattr(os, "unlink", remove)
            yield

    def sync_all(self) -> None:
        """Synchronise everything."""
        for folder, _, files in os.walk(self.root):
            for path in (Path(folder), *(Path(folder, name) for name in files)):
                if not path.is_symlink():
                    self._note(str(path))

    def cut(self) -> None:
        """Leave only what was synchronised."""
        number = self.root.stat().st_ino
        self.root.rename(self.pool / f"before the cut {len(list(self.pool.iterdir()))}")
        self._restore(self.root, number)

    def _sync(self, descriptor: int) -> None:
        self.before_sync()
        self._note(f"/proc/self/fd/{descriptor}")

    def _note(self, path: str) -> None:
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            with os.scandir(path) as scan:
                self._names[status.st_ino] = {entry.name: _name_of(entry) for entry in scan}
            return
        self._contents[status.st_ino] = Path(path).read_bytes()
        kept = self.pool / str(status.st_ino)
        if not kept.exists():
            os.link(os.path.realpath(path), kept)

    def _restore(self, folder: Path, number: int) -> None:
        folder.mkdir()
        for name, (inode, text) in self._names[number].items():
            place = folder / name
            if text:
                place.symlink_to(text)
            elif inode in self._names:
                self._restore(place, inode)
            else:
                self._restore_file(place, inode)

    def _restore_file(self, place: Path, number: int) -> None:
        content, kept = self._contents.get(number, b""), self.pool / str(number)
        if kept.exists() and kept.read_bytes() == content:
            place.hardlink_to(kept)
        else:
            place.write_bytes(content)


class VolatileDisk(Bomb):
    """A disk that loses its power at the n-th call."""

    def __init__(self, cuts: PowerCuts, calls: int = 10**9) -> None:
        super().__init__(calls)
        self._sync_disk = lambda _: cuts.sync_all()

    def tick(self) -> None:
        """One call more."""
        self._tick()

    def sync(self, descriptor: int) -> None:
        super().sync(descriptor)
        os.fsync(descriptor)


def files_of(root: Path) -> dict[str, bytes | str]:
    """The files below a folder: the content of each, or the text of a link."""
    found: dict[str, bytes | str] = {}
    for file in sorted(root.rglob("*")):
        name = str(file.relative_to(root))
        if file.is_symlink():
            found[name] = str(file.readlink())
        elif file.is_file():
            found[name] = file.read_bytes()
    return found


def _name_of(entry: os.DirEntry[str]) -> _Name:
    return entry.inode(), str(Path(entry.path).readlink()) if entry.is_symlink() else ""


def forget(folder: Path) -> None:
    """Remove a folder of which nothing is needed any more."""
    shutil.rmtree(folder, ignore_errors=True)
