"""Files and folders that are whole or not there: written beside their place and then moved there.

Whatever stops the writing (a full disk, Ctrl-C, a kill, a power cut), what was at the place before
is there after; once written, it stays through a power cut. What a kill leaves beside the place is
cleared by the next write to it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from organizer.durable import sync_file, sync_folder

_ABANDONED_AFTER = 86_400
"""Seconds without a change after which a half-written file is nobody's any more."""

_SWAP = 60
"""Seconds: far more than the two renames take that put a folder in the place of another."""

_LONGEST_STEM = 200
"""Bytes of a name to which a prefix and a suffix can be added: file systems end at 255."""


@contextmanager
def replace_atomically(to: Path, *, over: bool = True, folder: bool = False) -> Iterator[Path]:
    """A place beside `to` that becomes `to` when the context ends well, and is gone otherwise.

    A link is followed: what it leads to is replaced, and it stays.

    Args:
        to: The target.
        over: Whether what is there is replaced, even what came in the meantime.
        folder: Whether the target is a folder; the place beside it is then there, and empty.

    Raises:
        FileExistsError: There is something at the target, and `over` is False.
        OSError: It cannot be written.
    """
    real = Path(os.path.realpath(to))
    remove_leftovers(real)
    if not over and os.path.lexists(real):
        raise FileExistsError(real)
    partial = _beside(real, "partial")
    try:
        if folder:
            partial.mkdir()
        yield partial
        _sync(partial)
        _take_the_place(partial, real, over=over)
        sync_folder(real.parent)
    finally:
        _remove(partial)


def write_atomically(to: Path, content: bytes, *, over: bool = True) -> Path:
    """A file written as `replace_atomically` does it.

    Raises:
        FileExistsError: See `replace_atomically`.
        OSError: See `replace_atomically`.
    """
    with replace_atomically(to, over=over) as partial:
        partial.write_bytes(content)
    return to


def check_writable(to: Path) -> None:
    """Make sure that a file can be made beside `to`, before the work of which it is the result.

    Folders that are still to be made are passed over.

    Raises:
        OSError: It cannot.
    """
    real = Path(os.path.realpath(to))
    folder = real.parent
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    probe = _beside(folder / real.name, "probe")
    try:
        probe.touch()
    finally:
        _remove(probe)


def remove_leftovers(to: Path) -> None:
    """Remove what a killed process left beside `to`; `replace_atomically` begins with it.

    A folder that was about to be replaced is put back where nothing has taken its place.
    """
    for former in _left(to, "former"):
        with suppress(OSError):
            if not _is_swapping(former):
                _restore(former, to)
    for left in (*_left(to, "partial"), *_left(to, "probe")):
        with suppress(OSError):
            inside = left.iterdir() if left.is_dir() else ()
            last = max(item.lstat().st_mtime for item in (left, *inside))
            if time.time() - last > _ABANDONED_AFTER:
                _remove(left)


def _left(to: Path, what: str) -> list[Path]:
    """What processes that write to a place, or did, have beside it."""
    ours = re.compile(rf"{re.escape(_stem(to))}\.\d+\.{what}")
    try:
        return [file for file in to.parent.iterdir() if ours.fullmatch(file.name)]
    except OSError:  # writing will raise it
        return []


def _restore(former: Path, to: Path) -> None:
    if os.path.lexists(to):
        _remove(former)
    else:
        former.rename(to)


def _is_swapping(former: Path) -> bool:
    """Whether the process that moved a folder aside may be about to put another in its place."""
    number = int(former.name.split(".")[-2])
    if time.time() - former.lstat().st_ctime > _SWAP:
        return False
    if os.name == "nt":
        return True  # where asking for a process would end it
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # it is another user's
    return number != os.getpid()


def _take_the_place(partial: Path, to: Path, *, over: bool) -> None:
    if partial.is_dir():
        _swap(partial, to)
        return
    if over:
        partial.replace(to)
        return
    try:
        os.link(partial, to)  # unlike a rename it replaces nothing that came in the meantime
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(to):
            raise FileExistsError(to) from None
        partial.rename(to)
    else:
        _remove(partial)


def _swap(partial: Path, to: Path) -> None:
    """Put a folder in the place of another, or leave the other there."""
    former = _beside(to, "former")
    with suppress(FileNotFoundError):
        to.rename(former)
    try:
        partial.rename(to)
    except BaseException:
        with suppress(OSError):
            _restore(former, to)
        raise
    sync_folder(to.parent)  # before a power cut could leave neither of them whole
    _remove(former)


def _sync(partial: Path) -> None:
    """Have what was written on the disk before its name is: no crash leaves a name of nothing."""
    if not partial.is_dir():
        sync_file(partial)
        return
    for folder, _, files in os.walk(partial, topdown=False):
        for name in files:
            if (file := Path(folder, name)).is_file():
                sync_file(file)
        sync_folder(folder)


def _beside(to: Path, what: str) -> Path:
    return to.with_name(f"{_stem(to)}.{os.getpid()}.{what}")


def _stem(to: Path) -> str:
    name = os.fsencode(to.name)
    if len(name) > _LONGEST_STEM:
        return f".{hashlib.sha256(name).hexdigest()}"
    return f".{to.name}"


def _remove(place: Path) -> None:
    is_folder = place.is_dir() and not place.is_symlink()
    remove: Callable[[Path], None] = shutil.rmtree if is_folder else Path.unlink
    with suppress(FileNotFoundError):
        remove(place)
