"""Files and names that survive a power cut: what was synchronised is on the disk.

A system keeps what is written in memory for a while. The content of a file and the names in a
folder are two things: a new file is safe when both it and its folder were synchronised, and a
file that moved when both folders were, the new one first.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

_NOT_POSSIBLE = frozenset(
    [
        errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF,
        errno.EACCES, errno.EPERM,
    ]
)  # fmt: skip
"""Errors of disks that cannot synchronise a folder, and of folders that may not be opened."""


def sync_file(path: str | Path) -> None:
    """Synchronise the content of a file to the disk.

    Raises:
        OSError: It cannot be opened, or the disk could not write it.
    """
    # Windows synchronises only what may be written; elsewhere read-only photos can be as well.
    _sync(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)


def sync_folder(path: str | Path) -> None:
    """Synchronise the names in a folder to the disk, where the system can do that.

    Windows has no such call. Some network disks have none either, and then nothing is done.

    Raises:
        OSError: There is no such folder, or the disk could not write it.
    """
    if os.name == "nt":
        return
    try:
        _sync(path, os.O_RDONLY)
    except OSError as error:
        if error.errno not in _NOT_POSSIBLE:
            raise


def make_folders(path: Path) -> None:
    """Make a folder and those above it where they are missing, so that they survive a power cut.

    Raises:
        OSError: One cannot be made.
    """
    missing = []
    while not path.is_dir() and path != path.parent:
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def _sync(path: str | Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
