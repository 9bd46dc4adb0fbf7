"""The journal of a library: an SQLite file with what a person decided and what is committed.

It holds the decisions, the clusterings and cluster models that follow from them, and the version of
each Lance table that is committed. One commit of it commits a whole transaction. It is
written with ``synchronous=FULL``: what was committed survives a power cut
(https://sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from organizer.durable import sync_folder
from organizer.errors import StoreError
from organizer.store.journal_schema import CREATE
from organizer.store.lance_errors import damaged, explain

JOURNAL = "journal.sqlite"
"""The name of the file in the library's folder."""

_WAIT_SECONDS = 60.0
"""For another process to end its commit or its read, which take milliseconds."""

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})

Row = dict[str, Any]
T = TypeVar("T")


class LibraryJournal:
    """The journal of one library, read by many threads and written by one.

    Reads outside of a transaction see what is committed; the thread that writes sees its own rows.
    Every thread reads by a connection of its own, so that none waits for another.

    Args:
        folder: The library's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / JOURNAL
        self._own = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._writer: sqlite3.Connection | None = None
        self._writing_thread: int | None = None
        self._lock = threading.RLock()

    @classmethod
    def create(cls, folder: Path) -> LibraryJournal:
        """Make the journal of a library if it is not there; it is on the disk after that."""
        journal = cls(folder)
        with journal.transaction():
            for statement in CREATE:
                journal.execute(statement)
        sync_folder(folder)
        return journal

    @property
    def exists(self) -> bool:
        """Whether the file is there."""
        return self.file.is_file()

    def close(self) -> None:
        """Close the file; the next read opens it again."""
        with self._lock:
            for connection in (*self._readers, self._writer):
                if connection is not None:
                    connection.close()
            self._readers.clear()
            self._own, self._writer = threading.local(), None

    # Reading -------------------------------------------------------------------------------

    def rows(self, query: str, values: Sequence[Any] = (), *, committed: bool = False) -> list[Row]:
        """The rows of a query, as dictionaries.

        Args:
            query: The query.
            values: Its values.
            committed: Whether rows of a transaction of this thread are left out.
        """
        with self._translated():
            cursor = self._connection(committed=committed).execute(query, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def value(self, query: str, values: Sequence[Any] = ()) -> Any:
        """The first column of the first row of a query; None where there is none."""
        with self._translated():
            row = self._connection().execute(query, values).fetchone()
            return None if row is None else row[0]

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Reads that see one state, whatever another process commits meanwhile."""
        if self.is_written_here():
            yield
            return
        with self._translated():
            connection = self._connection()
            if connection.in_transaction:
                yield
                return
            connection.execute("BEGIN")
            try:
                yield
            finally:
                if connection.in_transaction:  # SQLite has ended one that the disk refused
                    connection.execute("ROLLBACK")

    def revision(self) -> int:
        """A number that is another one after every commit."""
        return int(self.value("SELECT revision FROM state"))

    def image(self) -> bytes:
        """The bytes of the file, as they are committed."""
        with self._translated():
            return self._connection(committed=True).serialize()

    # Writing -------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Writes that are committed together when the context ends well, or not at all.

        The caller is the one writer of the library.
        """
        with self._translated():
            if self._writer is None:
                self._writer = self._connect(create=True)
            before = self._writer.total_changes
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                self._writing_thread = threading.get_ident()
                yield
                if self._writer.total_changes > before:
                    self._writer.execute("UPDATE state SET revision = revision + 1")
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._writing_thread = None

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Run a statement of a transaction."""
        with self._translated():
            self._require_writer().execute(statement, values)

    def insert(
        self,
        table: str,
        rows: Iterable[Row],
        *,
        known: Literal["abort", "replace", "ignore"] = "abort",
    ) -> None:
        """Add rows that have the same columns.

        Args:
            table: The table.
            rows: The rows.
            known: What becomes of a row whose key is there: it is an error, it replaces the one
                that is there, or it is left out.
        """
        listed = list(rows)
        if not listed:
            return
        names = list(listed[0])
        columns = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join(f":{name}" for name in names)
        verb = f"INSERT OR {known.upper()}"
        statement = f"{verb} INTO {table} ({columns}) VALUES ({marks})"
        with self._translated():
            self._require_writer().executemany(statement, listed)

    # Connections ---------------------------------------------------------------------------

    def is_written_here(self) -> bool:
        """Whether this thread is in a transaction."""
        return self._writing_thread == threading.get_ident()

    def _require_writer(self) -> sqlite3.Connection:
        if self._writer is None or not self.is_written_here():
            raise AssertionError("the journal is written in a transaction only")
        return self._writer

    def _connection(self, *, committed: bool = False) -> sqlite3.Connection:
        if self.is_written_here() and not committed:
            return self._require_writer()
        reader: sqlite3.Connection | None = getattr(self._own, "reader", None)
        if reader is None:
            reader = self._connect(create=False)
            self._own.reader = reader
            with self._lock:
                self._readers.append(reader)
        return reader

    def _connect(self, *, create: bool) -> sqlite3.Connection:
        # A reader may have to roll a commit back that a power cut interrupted: "ro" could not.
        mode = "rwc" if create else "rw"
        connection = sqlite3.connect(
            f"{self.file.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_WAIT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        if create:
            # Unlike a write-ahead log this works on network drives and read-only media.
            connection.execute("PRAGMA journal_mode = TRUNCATE")
            connection.execute("PRAGMA synchronous = FULL")
            # A large transaction keeps readers out only while it is committed.
            connection.execute("PRAGMA cache_spill = OFF")
        return connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _as_store_error(self.file, error) from error


class AppendedRows(Generic[T]):
    """The rows of a table that only grows, of which each is read and made once.

    Args:
        journal: The journal.
        query: Selects the rows whose number is above one, in order.
        number: The column of the number.
        make: Makes a value of a row.
    """

    def __init__(
        self, journal: LibraryJournal, query: str, *, number: str, make: Callable[[Row], T]
    ) -> None:
        self._journal, self._query, self._number, self._make = journal, query, number, make
        self._known: tuple[tuple[T, ...], int] = ((), 0)

    def forget(self) -> None:
        """Read all rows anew: some of them have changed."""
        self._known = (), 0

    def all(self) -> tuple[T, ...]:
        """The values of all rows."""
        known, last = self._known
        rows = self._journal.rows(self._query, [last], committed=True)
        if rows:
            known, last = (*known, *map(self._make, rows)), int(rows[-1][self._number])
            self._known = known, last
        if not self._journal.is_written_here():
            return known
        # What this thread has not committed yet may never be: it is not remembered.
        return (*known, *map(self._make, self._journal.rows(self._query, [last])))


def _as_store_error(file: Path, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StoreError(
            f"the disk of the library {file.parent} is full",
            "make room and run the command again: what was committed is kept",
        )
    if code == sqlite3.SQLITE_BUSY:
        return StoreError(
            f"the library {file.parent} is in use by another program",
            "wait until it has ended, and run the command again",
        )
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}:
        return StoreError(f"the library {file.parent} may not be written", "check its permissions")
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}:
        return _refusal(file) or StoreError(
            f"{file} cannot be read or written: {error}",
            "check that its disk is there and that you may use it",
        )
    if code in _DAMAGED or not file.is_file() or changed_tables(file):
        return damaged(file.parent, f"{file.name}: {error}")
    raise error


def changed_tables(file: Path) -> list[str]:
    """The tables of a journal of the current format that are not there, or have other columns."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            found = _columns(opened)
        with closing(sqlite3.connect(":memory:")) as made:
            for statement in CREATE:
                made.execute(statement)
            return sorted(t for t, names in _columns(made).items() if found.get(t) != names)
    except sqlite3.Error:
        return [file.name]


def _columns(connection: sqlite3.Connection) -> dict[str, list[str]]:
    query = (
        "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c "
        "WHERE m.type = 'table' ORDER BY m.name, c.name"
    )
    found: dict[str, list[str]] = {}
    for table, column in connection.execute(query):
        found.setdefault(table, []).append(column)
    return found


def _refusal(file: Path) -> StoreError | None:
    """Why the system does not open a file, which SQLite does not say; None where it does."""
    try:
        # As many at once as SQLite has: the file, what rolls it back, and their folder.
        with file.open("rb"), file.open("rb"), file.open("rb"):
            return None
    except OSError as error:
        return explain(file.parent, error)
