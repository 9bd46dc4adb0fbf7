"""A LanceDB database in one folder: tables at versions, transactions, one writer at a time, upkeep.

LanceDB creates, appends, changes and searches; pylance, which reads the same files and is imported
in a third of the time, does the plain reads and the upkeep. The journal says which version of each
table is committed: a transaction writes new versions, has their files on the disk, and one commit
of the journal commits all of them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from organizer.durable import make_folders, sync_folder
from organizer.errors import SettingsError, StoreError
from organizer.store.conditions import one_of, one_of_pairs
from organizer.store.ids import IdArray, unpack_ids
from organizer.store.journal import JOURNAL, LibraryJournal
from organizer.store.lance_errors import damaged, require_there, translated
from organizer.store.lance_files import TableFiles, has_version, remove_newer, remove_table
from organizer.store.locks import (
    DECISION_SECONDS,
    held_for_commit,
    held_for_ingest,
    held_for_reading,
    held_for_writing,
    without_readers,
)
from organizer.store.manifest import MANIFEST, read_manifest, write_manifest
from organizer.store.opened_tables import OpenedTables
from organizer.store.row_index import Offsets
from organizer.store.safety import SafetyCopies
from organizer.store.schemas import SCHEMA_VERSION, TABLES

_ROWS_PER_FRAGMENT = 65_536
_SMALL_FRAGMENTS = 8
_SMALL_ARRAYS = 64
"""Of a table with few and large rows: joining them writes all of them again."""
_READERS_GRACE = timedelta(hours=1)
_MAKING_SECONDS = 5.0
"""How long to wait for whoever makes or migrates the library at this moment."""
_SOUGHT_BY_INDEX = 4_000
"""Of more ids than these a scan is as quick as reading single rows."""


@dataclass(slots=True)
class _Transaction:
    """One that is going on.

    Attributes:
        thread: The thread that writes.
        files: The files of each table that it writes, as they were before.
        former: The committed version of each before.
        versions: The versions that it made; 0 for a table that it removes.
    """

    thread: int
    files: dict[str, TableFiles] = field(default_factory=dict)
    former: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)


class Database:
    """The folder of a library as a set of tables.

    Attributes:
        path: The folder.
        journal: Which versions are committed, and what a person decided.
        is_beside_ingest: Whether what is written is a decision while an ingest is going on.
        safety: Copies by which damage is found and mended.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = LibraryJournal(path)
        self.safety = SafetyCopies(path, self.journal, self._roots)
        self._transaction: _Transaction | None = None
        self.is_beside_ingest = False
        self._ingesting_thread: int | None = None
        self._is_committing = False
        self._opened = OpenedTables(path)

    @classmethod
    def create(cls, path: Path) -> Database:
        """Make an empty library. What an interrupted creation left behind is removed.

        Raises:
            StoreError: The folder cannot be written, or another process makes a library there.
            SettingsError: LanceDB cannot work at a path like this.
        """
        database = cls(path)
        if not str(path).isprintable():
            raise SettingsError(
                f"a library cannot lie at {str(path)!r}: LanceDB takes no control characters",
                "choose another --library, or rename the folder",
            )
        try:
            make_folders(path)
        except OSError as error:
            raise StoreError(
                f"cannot make a library at {path}: {error.strerror}", "choose another --library"
            ) from error
        with translated(path), database.locked():
            if not cls.is_library(path):  # another process may have made it in the meantime
                database._create()
        return database

    def _create(self) -> None:
        if not self.journal.exists and any(self.path.glob("*.lance/_versions/*")):
            raise damaged(self.path, f"there are tables, and no {MANIFEST}")
        LibraryJournal.create(self.path)
        self.discard_unfinished()
        with self.transaction():
            for name, schema in TABLES.items():
                self.create_table(name, schema)
        self.write_manifest(now())  # last: now it is a library

    @classmethod
    def open(cls, path: Path) -> Database:
        """Open a library of the current format.

        One of an older format is opened by `organizer.store.migrate.open_database`.

        Raises:
            StoreError: It is damaged, or not of the current format.
        """
        schema = read_manifest(path).schema
        if schema != SCHEMA_VERSION:
            raise StoreError(
                f"the library {path} is of format {schema}, not {SCHEMA_VERSION}",
                "open it with organizer: organizer status",
            )
        database = cls(path)
        if not database.journal.exists:
            raise damaged(path, f"there is no {JOURNAL}")
        missing = [name for name in TABLES if not database.has(name)]
        if missing:
            raise damaged(path, f"no table {', '.join(missing)}")
        return database

    @staticmethod
    def is_library(path: Path) -> bool:
        """Whether a folder is a library, sound or not."""
        return (path / MANIFEST).is_file()

    def write_manifest(self, created_at: str) -> None:
        """Declare the folder a library of the current format: the last step of making one."""
        write_manifest(self.path, created_at)

    # Reading -------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The tables, sorted."""
        stored = {row["name"] for row in self.journal.rows("SELECT name FROM table_versions")}
        written = self._written()
        stored |= {name for name, version in written.items() if version}
        return sorted(stored - {name for name, version in written.items() if not version})

    def has(self, name: str) -> bool:
        """Whether there is such a table.

        Raises:
            StoreError: The library has gone as a whole.
        """
        version = self.version(name)
        if not version:
            return False
        found = has_version(self._folder(name), version)
        if not found:
            require_there(self.path)
        return found

    def read(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        *,
        where: str | None = None,
        dataset: Any = None,
    ) -> pa.Table:
        """Rows of a table as they are committed.

        Args:
            name: The table.
            columns: Its columns; all where None.
            where: A condition, which is never made from a user's text.
            dataset: The table as `dataset` gave it before; as it is now where None.
        """
        with translated(self.path):
            found = self.dataset(name) if dataset is None else dataset
            return found.to_table(columns=columns, filter=where, scan_in_order=True)

    def read_all_columns(self, name: str) -> pa.Table:
        """All rows of a table of an older format, with its columns, as they are committed."""
        import lance

        with translated(self.path):
            dataset = lance.dataset(str(self._folder(name)), version=self.version(name))
            return dataset.to_table(scan_in_order=True)

    def batches(
        self, name: str, columns: Sequence[str], *, rows: int, dataset: Any = None
    ) -> Iterator[pa.RecordBatch]:
        """Rows of a table in the order in which they were written, some at a time.

        Args:
            name: The table.
            columns: Its columns.
            rows: How many rows come at once.
            dataset: The table as `dataset` gave it before; as it is now where None.
        """
        with translated(self.path):
            found = self.dataset(name) if dataset is None else dataset
            yield from found.to_batches(columns=columns, batch_size=rows, scan_in_order=True)

    def read_by_id(
        self,
        name: str,
        key: str,
        ids: Iterable[str],
        columns: Sequence[str] | None = None,
        *,
        dataset: Any = None,
    ) -> pa.Table:
        """The rows whose `key` is one of `ids`.

        Args:
            name: The table.
            key: Its column of ids.
            ids: The ids.
            columns: The columns; all where None.
            dataset: The table as `dataset` gave it before; as it is now where None.
        """
        wanted = set(ids)
        found = self.dataset(name) if dataset is None else dataset
        if 0 < len(wanted) <= _SOUGHT_BY_INDEX:
            with translated(self.path):
                index = self._opened.row_index(name, key, found)
                if index is not None:
                    return _rows_at(found, *index.of(wanted), key, columns)
        tables = [self.read(name, columns, where=w, dataset=found) for w in one_of(key, wanted)]
        return (
            pa.concat_tables(tables)
            if tables
            else self.read(name, columns, where="false", dataset=found)
        )

    def count(self, name: str, where: str | None = None, *, dataset: Any = None) -> int:
        """Number of rows; see `read`."""
        with translated(self.path):
            found = self.dataset(name) if dataset is None else dataset
            return int(found.count_rows(filter=where))

    def metadata(self, name: str) -> dict[str, str]:
        """The texts that were stored with a table's schema."""
        with translated(self.path):
            stored = self.dataset(name).schema.metadata or {}
        return {key.decode(): value.decode() for key, value in stored.items()}

    def dataset(self, name: str) -> Any:
        """The table as pylance sees it, in the version that this thread reads.

        What is committed is opened once and kept; see `OpenedTables`.
        """
        written = self._written()
        version = written[name] if name in written else self._committed_version(name)
        if not version:
            raise damaged(self.path, f"no table {name}")
        with translated(self.path):
            if name in written:  # it may never be committed, and its number given again
                return self._opened.open(name, version)
            return self._opened.committed(name, version)

    def _roots(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.read("roots").to_pylist()
        return rows

    def _folder(self, name: str) -> Path:
        return self.path / f"{name}.lance"

    def version(self, name: str) -> int:
        """The version of a table that this thread reads; 0 where there is none."""
        written = self._written()
        return written[name] if name in written else self._committed_version(name)

    def _committed_version(self, name: str) -> int:
        query = "SELECT version FROM table_versions WHERE name = ?"
        return int(self.journal.value(query, [name]) or 0)

    def _written(self) -> Mapping[str, int]:
        """The versions that the transaction of this thread made."""
        going_on = self._transaction
        is_own = going_on is not None and going_on.thread == threading.get_ident()
        return going_on.versions if going_on is not None and is_own else {}

    # Writing -------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Writes that are committed together when the context ends well, or not at all.

        After it they are on the disk. One inside another is part of it.
        """
        if self._transaction is not None:
            yield
            return
        self._transaction = going_on = _Transaction(threading.get_ident())
        try:
            with self.journal.transaction():
                yield
                self._commit_versions(going_on)
        except BaseException:
            # A disk that fails may not let files be removed either: the next writer does it.
            with suppress(OSError, StoreError):
                self._undo_writes(going_on)
            raise
        finally:
            self._transaction = None
        for name, version in going_on.versions.items():
            if not version:
                remove_table(self._folder(name))
                self.safety.files.forget_table(name)

    def _commit_versions(self, going_on: _Transaction) -> None:
        with translated(self.path):
            for name, files in going_on.files.items():
                if going_on.versions[name]:
                    files.sync_added()
            if any(not files.existed for files in going_on.files.values()):
                sync_folder(self.path)
        removed = [name for name, version in going_on.versions.items() if not version]
        for name in removed:
            self.journal.execute("DELETE FROM table_versions WHERE name = ?", [name])
        rows = [
            {"name": name, "version": version}
            for name, version in going_on.versions.items()
            if version
        ]
        self.journal.insert("table_versions", rows, known="replace")

    def _undo_writes(self, going_on: _Transaction) -> None:
        for name, files in going_on.files.items():
            committed = self._committed_version(name)
            if committed != going_on.former[name]:
                continue  # an interrupt that came just after the commit
            with translated(self.path):
                remove_newer(self._folder(name), committed)
                files.remove_added()
        self.__dict__.pop("_connection", None)  # it remembers versions that are gone

    @contextmanager
    def _writing_table(self, name: str) -> Iterator[Any]:
        """LanceDB's connection, for a write to a table that makes a new version of it."""
        with self.transaction():
            going_on = self._transaction
            assert going_on is not None  # noqa: S101 - it has just begun
            with translated(self.path):
                if name not in going_on.files:
                    going_on.former[name] = self._committed_version(name)
                    going_on.files[name] = TableFiles.read(self._folder(name))
                going_on.versions.setdefault(name, self.version(name))
                yield self._connection
                dataset = self._latest(name)
                self._require_whole(dataset, known=going_on.files[name])
                going_on.versions[name] = int(dataset.version)

    def _latest(self, name: str) -> Any:
        import lance

        return lance.dataset(str(self._folder(name)))

    def _require_whole(self, dataset: Any, *, known: TableFiles) -> None:
        """Make sure that all of a write is there: one that failed may be lost without a word."""
        for fragment in dataset.get_fragments():
            for file in fragment.data_files():
                place = known.folder / "data" / file.path
                if str(place) not in known.names and place.stat().st_size != file.file_size_bytes:
                    raise StoreError(
                        f"the disk of the library {self.path} did not take all that was written",
                        "check the disk and the room on it, and run the command again: what was "
                        "committed is kept",
                    )

    def create_table(
        self, name: str, schema: pa.Schema, metadata: Mapping[str, str] | None = None
    ) -> None:
        """Make a table if it is not there."""
        if metadata:
            schema = schema.with_metadata(dict(metadata))
        if not self.has(name):
            with self._writing_table(name) as connection:
                connection.create_table(name, schema=schema)

    def overwrite(self, name: str, rows: pa.Table) -> None:
        """Put rows in the place of a table's, with their columns."""
        with self._writing_table(name) as connection:
            connection.create_table(name, rows, mode="overwrite")

    def append(self, name: str, rows: pa.Table) -> None:
        """Add rows."""
        if len(rows):
            with self._writing_table(name) as connection:
                connection.open_table(name).add(rows)

    def upsert(self, name: str, keys: Sequence[str], rows: pa.Table) -> None:
        """Add rows, each in place of the row with the same keys if there is one."""
        if len(rows):
            with self._writing_table(name) as connection:
                merge = connection.open_table(name).merge_insert(list(keys))
                merge.when_matched_update_all().when_not_matched_insert_all().execute(rows)

    def delete_by_id(self, name: str, key: str, ids: Iterable[str]) -> None:
        """Remove the rows whose `key` is one of `ids`."""
        for where in one_of(key, ids):
            self.delete_where(name, where)

    def delete_pairs(
        self, name: str, keys: tuple[str, str], pairs: Iterable[tuple[str, str]]
    ) -> None:
        """Remove the rows whose two `keys` are one of `pairs`."""
        for where in one_of_pairs(keys, pairs):
            self.delete_where(name, where)

    def delete_where(self, name: str, where: str) -> None:
        """Remove the rows for which a condition holds."""
        with self._writing_table(name) as connection:
            connection.open_table(name).delete(where)

    def update_where(self, name: str, where: str, values: Mapping[str, Any]) -> None:
        """Set columns in the rows for which a condition holds."""
        with self._writing_table(name) as connection:
            connection.open_table(name).update(where=where, values=dict(values))

    def change_table(self, name: str, change: Callable[[Any], Callable[[], object] | None]) -> None:
        """Change what belongs to a table besides its rows, where it needs it.

        Args:
            name: The table.
            change: Given the table as pylance sees it, returns what makes another version of it;
                None where nothing needs to be done.
        """
        with translated(self.path):
            if change(self.dataset(name)) is None:
                return
        with self._writing_table(name):
            # Not the one that stays open: it would be another version from now on.
            wanted = change(self.dataset(name))
            if wanted is not None:
                wanted()

    def drop(self, name: str) -> None:
        """Remove a table; its files go when the transaction is committed."""
        with self.transaction():
            assert self._transaction is not None  # noqa: S101 - it has just begun
            self._transaction.versions[name] = 0

    @contextmanager
    def writing(self, *, decides: bool = False, seconds: float = 0.0) -> Iterator[bool]:
        """Hold the library for writing; inside of an ingest, for one of its commits.

        Args:
            decides: Whether this may be done between two commits of an ingest.
            seconds: How long to wait for another writer.

        Yields:
            True if a command that takes several transactions was interrupted.

        Raises:
            StoreError: Another process or thread writes, or the library cannot be written.
        """
        if self._ingesting_thread == threading.get_ident():
            with self._committing():
                yield False
            return
        with held_for_writing(self.path, decides=decides, seconds=seconds) as self.is_beside_ingest:
            self.discard_unfinished()
            if self.is_beside_ingest:
                yield False
            else:
                yield self.is_unfinished()
                self._set_finished()
            self.safety.follow()

    @contextmanager
    def ingesting(self, *, seconds: float = 0.0) -> Iterator[bool]:
        """Keep other processes and threads from doing more than deciding; see `writing`.

        Args:
            seconds: How long to wait for another writer.

        Yields:
            True if a command that takes several transactions was interrupted.

        Raises:
            StoreError: Another process or thread writes, or the library cannot be written.
        """
        with ExitStack() as held:
            with held_for_writing(self.path, seconds=max(seconds, DECISION_SECONDS)):
                held.enter_context(held_for_ingest(self.path))
                self.discard_unfinished()
                was_interrupted = self.is_unfinished()
            self.is_beside_ingest = False
            self._ingesting_thread = threading.get_ident()
            try:
                yield was_interrupted
                # All is committed: where the disk has gone since, the next writer looks again.
                with suppress(StoreError), self.writing():
                    self._set_finished()
            finally:
                self._ingesting_thread = None

    @contextmanager
    def _committing(self) -> Iterator[None]:
        """Hold the library for a commit of the ingest of this thread; one inside is part of it."""
        if self._is_committing:
            yield
            return
        with held_for_commit(self.path):
            self._is_committing = True
            try:
                self.discard_unfinished()
                yield
                self.safety.follow()
            finally:
                self._is_committing = False

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep all other writers out, of a library that is not made or migrated yet."""
        with held_for_writing(self.path, seconds=_MAKING_SECONDS):
            yield

    def mark_unfinished(self) -> None:
        """Note that a command is at work that takes several transactions.

        Should it be interrupted, the next writer learns of it.
        """
        if not self.is_unfinished():
            self._set_unfinished(1)

    def is_unfinished(self) -> bool:
        """Whether a command is at work that takes several transactions, or was interrupted."""
        return bool(self.journal.value("SELECT unfinished FROM state"))

    def _set_finished(self) -> None:
        if self.is_unfinished():
            self._set_unfinished(0)

    def _set_unfinished(self, value: int) -> None:
        with self.transaction():
            self.journal.execute("UPDATE state SET unfinished = ?", [value])

    def discard_unfinished(self) -> None:
        """Remove what a writer that was interrupted left of a transaction.

        The caller keeps other writers out.
        """
        rows = self.journal.rows("SELECT name, version FROM table_versions")
        versions = {row["name"]: row["version"] for row in rows}
        with translated(self.path):
            for folder in self.path.glob("*.lance"):
                version = versions.get(folder.stem, 0)
                if not version:
                    remove_table(folder)
                elif has_version(folder, version):  # where it is damaged, nothing more is removed
                    remove_newer(folder, version)

    def adopt(self) -> None:
        """Commit the tables of an older format as they are, each in its latest version.

        The caller keeps other writers out, and calls it once.
        """
        rows = [
            {"name": folder.stem, "version": int(self._latest(folder.stem).version)}
            for folder in self.path.glob("*.lance")
            if any((folder / "_versions").glob("*.manifest"))
        ]
        if hasattr(os, "sync"):
            os.sync()  # the program that wrote them left that to the system
        with self.transaction():
            self.journal.insert("table_versions", rows)

    def close(self) -> None:
        """Close the files that are kept open; the next read opens them again."""
        self._opened.clear()
        self.journal.close()

    # Upkeep --------------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Tell writers that old versions are being read, for as long as the context lasts."""
        with held_for_reading(self.path):
            yield

    def tidy(self) -> None:
        """Join small fragments and drop what no reader needs, where enough of it has gathered.

        Full fragments are left alone, so the cost follows what was added, not what is there.
        """
        for name in self.names():
            most = _SMALL_ARRAYS if name.startswith("arrays") else _SMALL_FRAGMENTS
            self.change_table(name, partial(_compaction, most=most))
        with translated(self.path), without_readers(self.path) as alone:
            for name in self.names():
                self._opened.open(name, self.version(name)).cleanup_old_versions(
                    older_than=timedelta(0) if alone else _READERS_GRACE,
                    # This process is the one writer, so what no version names is left from a kill.
                    delete_unverified=alone,
                )

    @cached_property
    def _connection(self) -> Any:
        import lancedb

        return lancedb.connect(self.path, read_consistency_interval=timedelta(0))


def _compaction(dataset: Any, *, most: int) -> Callable[[], object] | None:
    """Joins the small fragments of a table; None where there are not too many."""
    small = [f for f in dataset.get_fragments() if f.physical_rows < _ROWS_PER_FRAGMENT]
    compact = dataset.optimize.compact_files
    return (
        partial(compact, target_rows_per_fragment=_ROWS_PER_FRAGMENT) if len(small) > most else None
    )


def _rows_at(
    dataset: Any, rows: Offsets, ids: IdArray, key: str, columns: Sequence[str] | None
) -> pa.Table:
    """Some rows of a table, of which the ids in the column `key` are known."""
    names = list(dataset.schema.names if columns is None else columns)
    others = [name for name in names if name != key]
    known = pa.array(unpack_ids(ids), pa.string())
    if not others:
        return pa.table({key: known})
    table = dataset.take(rows.tolist(), columns=others)
    return (table.append_column(key, known) if key in names else table).select(names)


def now() -> str:
    """The time as it is written into rows: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
