"""Where the content of a damaged file may be had: beside the library, or in a backup."""

from __future__ import annotations

from organizer.identity import file_hash
from organizer.library.backups import BackupFolder
from organizer.store.database import Database
from organizer.store.safety.file_lines import KeptFile


class KeptContents:
    """What is known of the files of a library's tables.

    Args:
        database: The library.
        backup: Backups that may have their contents; None for none.
    """

    def __init__(self, database: Database, backup: BackupFolder | None) -> None:
        self._database, self._backup = database, backup

    def all(self) -> dict[str, KeptFile]:
        """The size and hash of each file, with the content of small ones."""
        return self._database.safety.files.all()

    def has(self, known: KeptFile | None) -> bool:
        """Whether the content of a file can be had."""
        if known is None:
            return False
        if known.content is not None or self._backup is None:
            return known.content is not None
        return self._backup.content(known.hash).is_file()

    def of(self, name: str) -> bytes | None:
        """The content of a file as it was written; None where it cannot be had."""
        known = self.all().get(name)
        if known is None or known.content is not None or self._backup is None:
            return None if known is None else known.content
        try:
            content = self._backup.content(known.hash).read_bytes()
        except OSError:
            return None
        return content if file_hash(content) == known.hash else None
