"""The manifest of a library, `library.json`: a folder with it is a library."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from organizer.atomic import write_atomically
from organizer.distribution import DISTRIBUTION
from organizer.errors import StoreError
from organizer.store.lance_errors import damaged, explain
from organizer.store.schemas import SCHEMA_VERSION

MANIFEST = "library.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The format and age of a library.

    Attributes:
        schema: The format of its tables.
        created_at: When it was made, as `now` writes it; empty where it is not known.
    """

    schema: int
    created_at: str


def read_manifest(path: Path) -> Manifest:
    """The manifest of a library.

    Raises:
        StoreError: It is damaged, or newer than this program.
    """
    try:
        kept = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest(int(kept["schema"]), str(kept.get("created_at", "")))
    except OSError as error:
        cause = explain(path, error) or damaged(path, f"{MANIFEST} cannot be read")
        raise cause from error
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise damaged(path, f"{MANIFEST} cannot be read") from error
    if manifest.schema > SCHEMA_VERSION:
        raise StoreError(
            f"the library {path} was written by a newer organizer (format {manifest.schema}, this "
            f"one knows {SCHEMA_VERSION})",
            f"update organizer: pip install --upgrade {DISTRIBUTION}",
        )
    return manifest


def write_manifest(path: Path, created_at: str) -> None:
    """Declare a folder a library of the current format; it is one after a power cut as well."""
    manifest = {"schema": SCHEMA_VERSION, "created_at": created_at}
    write_atomically(path / MANIFEST, f"{json.dumps(manifest)}\n".encode())
