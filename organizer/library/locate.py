"""Locate a library: named by the user, or found upwards from the current folder."""

from __future__ import annotations

from pathlib import Path

from organizer.errors import SettingsError, StoreError
from organizer.store import Store

LIBRARY_FOLDER = ".organizer"


def library_path(named: Path) -> Path:
    """The folder of a library that is named by itself or by the folder that holds it.

    Raises:
        SettingsError: The path begins with the home of a user who does not exist.
    """
    try:
        named = named.expanduser().absolute()
    except RuntimeError as error:
        raise SettingsError(f"there is no folder {named}", "check the path") from error
    if named.name == LIBRARY_FOLDER or Store.is_library(named):
        return named
    return named / LIBRARY_FOLDER


def find_library(named: Path | None, *, below: Path) -> Path | None:
    """Find the library that a command works on; None where there is none yet.

    Args:
        named: What the user named with --library or ORGANIZER_LIBRARY.
        below: The current folder; the search goes upwards from here.
    """
    if named is not None:
        path = library_path(named)
        return path if path.is_dir() and any(path.iterdir()) else None
    start = below.absolute()
    for folder in (start, *start.parents):
        if Store.is_library(folder / LIBRARY_FOLDER):
            return folder / LIBRARY_FOLDER
    return None


def find_remains(named: Path | None, *, below: Path) -> Path | None:
    """As `find_library`, of a library that may have lost any of its files."""
    if named is not None:
        found = find_library(named, below=below)
        return found if found is not None and _has_remains(found) else None
    start = below.absolute()
    folders = (folder / LIBRARY_FOLDER for folder in (start, *start.parents))
    return next((folder for folder in folders if _has_remains(folder)), None)


def _has_remains(path: Path) -> bool:
    names = ("library.json", "journal.sqlite", "safety", "*.lance")
    return any(True for name in names for _ in path.glob(name))


def require_library(named: Path | None, *, below: Path) -> Path:
    """As `find_library`, where there has to be one.

    Raises:
        StoreError: There is none.
    """
    path = find_library(named, below=below)
    if path is None:
        where = f"at {library_path(named)}" if named else f"in {below} or above it"
        raise StoreError(f"there is no library {where}", "make one: organizer ingest FOLDER")
    return path
