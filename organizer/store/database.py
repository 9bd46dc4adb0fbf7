"""A LanceDB database in one folder: tables, one writer at a time, upkeep.

LanceDB creates, appends, changes and searches; pylance, which reads the same files and is imported
in a third of the time, does the plain reads and the upkeep.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from organizer.errors import SettingsError, StoreError
from organizer.store.lance_errors import damaged, explain, translated
from organizer.store.schemas import SCHEMA_VERSION, TABLES, columns_of

_MANIFEST = "library.json"
_DIRTY = "writing"
_ROWS_PER_FRAGMENT = 65_536
_SMALL_FRAGMENTS = 8
_IDS_PER_STATEMENT = 2_000
_PAIRS_PER_STATEMENT = 100
_READERS_GRACE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The format and age of a library.

    Attributes:
        schema: The format of its tables.
        created_at: When it was made, as `now` writes it; empty where it is not known.
    """

    schema: int
    created_at: str


def read_manifest(path: Path) -> Manifest:
    """The manifest of a library.

    Raises:
        StoreError: It is damaged, or newer than this program.
    """
    try:
        kept = json.loads((path / _MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest(int(kept["schema"]), str(kept.get("created_at", "")))
    except OSError as error:
        cause = explain(path, error) or damaged(path, f"{_MANIFEST} cannot be read")
        raise cause from error
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise damaged(path, f"{_MANIFEST} cannot be read") from error
    if manifest.schema > SCHEMA_VERSION:
        raise StoreError(
            f"the library {path} was written by a newer organizer (format {manifest.schema}, this "
            f"one knows {SCHEMA_VERSION})",
            "update organizer: pip install --upgrade organizer",
        )
    return manifest


class Database:
    """The folder of a library as a set of tables."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path) -> Database:
        """Make an empty library. What an interrupted creation left behind is completed.

        Raises:
            StoreError: The folder cannot be written.
            SettingsError: LanceDB cannot work at a path like this.
        """
        database = cls(path)
        if not str(path).isprintable():
            raise SettingsError(
                f"a library cannot lie at {str(path)!r}: LanceDB takes no control characters",
                "choose another --library, or rename the folder",
            )
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"cannot make a library at {path}: {error.strerror}", "choose another --library"
            ) from error
        with translated(path):
            for name, schema in TABLES.items():
                database.create_table(name, schema)
            database.write_manifest(now())  # last: now it is a library
        return database

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
        missing = [name for name in TABLES if not database.has(name)]
        if missing:
            raise damaged(path, f"no table {', '.join(missing)}")
        return database

    @staticmethod
    def is_library(path: Path) -> bool:
        """Whether a folder is a library, sound or not."""
        return (path / _MANIFEST).is_file()

    def write_manifest(self, created_at: str) -> None:
        """Declare the folder a library of the current format: the last step of making one."""
        partial = self.path / f"{_MANIFEST}.partial"
        manifest = {"schema": SCHEMA_VERSION, "created_at": created_at}
        partial.write_text(json.dumps(manifest) + "\n", encoding="utf-8")
        partial.replace(self.path / _MANIFEST)

    # Reading -------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The tables, sorted."""
        return sorted(f.stem for f in self.path.glob("*.lance") if self.has(f.stem))

    def has(self, name: str) -> bool:
        """Whether there is such a table: one whose creation was interrupted is none."""
        return any((self.path / f"{name}.lance" / "_versions").glob("*.manifest"))

    def read(
        self, name: str, columns: Sequence[str] | None = None, *, where: str | None = None
    ) -> pa.Table:
        """Rows of a table as they are committed. `where` is never made from a user's text."""
        with translated(self.path):
            return self.dataset(name).to_table(columns=columns, filter=where, scan_in_order=True)

    def read_all_columns(self, name: str) -> pa.Table:
        """All rows of a table, also of one whose columns are those of an older format."""
        import lance

        with translated(self.path):
            return lance.dataset(str(self.path / f"{name}.lance")).to_table(scan_in_order=True)

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
        self, name: str, key: str, ids: Iterable[str], columns: Sequence[str] | None = None
    ) -> pa.Table:
        """The rows whose `key` is one of `ids`."""
        tables = [self.read(name, columns, where=where) for where in _one_of(key, ids)]
        return pa.concat_tables(tables) if tables else self.read(name, columns, where="false")

    def count(self, name: str, where: str | None = None) -> int:
        """Number of rows."""
        with translated(self.path):
            return int(self.dataset(name).count_rows(filter=where))

    def metadata(self, name: str) -> dict[str, str]:
        """The texts that were stored with a table's schema."""
        with translated(self.path):
            stored = self.dataset(name).schema.metadata or {}
        return {key.decode(): value.decode() for key, value in stored.items()}

    def dataset(self, name: str) -> Any:
        """The table as pylance sees it now."""
        import lance

        with translated(self.path):
            dataset = lance.dataset(str(self.path / f"{name}.lance"))
            found = dataset.schema.names
        lacking = [column for column in columns_of(name) if column not in found]
        if lacking:
            raise damaged(self.path, f"{name} has no column {', '.join(lacking)}")
        return dataset

    # Writing -------------------------------------------------------------------------------

    def create_table(
        self, name: str, schema: pa.Schema, metadata: Mapping[str, str] | None = None
    ) -> None:
        """Make a table if it is not there."""
        if metadata:
            schema = schema.with_metadata(dict(metadata))
        with translated(self.path):
            if not self.has(name):
                self._connection.create_table(name, schema=schema)

    def overwrite(self, name: str, rows: pa.Table) -> None:
        """Put rows in the place of a table's, with their columns, in one commit."""
        with translated(self.path):
            self._connection.create_table(name, rows, mode="overwrite")

    def append(self, name: str, rows: pa.Table) -> None:
        """Add rows in one commit."""
        if len(rows):
            with translated(self.path):
                self._connection.open_table(name).add(rows)

    def upsert(self, name: str, keys: Sequence[str], rows: pa.Table) -> None:
        """Add rows in one commit, each in place of the row with the same keys if there is one."""
        if len(rows):
            with translated(self.path):
                merge = self._connection.open_table(name).merge_insert(list(keys))
                merge.when_matched_update_all().when_not_matched_insert_all().execute(rows)

    def delete_by_id(self, name: str, key: str, ids: Iterable[str]) -> None:
        """Remove the rows whose `key` is one of `ids`."""
        for where in _one_of(key, ids):
            self._delete(name, where)

    def delete_pairs(
        self, name: str, keys: tuple[str, str], pairs: Iterable[tuple[str, str]]
    ) -> None:
        """Remove the rows whose two `keys` are one of `pairs`."""
        for where in _one_of_pairs(keys, pairs):
            self._delete(name, where)

    def delete_where(self, name: str, where: str) -> None:
        """Remove the rows for which a condition holds."""
        self._delete(name, where)

    def _delete(self, name: str, where: str) -> None:
        with translated(self.path):
            self._connection.open_table(name).delete(where)

    def update_where(self, name: str, where: str, values: Mapping[str, Any]) -> None:
        """Set columns in the rows for which a condition holds."""
        with translated(self.path):
            self._connection.open_table(name).update(where=where, values=dict(values))

    def drop(self, name: str) -> None:
        """Remove a table."""
        with translated(self.path):
            self._connection.drop_table(name)

    @contextmanager
    def writing(self) -> Iterator[bool]:
        """Hold the library for writing.

        Yields:
            True if the last writer was interrupted, so that there may be something to sweep up.

        Raises:
            StoreError: Another process writes, or the library cannot be written.
        """
        import portalocker

        lock = portalocker.Lock(self.path / "lock", mode="a", timeout=0)
        try:
            lock.acquire()
        except portalocker.LockException as error:
            raise StoreError(
                f"the library {self.path} is being written by another organizer",
                "wait until it has ended; reading is possible all the while",
            ) from error
        except OSError as error:
            raise StoreError(
                f"the library {self.path} cannot be written: {error.strerror}",
                "check its permissions and whether the disk is writable",
            ) from error
        dirty = self.path / _DIRTY
        try:
            was_dirty = dirty.exists()
            dirty.touch()
            yield was_dirty
            dirty.unlink()
        finally:
            lock.release()

    def mark_interrupted(self) -> None:
        """Have the next writer sweep up as after one that was interrupted."""
        (self.path / _DIRTY).touch()

    # Upkeep --------------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Tell writers that old versions are being read, for as long as the context lasts."""
        import portalocker

        try:
            lock = portalocker.Lock(
                self.path / "readers",
                mode="a",
                timeout=5,
                flags=portalocker.LOCK_SH | portalocker.LOCK_NB,
            )
            lock.acquire()
        except (OSError, portalocker.LockException):
            # A read-only medium has no writer to tell, and a writer that holds the lock for five
            # seconds is at work on versions that this reader does not use yet.
            yield
            return
        try:
            yield
        finally:
            lock.release()

    def tidy(self) -> None:
        """Join small fragments and drop what no reader needs, where enough of it has gathered.

        Full fragments are left alone, so the cost follows what was added, not what is there.
        """
        with translated(self.path), self._no_readers() as alone:
            for name in self.names():
                dataset = self.dataset(name)
                small = [f for f in dataset.get_fragments() if f.physical_rows < _ROWS_PER_FRAGMENT]
                if len(small) > _SMALL_FRAGMENTS:
                    dataset.optimize.compact_files(target_rows_per_fragment=_ROWS_PER_FRAGMENT)
                dataset.cleanup_old_versions(
                    older_than=timedelta(0) if alone else _READERS_GRACE,
                    # This process is the one writer, so what no version names is left from a kill.
                    delete_unverified=alone,
                )

    @contextmanager
    def _no_readers(self) -> Iterator[bool]:
        import portalocker

        lock = portalocker.Lock(self.path / "readers", mode="a", timeout=0)
        try:
            lock.acquire()
        except portalocker.LockException:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    @cached_property
    def _connection(self) -> Any:
        import lancedb

        return lancedb.connect(self.path, read_consistency_interval=timedelta(0))

    @contextmanager
    def table(self, name: str) -> Iterator[Any]:
        """The table as LanceDB sees it, for searching; its errors are translated."""
        with translated(self.path):
            yield self._connection.open_table(name)


def now() -> str:
    """The time as it is written into rows: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _one_of(key: str, ids: Iterable[str]) -> Iterator[str]:
    """Conditions of bounded length; ids are hexadecimal, so nothing needs quoting."""
    unique = sorted(set(ids))
    for start in range(0, len(unique), _IDS_PER_STATEMENT):
        chunk = unique[start : start + _IDS_PER_STATEMENT]
        quoted = ", ".join(f"'{_hexadecimal(image_id)}'" for image_id in chunk)
        yield f"{key} IN ({quoted})"


def _one_of_pairs(keys: tuple[str, str], pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """As `_one_of`, for two columns; fewer at once, since each pair is a condition of its own."""
    first, second = keys
    unique = sorted(set(pairs))
    for start in range(0, len(unique), _PAIRS_PER_STATEMENT):
        chunk = unique[start : start + _PAIRS_PER_STATEMENT]
        yield " OR ".join(
            f"({first} = '{_hexadecimal(one)}' AND {second} = '{_hexadecimal(other)}')"
            for one, other in chunk
        )


def _hexadecimal(text: str) -> str:
    if not text or set(text) - set("0123456789abcdef"):
        raise AssertionError(f"{text!r} is no id")
    return text
