"""Paths as text, in the form in which the library keeps them: with forward slashes."""

from __future__ import annotations

import os
from pathlib import PurePath


def folder_prefix(folder: PurePath) -> str:
    """What the path of every file in a folder begins with, also for a whole drive (``D:/``)."""
    return folder.as_posix().rstrip("/") + "/"


def path_below(folder: PurePath, file: PurePath) -> str:
    """The path of a file relative to a folder above it."""
    return file.as_posix()[len(folder_prefix(folder)) :]


def native_path(path: str) -> str:
    """A path with the separators of this system."""
    return path if os.sep == "/" else path.replace("/", os.sep)


def mark_missing(text: str, *, missing: bool) -> str:
    """A path as it is shown to a person: marked where no file was there when last looked for."""
    return f"{text} (missing)" if missing else text
