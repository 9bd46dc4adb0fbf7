"""Where the last read-back found the photos of arrangements: what the next is compared with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from organizer.atomic import write_atomically
from organizer.errors import StoreError

_FILE = "read-back.json"


@dataclass(frozen=True, slots=True)
class SeenPhoto:
    """A photo as the last read-back found it.

    Attributes:
        path: Relative to the arranged folder; "" where it was gone.
        folder: The folder of its cluster.
        cluster_id: That cluster; None for none.
    """

    path: str
    folder: str
    cluster_id: int | None


PhotoKey = tuple[str, str]
"""The name of a journal, and where the arrangement put the photo."""


def load_seen(folder: Path) -> dict[PhotoKey, SeenPhoto]:
    """Load where the last read-back found the photos; empty where there was none.

    Raises:
        StoreError: The file is damaged.
    """
    file = folder / _FILE
    if not file.exists():
        return {}
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return {(name, target): SeenPhoto(*seen) for name, target, seen in rows}
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(
            f"{file} cannot be read",
            f"put back a copy of it, or rename it to {file.name}.damaged: the next read-back then "
            "compares with the arrangement as it was made; --dry-run shows first what that changes",
        ) from error


def save_seen(folder: Path, seen: Mapping[PhotoKey, SeenPhoto]) -> None:
    """Store where the photos were found, in place of all that was stored."""
    rows = [[name, target, astuple(photo)] for (name, target), photo in seen.items()]
    write_atomically(folder / _FILE, json.dumps(rows, ensure_ascii=True).encode())
