"""Thumbnails that were made before: in memory, and in a file of the user's cache folder."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from threading import Lock

from blake3 import blake3

VERSION = 1
"""Another one when thumbnails of the same image come out otherwise: it is in their URL."""

SIZES = (96, 192, 384, 768, 1536)
"""Pixels of the longer side."""

_MEMORY = 128 * 1024**2
_FILE = 2 * 1024**3
_KEPT_SIZE = 384
"""Larger ones are made one at a time, when somebody looks: they are not worth the disk."""

_CREATE = """
CREATE TABLE IF NOT EXISTS thumbnails (
    name TEXT PRIMARY KEY,
    jpeg BLOB NOT NULL
)
"""


class ThumbnailCache:
    """JPEGs by image and size. The file is a cache: where it cannot be used, nothing is kept.

    Args:
        folder: The cache folder of this user.
        library: The folder of the library.
        memory: Bytes in memory, at most.
        file: Bytes on the disk, at most.
    """

    def __init__(
        self, folder: Path, library: Path, *, memory: int = _MEMORY, file: int = _FILE
    ) -> None:
        name = blake3(str(library).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self._path = folder / "thumbnails" / f"{name}-{VERSION}.sqlite"
        self._memory, self._file = memory, file
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None

    def get(self, image_id: str, size: int, *, turns: int = 0) -> bytes | None:
        """A thumbnail that was made before.

        Args:
            image_id: The image.
            size: Pixels of the longer side.
            turns: As `organizer.store.PhotoTables.turns`: an image may be rotated by now.
        """
        name = _name(image_id, size, turns)
        with self._lock:
            if name in self._recent:
                self._recent.move_to_end(name)
                return self._recent[name]
            with suppress(sqlite3.Error, OSError):
                query = "SELECT jpeg FROM thumbnails WHERE name = ?"
                row = self._opened().execute(query, [name]).fetchone()
                if row is not None:
                    self._remember(name, row[0])
                    return bytes(row[0])
        return None

    def put(self, image_id: str, size: int, jpeg: bytes, *, turns: int = 0) -> None:
        """Keep a thumbnail; see `get`."""
        name = _name(image_id, size, turns)
        with self._lock:
            self._remember(name, jpeg)
            if size > _KEPT_SIZE:
                return
            with suppress(sqlite3.Error, OSError):
                connection = self._opened()
                connection.execute("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", [name, jpeg])
                connection.commit()
                self._make_room(connection)

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _remember(self, name: str, jpeg: bytes) -> None:
        self._bytes += len(jpeg) - len(self._recent.pop(name, b""))
        self._recent[name] = jpeg
        while self._bytes > self._memory and len(self._recent) > 1:
            self._bytes -= len(self._recent.popitem(last=False)[1])

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, check_same_thread=False, timeout=1.0)
            # A power cut may cost what was made last: it is made again.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(_CREATE)
            self._connection = connection
        return self._connection

    def _make_room(self, connection: sqlite3.Connection) -> None:
        """Remove the oldest tenth where the file has become too large."""
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size <= self._file:
            return
        connection.execute(
            "DELETE FROM thumbnails WHERE rowid IN (SELECT rowid FROM thumbnails ORDER BY rowid "
            "LIMIT (SELECT count(*) / 10 + 1 FROM thumbnails))"
        )
        connection.commit()  # the room is used for the next ones


def _name(image_id: str, size: int, turns: int) -> str:
    return f"{image_id}-{size}-{turns}" if turns else f"{image_id}-{size}"
