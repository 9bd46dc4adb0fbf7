"""Trees of files for the tests of arrangements: how they were, and a disk that fails on demand."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blake3 import blake3

from organizer.arrange import ArrangeItem, ArrangeMode, ArrangePlan, Disk, Value

T0 = 1_700_000_000_123_456_789


class KilledError(BaseException):
    """The process is killed here."""


class Bomb(Disk):
    """The real disk, on which the process dies at the n-th call: before it, or half way."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls = calls

    @property
    def is_dead(self) -> bool:
        return self.calls < 0

    def _tick(self) -> None:
        if self.is_dead:
            raise AssertionError("the dead do nothing")
        self.calls -= 1
        if self.calls < 0:
            raise KilledError

    def sync(self, descriptor: int) -> None:  # noqa: ARG002
        self._tick()  # what dies is the process, not the machine: a real wait would show nothing

    def write(self, descriptor: int, data: bytes) -> None:
        try:
            self._tick()
        except KilledError:
            os.write(descriptor, data[: len(data) // 2])
            raise
        super().write(descriptor, data)


def _ticking(name: str) -> Any:
    real = getattr(Disk, name)

    def call(self: Bomb, *arguments: Any) -> Any:
        self._tick()
        return real(self, *arguments)

    return call


for _name in (
    "link", "symlink", "rename", "link_as_it_is", "hold", "replace", "copy", "sync_folder",
    "remove", "make_folder", "remove_folder", "set_time",
):  # fmt: skip
    setattr(Bomb, _name, _ticking(_name))


class WithoutRename(Bomb):
    """A system that has no call which renames and never replaces."""

    def __init__(self, calls: int = 10**9) -> None:
        super().__init__(calls)
        self._rename_new = None


class Fat(WithoutRename):
    """A card on which no file has two names."""

    def link(self, source: str, target: str) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", source, None, target)

    def link_as_it_is(self, source: str, target: str) -> None:
        self.link(source, target)


def make(file: Path, content: bytes, *, age: int = 0, mode: int = 0o644) -> Path:
    """A file with a time of its own."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)
    os.utime(file, ns=(T0, T0 + age * 1_000_000_007))
    return file


def set_folder_times(top: Path) -> None:
    """Give every folder a time that nothing could have by chance."""
    for number, (folder, _, _) in enumerate(os.walk(top, topdown=False)):
        os.utime(folder, ns=(T0, T0 - number * 1_000_000_009))


def snapshot(
    top: Path, *, times: bool = True, inodes: bool = True
) -> dict[str, tuple[object, ...]]:
    """All that is below a folder, and it: kind, mode, bytes, times, link texts, which file."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(top):
        for name in (".", *folders, *files):
            path = os.path.normpath(f"{folder}/{name}")
            status = os.lstat(path)
            told: tuple[object, ...] = (stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode))
            if stat.S_ISLNK(status.st_mode):
                told += (str(Path(path).readlink()),)
            elif stat.S_ISREG(status.st_mode):
                told += (Path(path).read_bytes(), status.st_mtime_ns)
                told += (status.st_dev, status.st_ino, status.st_nlink) if inodes else ()
            elif times:
                told += (status.st_mtime_ns,)
            found[os.path.relpath(path, top)] = told
    return found


def item_of(
    file: Path, *, below: str = "", cluster_id: int | None = 1, **fields: Value
) -> ArrangeItem:
    """A file as the library knows it."""
    status = file.stat()
    image_id = blake3(file.read_bytes()).hexdigest(16)
    return ArrangeItem(
        image_id, file, status.st_size, status.st_mtime_ns, below, cluster_id, fields
    )


def require_arranged(plan: ArrangePlan, contents: Mapping[Path, bytes]) -> None:
    """Every step of a plan is done, and no source is lost."""
    for step in (*plan.steps, *plan.there):
        target = step.target
        if plan.mode is ArrangeMode.SYMLINK:
            assert target.readlink() == step.source
        else:
            assert stat.S_ISREG(target.lstat().st_mode)
        if plan.mode is ArrangeMode.LINK:
            assert target.samefile(step.source)
        assert target.read_bytes() == contents[step.source]
        assert target.stat().st_mtime_ns == step.mtime_ns
        assert os.path.lexists(step.source) == (plan.mode is not ArrangeMode.MOVE)
