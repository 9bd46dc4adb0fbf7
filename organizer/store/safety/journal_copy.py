"""A copy of the journal as it was after the last write.

The copy shows whether a byte of the journal has changed since, and takes its place where one has.
A large journal is copied less often than it is written; what is decided in between is in
`decision_lines` all the same.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from organizer.identity import file_hash
from organizer.store.safety.sealed_lines import last_line, seal

_LARGE = 1024**2
"""Bytes from which a journal is not copied after every write."""
_BYTES_A_SECOND = 50_000
"""Of a large one are copied at most, on the average: what is decided often costs a disk little."""


class JournalSource(Protocol):
    """What is asked of the journal of a library."""

    file: Path

    def revision(self) -> int:
        """A number that is another one after every commit."""
        ...

    def image(self) -> bytes:
        """The bytes of the file, as they are committed."""
        ...

    def rows(self, query: str, values: Any = ..., /) -> list[dict[str, Any]]:
        """The rows of a query."""
        ...


@dataclass(frozen=True, slots=True)
class CopyState:
    """What the copy of a journal is.

    Attributes:
        revision: The revision of the journal then.
        hash: The hash of its bytes.
    """

    revision: int
    hash: str


class JournalCopy:
    """The copy of one library's journal.

    Args:
        folder: That of the safety copies.
        journal: The journal.
    """

    def __init__(self, folder: Path, journal: JournalSource) -> None:
        self._journal = journal
        self.file = folder / "journal.sqlite"
        self._about = folder / "journal.jsonl"

    def revision(self) -> int:
        """The revision of the journal now."""
        return self._journal.revision()

    def follow(self) -> None:
        """Copy the journal."""
        if self._is_due():
            image = self._journal.image()
            self._about.unlink(missing_ok=True)  # first: it is of the copy that goes
            partial = self.file.with_suffix(".partial")
            partial.write_bytes(image)
            partial.replace(self.file)
            # Not flushed: what a power cut leaves of either does not fit the other.
            self._about.write_bytes(seal({"revision": self.revision(), "hash": file_hash(image)}))

    def _is_due(self) -> bool:
        size = self._journal.file.stat().st_size
        if size <= _LARGE:
            return True
        try:
            return abs(time.time() - self.file.stat().st_mtime) > size / _BYTES_A_SECOND
        except FileNotFoundError:
            return True

    def state(self) -> CopyState | None:
        """What the copy is; None where there is none, or it is not as it was written."""
        about = last_line(self._about)
        try:
            image = self.file.read_bytes()
        except OSError:
            return None
        if about is None or file_hash(image) != about["hash"]:
            return None
        return CopyState(about["revision"], about["hash"])
