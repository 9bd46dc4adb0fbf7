"""JSON lines with a check of themselves: one that was changed or cut is told from the rest."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from blake3 import blake3

from organizer.atomic import write_atomically
from organizer.durable import sync_file

Line = dict[str, Any]

_CHECK_BYTES = 4
_LONGEST_LAST = 1 << 16
_HASH_BYTES = 16


def seal(row: Line) -> bytes:
    """A row as a line, its check at the end. Names of files that are no text stay what they are."""
    body = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    encoded = body.encode("utf-8", "surrogateescape")
    return b'%s,"check":"%s"}\n' % (encoded[:-1], _check(encoded))


def open_seal(line: bytes) -> Line | None:
    """The row of a line; None where it is not as it was written."""
    body, found, check = line.rstrip(b"\n").rpartition(b',"check":"')
    body += b"}"
    if not found or check != _check(body) + b'"}':
        return None
    row: Line = json.loads(body.decode("utf-8", "surrogateescape"))
    return row


def read_lines(file: Path) -> Iterator[Line]:
    """The rows of a file that are as they were written; none where there is no file."""
    return (row for row in checked_lines(file) if row is not None)


def checked_lines(file: Path) -> Iterator[Line | None]:
    """The rows of a file, None for each line that is not as it was written; none without a file."""
    try:
        with file.open("rb") as lines:
            yield from map(open_seal, lines)
    except FileNotFoundError:
        return


def is_whole(file: Path) -> bool:
    """Whether each line of a file is as it was written; of one that is not there it is not."""
    try:
        return file.exists() and None not in checked_lines(file)
    except OSError:
        return False


def last_line(file: Path) -> Line | None:
    """The last row of a file; None where it was cut, or there is none."""
    try:
        with file.open("rb") as lines:
            size = lines.seek(0, os.SEEK_END)
            lines.seek(max(0, size - _LONGEST_LAST))
            last = lines.read()
    except OSError:
        return None
    if not last.endswith(b"\n"):
        return None
    return open_seal(last[:-1].rpartition(b"\n")[2])


def append_lines(file: Path, rows: Iterable[Line], *, durably: bool = False) -> None:
    """Add rows to a file.

    Args:
        file: The file.
        rows: The rows.
        durably: Whether they are on the disk after that.
    """
    with file.open("ab") as lines:
        lines.write(b"".join(map(seal, rows)))
    if durably:
        sync_file(file)


def write_lines(file: Path, rows: Iterable[Line]) -> None:
    """Write a file of rows, which is whole or not there."""
    write_atomically(file, b"".join(map(seal, rows)))


def content_digest(file: Path) -> tuple[int, str]:
    """The size and the hash of a file; as `organizer.identity.file_hash`, read in parts.

    Raises:
        OSError: It cannot be read.
    """
    found, size = blake3(), 0
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            found.update(block)
            size += len(block)
    return size, found.hexdigest(_HASH_BYTES)


def _check(body: bytes) -> bytes:
    return blake3(body).hexdigest(_CHECK_BYTES).encode()
