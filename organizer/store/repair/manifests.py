"""The manifest of a library: without it a folder is none."""

from __future__ import annotations

from pathlib import Path

from organizer.errors import StoreError
from organizer.store.database import Database, now
from organizer.store.manifest import MANIFEST, read_manifest, write_manifest
from organizer.store.repair.aside import Aside
from organizer.store.schemas import SCHEMA_VERSION, TABLES


def examine_manifest(path: Path) -> str:
    """What is wrong with the manifest; empty where nothing is.

    Raises:
        StoreError: It is that of a newer organizer.
    """
    if not (path / MANIFEST).is_file():
        return "it is not there"
    try:
        read_manifest(path)
    except StoreError as error:
        if "newer" in error.message:
            raise
        return "it cannot be read"
    return ""


def require_current_format(path: Path) -> None:
    """Make sure that a library is not one of another format, if that can be told.

    Raises:
        StoreError: It is.
    """
    if examine_manifest(path):
        return
    schema = read_manifest(path).schema
    if schema != SCHEMA_VERSION:
        raise StoreError(
            f"the library {path} is of format {schema}, and is examined in format {SCHEMA_VERSION}",
            "organizer status brings it there; what was decided is copied before",
        )


def complete_manifest(path: Path, aside: Aside) -> bool:
    """Write the manifest of a library whose journal is one of the current format.

    Returns:
        Whether it was; a library whose making was interrupted has no tables yet.
    """
    database = Database(path)
    try:
        names = {row["name"] for row in database.journal.rows("SELECT name FROM table_versions")}
        # The last table that came with a format: an older one has none of this name.
        database.journal.rows("SELECT * FROM former_ids LIMIT 1")
    except StoreError:
        return False
    finally:
        database.close()
    if not TABLES.keys() <= names:
        return False
    aside.move(path / MANIFEST)
    write_manifest(path, now())
    return True
