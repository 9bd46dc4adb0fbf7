"""Reads the first and the last line of a journal, without its plan."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from organizer.arrange.types import ArrangeMode

_CHUNK = 1 << 16


def folder_of(file: Path) -> Path | None:
    """The folder of an arrangement; None where the journal cannot be read."""
    with suppress(OSError, ValueError, KeyError, TypeError), file.open("rb") as journal:
        return Path(json.loads(journal.readline())["to"])
    return None


def is_move(file: Path) -> bool:
    """Whether an arrangement moves its files; False where the journal cannot be read."""
    with suppress(OSError, ValueError, KeyError, TypeError), file.open("rb") as journal:
        return bool(json.loads(journal.readline())["mode"] == ArrangeMode.MOVE)
    return False


def has_ended(file: Path) -> bool:
    """Whether the last entry of a journal is the end of an apply or an undo.

    False for an incomplete or unreadable line: `journal.read_journal` reports the reason.
    """
    with suppress(OSError, ValueError):
        return "end" in json.loads(_last_line(file))
    return False


def _last_line(file: Path) -> bytes:
    with file.open("rb") as journal:
        journal.seek(0, os.SEEK_END)
        begin = journal.tell()
        data = b""
        while begin > 0 and data.rstrip(b"\n").count(b"\n") == 0:
            size = min(_CHUNK, begin)
            begin -= size
            journal.seek(begin)
            data = journal.read(size) + data
        if not data.endswith(b"\n"):
            return b""
        return data.rstrip(b"\n").rpartition(b"\n")[2]
