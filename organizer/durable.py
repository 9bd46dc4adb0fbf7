"""Files and folders written through to the disk, so that they are there after a power cut."""

from __future__ import annotations

import os
from pathlib import Path


def sync_file(file: Path) -> None:
    """Have the content of a file on the disk.

    Raises:
        OSError: It cannot be written.
    """
    descriptor = os.open(file, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk: those that came, and those that went.

    Windows writes names through by itself and cannot be asked to.

    Raises:
        OSError: It cannot be written.
    """
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
