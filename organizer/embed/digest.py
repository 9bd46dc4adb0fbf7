"""The SHA-256 of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path


def what_is_wrong(path: Path, *, sha256: str) -> str:
    """Why a file is not the one that was released; "" where it is."""
    try:
        sound = file_digest(path) == sha256
    except OSError as error:
        return f"{path}: {error.strerror}"
    return "" if sound else f"{path} is not the file that was released"


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
