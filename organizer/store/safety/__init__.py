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

from organizer.durable import make_folders
from organizer.errors import StoreError
from organizer.store.safety.arrangement_copies import ArrangementCopies
from organizer.store.safety.decision_lines import DecisionLines, TableRows
from organizer.store.safety.file_lines import FileLines
from organizer.store.safety.journal_copy import JournalCopy, JournalSource

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
        self.files = FileLines(path, self._folder)
        self.journal = JournalCopy(self._folder, journal)
        self.arrangements = ArrangementCopies(path, self._folder)
        self.decisions = DecisionLines(self._folder, journal, roots)
        self._revision = -1

    def follow(self) -> None:
        """Bring the copies up to what is committed.

        What was asked for is committed by then: where the disk has no room for them, the next
        writer makes them.
        """
        with suppress(OSError, StoreError):
            revision = self.journal.revision()
            if revision != self._revision:
                make_folders(self._folder)
                self.files.follow()
                self.decisions.follow()
                self.journal.follow()
                self.arrangements.follow()
                self._revision = revision
