"""Changes of members since the members table of a base was written.

A change is a row of the journal: the images, packed as `organizer.store.ids` packs them, and what
each was before and is after it, in records of 33 bytes. The last change of an image counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.store.ids import IdArray, pack_ids, unpack_ids
from organizer.store.journal import LibraryJournal, Row
from organizer.types import Assignments, AssignmentState

_STATES = (AssignmentState.AUTO, AssignmentState.UNSURE, AssignmentState.DECIDED)
"""By the number that is stored."""

_RECORD = np.dtype(
    [
        ("cluster_id", "<i8"),
        ("candidate", "<i8"),
        ("distance", "<f4"),
        ("margin", "<f4"),
        ("state", "u1"),
        ("since", "<i8"),
    ]
)


@dataclass(frozen=True, slots=True)
class MemberChange:
    """What members were before and are after a change, row by row alike."""

    before: Assignments
    after: Assignments

    @classmethod
    def empty(cls) -> MemberChange:
        """No change."""
        return cls(Assignments.empty(), Assignments.empty())


class MemberChanges:
    """The changes of the members of one library."""

    def __init__(self, journal: LibraryJournal) -> None:
        self._journal = journal
        self._clusters: tuple[tuple[int, ...], Mapping[str, int]] = (), {}

    def add(self, base_id: int, change: MemberChange, *, step_id: int = 0) -> None:
        """Write a change.

        Args:
            base_id: The base whose members change.
            change: The change.
            step_id: The step that it is part of; 0 for an ingest.
        """
        if not len(change.after):
            return
        unassigned = int(change.after.unassigned.sum()) - int(change.before.unassigned.sum())
        row: Row = {
            "base_id": base_id,
            "step_id": step_id,
            "count": len(change.after),
            "unassigned": unassigned,
            "image_ids": pack_ids(change.after.image_ids).tobytes(),
            "before": _packed(change.before),
            "after": _packed(change.after),
        }
        self._journal.insert("changes", [row])

    def of_step(self, step_id: int) -> MemberChange:
        """The change of a step; an empty one where it changed no member."""
        query = "SELECT image_ids, before, after FROM changes WHERE step_id = ? ORDER BY change_id"
        rows = self._journal.rows(query, [step_id])
        if not rows:
            return MemberChange.empty()
        ids = unpack_ids(_ids(rows))
        return MemberChange(
            _members(ids, [row["before"] for row in rows]),
            _members(ids, [row["after"] for row in rows]),
        )

    def last(self) -> int:
        """The number of the last change, of any base; 0 before the first."""
        return int(self._journal.value("SELECT max(change_id) FROM changes") or 0)

    def current(self, base_id: int, *, after: int = 0) -> Assignments:
        """What changed members of a base are now, each once.

        Args:
            base_id: The base.
            after: Only what changed after this change.
        """
        return _last_of(self._since_folded(base_id, "image_ids, after", after=after))

    def every(self, base_id: int) -> Assignments:
        """What members of a base that ever changed were after it, each once; folded ones too."""
        query = "SELECT image_ids, after FROM changes WHERE base_id = ? ORDER BY change_id"
        return _last_of(self._journal.rows(query, [base_id]))

    def clusters(self, base_id: int) -> Mapping[str, int]:
        """The cluster of each changed member of a base; made once for each change."""
        if self._journal.is_written_here():
            return self._made_clusters(base_id)
        with self._journal.snapshot():
            key = base_id, self._last(base_id), self._folded(base_id)
            known, clusters = self._clusters
            if known != key:
                clusters = self._made_clusters(base_id)
                self._clusters = key, clusters
            return clusters

    def _made_clusters(self, base_id: int) -> Mapping[str, int]:
        changed = self.current(base_id)
        return dict(zip(changed.image_ids.tolist(), changed.cluster_ids.tolist(), strict=True))

    def _last(self, base_id: int) -> int:
        query = "SELECT max(change_id) FROM changes WHERE base_id = ?"
        return int(self._journal.value(query, [base_id]) or 0)

    def _folded(self, base_id: int) -> int:
        query = "SELECT change_id FROM folded WHERE base_id = ?"
        return int(self._journal.value(query, [base_id]) or 0)

    def unassigned(self, base_id: int) -> int:
        """How many more members are in no cluster than the members table says."""
        return sum(int(row["unassigned"]) for row in self._since_folded(base_id, "unassigned"))

    def count(self, base_id: int) -> int:
        """The number of changed members that the members table does not include yet."""
        return sum(int(row["count"]) for row in self._since_folded(base_id, "count"))

    def forget(self, gone: IdArray) -> None:
        """Remove images from all changes, as if they had never been members."""
        query = "SELECT change_id, image_ids, before, after FROM changes"
        for row in self._journal.rows(query):
            ids = np.frombuffer(row["image_ids"], dtype="S16")
            keep = ~np.isin(ids, gone)
            if keep.all():
                continue
            before, after = (
                np.frombuffer(row[name], dtype=_RECORD)[keep] for name in ("before", "after")
            )
            unsure = _STATES.index(AssignmentState.UNSURE)
            more = int((after["state"] == unsure).sum()) - int((before["state"] == unsure).sum())
            self._journal.execute(
                "UPDATE changes SET count = ?, unassigned = ?, image_ids = ?, before = ?, "
                "after = ? WHERE change_id = ?",
                [
                    int(keep.sum()),
                    more,
                    np.ascontiguousarray(ids[keep]).tobytes(),
                    before.tobytes(),
                    after.tobytes(),
                    row["change_id"],
                ],
            )

    def mark_folded(self, base_id: int) -> None:
        """Note that the members table includes all changes."""
        row = {"base_id": base_id, "change_id": self.last()}
        self._journal.insert("folded", [row], known="replace")

    def _since_folded(self, base_id: int, columns: str, *, after: int = 0) -> list[Row]:
        query = (
            f"SELECT {columns} FROM changes WHERE base_id = ? AND change_id > max(?, coalesce("  # noqa: S608
            "(SELECT change_id FROM folded WHERE base_id = ?), 0)) ORDER BY change_id"
        )
        return self._journal.rows(query, [base_id, after, base_id])


def _last_of(rows: Sequence[Row]) -> Assignments:
    if not rows:
        return Assignments.empty()
    packed = _ids(rows)
    found = _members(unpack_ids(packed), [row["after"] for row in rows])
    # The first in reverse order is the last change of an image.
    last = len(packed) - 1 - np.unique(packed[::-1], return_index=True)[1]
    return found.take(last)


def _ids(rows: Sequence[Row]) -> IdArray:
    return np.frombuffer(b"".join(row["image_ids"] for row in rows), dtype="S16")


def _packed(members: Assignments) -> bytes:
    number = {state.value: code for code, state in enumerate(_STATES)}
    records = np.empty(len(members), dtype=_RECORD)
    records["cluster_id"], records["candidate"] = members.cluster_ids, members.candidates
    records["distance"], records["margin"] = members.distances, members.margins
    records["state"] = [number[state] for state in members.states]
    records["since"] = members.since
    return records.tobytes()


def _members(ids: Sequence[str], blobs: Sequence[bytes]) -> Assignments:
    records: NDArray[np.void] = np.frombuffer(b"".join(blobs), dtype=_RECORD)
    states = np.array([state.value for state in _STATES], dtype=object)
    return Assignments(
        np.array(ids, dtype=object),
        records["cluster_id"].astype(np.int64),
        records["candidate"].astype(np.int64),
        records["distance"].astype(np.float32),
        records["margin"].astype(np.float32),
        states[records["state"]],
        records["since"].astype(np.int64),
    )
