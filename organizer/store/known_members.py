"""The members of a base as they were read last, and kept for the next read.

A page or a decision after a decision needs all members again; what changed since is a few rows of
the journal. About 160 bytes an image.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

from organizer.store.ids import IdRows
from organizer.types import Assignments


@dataclass(frozen=True)
class KnownMembers:
    """The members of a base, as they are committed.

    Attributes:
        base_id: The base.
        version: The version of its members table.
        change_id: The last change of members that is in them; see `MemberChanges`.
        members: The members; their arrays cannot be written.
    """

    base_id: int
    version: int
    change_id: int
    members: Assignments

    def __post_init__(self) -> None:
        for item in fields(self.members):  # many readers share them
            getattr(self.members, item.name).flags.writeable = False

    @cached_property
    def _rows(self) -> IdRows:
        return IdRows(self.members.image_ids.tolist())

    def changed(self, changed: Assignments, change_id: int) -> KnownMembers:
        """The members after changes.

        Args:
            changed: Members that changed, each once.
            change_id: The last change.
        """
        if not len(changed):
            return self
        members = self.members.with_rows(self._rows.of(changed.image_ids.tolist()), changed)
        found = KnownMembers(self.base_id, self.version, change_id, members)
        found.__dict__["_rows"] = self._rows
        return found
