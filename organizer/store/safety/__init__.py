"""Safety copies: what is kept in the library's folder to find and mend damage, folder `safety`.

They are made by each writer after its commit and are derived from it: they may be deleted, lag
behind after a kill, and are then made anew. `organizer doctor` reads them.

- `files.jsonl`: the hash of each file of the tables, with the content of small ones.
- `journal.sqlite`: the journal as it was after the last write.
- `arrangements/`: the journals of arrangements.
- `decisions-TIME.jsonl`: all that people decided, in readable lines; one a day, ten are kept.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from organizer.durable import make_folders
from organizer.errors import StoreError
from organizer.store.safety.arrangement_copies import ArrangementCopies
from organizer.store.safety.decision_lines import DecisionLines, TableRows
from organizer.store.safety.file_lines import FileLines
from organizer.store.safety.journal_copy import JournalCopy, JournalSource
from organizer.store.safety.sealed_lines import is_whole

__all__ = [
    "SAFETY",
    "ArrangementCopies",
    "DecisionLines",
    "FileLines",
    "JournalCopy",
    "SafetyCopies",
]

SAFETY = "safety"
"""The folder, in that of the library."""


class SafetyCopies:
    """The safety copies of one library, written by whoever holds it for writing.

    Args:
        path: The library's folder.
        journal: Its journal.
        roots: Reads the roots, which are needed to tell where images were.
    """

    def __init__(self, path: Path, journal: JournalSource, roots: TableRows) -> None:
        self._folder = path / SAFETY
        self._journal = journal
        self.files = FileLines(path, self._folder)
        self.journal = JournalCopy(self._folder, journal)
        self.arrangements = ArrangementCopies(path, self._folder)
        self.decisions = DecisionLines(self._folder, journal, self._roots_now)
        self._roots = roots
        self._roots_read: tuple[int, list[dict[str, Any]]] | None = None
        self._revision = -1
        self._versions: dict[str, int] = {}

    def follow(self) -> None:
        """Bring the copies up to what is committed.

        What was asked for is committed by then: where the disk has no room for them, the next
        writer makes them.
        """
        with suppress(OSError, StoreError):
            revision = self.journal.revision()
            if revision != self._revision:
                make_folders(self._folder)
                versions = self._table_versions()
                if versions != self._versions:  # most decisions write no table
                    self.files.follow()
                self._versions = versions
                self.decisions.follow()
                self.journal.follow()
                self.arrangements.follow()
                self._revision = revision

    def damaged(self) -> list[Path]:
        """The copies that are not as they were written."""
        lines = [self.files.file, *self.decisions.files()]
        found = [file for file in lines if file.exists() and not is_whole(file)]
        if self.journal.file.exists() and self.journal.state() is None:
            found.append(self.journal.file)
        return found

    def _table_versions(self) -> dict[str, int]:
        rows = self._journal.rows("SELECT name, version FROM table_versions")
        return {row["name"]: row["version"] for row in rows}

    def _roots_now(self) -> list[dict[str, Any]]:
        version = self._versions.get("roots", 0)
        if self._roots_read is None or self._roots_read[0] != version:
            self._roots_read = version, self._roots()
        return self._roots_read[1]
