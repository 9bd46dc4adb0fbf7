"""Where the rows of ids lie in a table, so that looking some up reads those rows and no others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.store.ids import IdArray, contains_ids, pack_ids

Offsets = NDArray[np.int64]
"""``(n,)`` numbers of rows, as pylance's ``take`` counts them: rows that were deleted do not count.
"""

_FragmentKey = tuple[tuple[str, ...], str]
"""The files of a fragment, and the one that says which of its rows were deleted."""


@dataclass(frozen=True, slots=True)
class _FragmentRows:
    """The ids of one fragment, row by row; and the first 64 bits of each, ascending."""

    ids: IdArray
    prefixes: NDArray[np.uint64]
    rows: NDArray[np.uint32]

    def of(self, prefixes: NDArray[np.uint64]) -> Offsets:
        """The rows of some ids, as far as their first 64 bits tell."""
        begins = np.searchsorted(self.prefixes, prefixes, side="left")
        ends = np.searchsorted(self.prefixes, prefixes, side="right")
        found = [self.rows[begins[i] : ends[i]] for i in np.flatnonzero(ends > begins)]
        return np.concatenate(found).astype(np.int64) if found else np.empty(0, np.int64)


class RowIndex:
    """The rows of ids in one version of a table, at 28 bytes a row.

    It is made fragment by fragment: another version of a table shares most fragments with the one
    before, so the cost of following an ingest is that of what it added.

    Args:
        dataset: The table as pylance sees it.
        key: Its column of ids.
        former: The index of another version.
    """

    def __init__(self, dataset: Any, key: str, former: RowIndex | None = None) -> None:
        self.dataset = dataset
        known: Mapping[_FragmentKey, _FragmentRows] = {} if former is None else former.fragments
        self.fragments: dict[_FragmentKey, _FragmentRows] = {}
        for fragment in dataset.get_fragments():
            name = _key_of(fragment)
            self.fragments[name] = known.get(name) or _read(fragment, key)

    def of(self, ids: Collection[str]) -> tuple[Offsets, IdArray]:
        """The rows that have one of some ids, ascending, and which of them each has."""
        wanted, first = np.unique(pack_ids(ids)), 0
        prefixes = np.unique(_prefixes(wanted))
        rows, found = [np.empty(0, np.int64)], [np.empty(0, wanted.dtype)]
        for fragment in self.fragments.values():
            some = np.sort(fragment.of(prefixes))
            some = some[contains_ids(wanted, fragment.ids[some])]
            rows.append(some + first)
            found.append(fragment.ids[some])
            first += len(fragment.ids)
        return np.concatenate(rows), np.concatenate(found)


def _key_of(fragment: Any) -> _FragmentKey:
    metadata = fragment.metadata
    return tuple(file.path for file in metadata.files), str(metadata.deletion_file)


def _read(fragment: Any, key: str) -> _FragmentRows:
    ids = pack_ids(fragment.to_table(columns=[key])[key].to_pylist())
    prefixes = _prefixes(ids)
    order = np.argsort(prefixes, kind="stable").astype(np.uint32)
    return _FragmentRows(ids, prefixes[order], order)


def _prefixes(ids: IdArray) -> NDArray[np.uint64]:
    return ids.view(">u8").reshape(-1, 2)[:, 0].astype(np.uint64)
