"""Absolute and relative paths of exports."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from organizer.types import ExportInfo


def exported_paths(paths: Iterable[str], about: ExportInfo) -> tuple[str, ...]:
    """Absolute paths, or paths relative to the folder that the user chose."""
    return tuple(paths) if about.relative_to is None else relative(paths, about.relative_to)


def relative(paths: Iterable[str], folder: Path) -> tuple[str, ...]:
    """Make paths relative to a folder, with forward slashes; ``..`` leads out of it.

    A path on another drive of Windows stays absolute.
    """
    above = str(folder)
    prefix = above if above.endswith(os.sep) else above + os.sep
    return tuple(
        _posix(path[len(prefix) :] if path.startswith(prefix) else _outside(path, above))
        for path in paths
    )


def _outside(path: str, folder: str) -> str:
    try:
        return os.path.relpath(path, folder)
    except ValueError:  # another drive
        return path


def _posix(path: str) -> str:
    return path.replace(os.sep, "/")
