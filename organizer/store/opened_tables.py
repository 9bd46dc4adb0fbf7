"""Tables that stay open: opening one again for every read would take longer than the read."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from organizer.store.lance_errors import damaged
from organizer.store.lance_files import version_stamp
from organizer.store.row_index import RowIndex
from organizer.store.schemas import columns_of

_INDEX_BYTES = 1024**3
"""Of search indexes that are kept in memory, over all tables; Lance's own limit is 6 GiB."""

_METADATA_BYTES = 128 * 1024**2
_INDEXED_FROM = 2
"""Look-ups of one program in one table from which an index of its rows is quicker than scans."""


@dataclass(frozen=True, slots=True)
class _Committed:
    """A committed version of a table."""

    version: int
    stamp: tuple[int, ...] | None
    dataset: Any


class OpenedTables:
    """The tables of one library that were read, each in the version that was committed last.

    Several threads may use it at once.

    Args:
        path: The library's folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._committed: dict[str, _Committed] = {}
        self._row_indexes: dict[tuple[str, str], RowIndex] = {}
        self._look_ups: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def committed(self, name: str, version: int) -> Any:
        """A table in a version that is committed; it stays open."""
        stamp = version_stamp(self._path / f"{name}.lance", version)
        known = self._committed.get(name)
        if known is None or known.version != version or known.stamp != stamp:
            dataset = self.open(name, version, session=self._session)
            known = self._committed[name] = _Committed(version, stamp, dataset)
        return known.dataset

    def open(self, name: str, version: int, *, session: Any = None) -> Any:
        """A table in any version.

        Raises:
            StoreError: It lacks a column.
        """
        import lance

        uri = str(self._path / f"{name}.lance")
        dataset = lance.dataset(uri, version=version, session=session)
        found = dataset.schema.names
        lacking = [column for column in columns_of(name) if column not in found]
        if lacking:
            raise damaged(self._path, f"{name} has no column {', '.join(lacking)}")
        return dataset

    def row_index(self, name: str, key: str, dataset: Any) -> RowIndex | None:
        """Where the rows of ids lie; None where so few look-ups do not pay for an index.

        Args:
            name: The table.
            key: Its column of ids.
            dataset: The table as it is open.
        """
        place = name, key
        with self._lock:
            self._look_ups[place] += 1
            if self._look_ups[place] < _INDEXED_FROM:
                return None
            known = self._row_indexes.get(place)
            if known is None or known.dataset is not dataset:
                known = self._row_indexes[place] = RowIndex(dataset, key, known)
            return known

    def clear(self) -> None:
        """Close all of them."""
        with self._lock:
            self._committed.clear()
            self._row_indexes.clear()

    @cached_property
    def _session(self) -> Any:
        import lance

        return lance.Session(
            index_cache_size_bytes=_INDEX_BYTES, metadata_cache_size_bytes=_METADATA_BYTES
        )
