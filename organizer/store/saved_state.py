"""One state of a library as files: its journal, and the files of the tables that it names."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from organizer.store.lance_errors import translated
from organizer.store.lance_files import version_files
from organizer.store.repair.tables import files_in_version

_READ = frozenset({"manifest", "data file", "deletion file", "index file"})
"""Kinds of files without which a version cannot be read."""


@dataclass(frozen=True, slots=True)
class SavedState:
    """A state of a library.

    Attributes:
        path: The library's folder.
        journal: The bytes of its journal.
        revision: The revision of the journal.
        versions: The version of each table.
    """

    path: Path
    journal: bytes
    revision: int
    versions: dict[str, int]

    @classmethod
    def of(cls, path: Path, journal: bytes) -> SavedState:
        """The state that the bytes of a journal say."""
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(journal)
            versions = dict(connection.execute("SELECT name, version FROM table_versions"))
            (revision,) = connection.execute("SELECT revision FROM state").fetchone()
        return cls(path, journal, revision, versions)

    def table_files(self) -> Iterator[str]:
        """The files of the tables, by their paths in the library's folder.

        Raises:
            StoreError: A table cannot be read: it is damaged, or that version is gone by now.
        """
        import lance

        for name, version in sorted(self.versions.items()):
            folder = self.path / f"{name}.lance"
            with translated(self.path):
                dataset = lance.dataset(str(folder), version=version)
                files = files_in_version(dataset)
            for file, kind in sorted(files.items()):
                if kind in _READ:
                    yield f"{folder.name}/{file}"
            if version not in version_files(folder):
                raise FileNotFoundError(folder / "_versions" / str(version))
