"""Which files are complete: those that stay as they are for a while."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from organizer.library.ingest.run import PendingFiles
from organizer.types import ImageRef


@dataclass(slots=True)
class WaitingFiles:
    """What waits for the next ingest, and since when it is as it is.

    Times are seconds of a clock that never goes back.

    Attributes:
        settle: Seconds for which a file has to stay as it is to count as complete.
        began: Since when something waits; None while nothing does.
        gone: Number of files that are gone, and of those that are there again.
    """

    settle: float
    began: float | None = None
    gone: tuple[int, int] = (0, 0)
    _gone_since: float = 0.0
    _since: dict[ImageRef, float] = field(default_factory=dict)
    _read: frozenset[ImageRef] = frozenset()

    def __len__(self) -> int:
        return len(self._since)

    def update(self, pending: PendingFiles, now: float) -> None:
        """Take over what was found now."""
        refs = set(pending.refs)  # a file that has changed is another ref
        self._read &= refs
        self._since = {ref: self._since.get(ref, now) for ref in refs - self._read}
        if (pending.gone, pending.returned) != self.gone:
            self.gone, self._gone_since = (pending.gone, pending.returned), now
        if not self._since and not any(self.gone):
            self.began = None
        elif self.began is None:
            self.began = now

    def is_steady(self, now: float) -> bool:
        """Whether every file is complete, and none has gone or come back lately."""
        return now - max([self._gone_since, *self._since.values()]) >= self.settle

    def complete(self, now: float) -> frozenset[ImageRef]:
        """The files that an ingest may read.

        Those are among them that one has read before and that wait no more: why it could not
        store them may have gone, as a permission.
        """
        steady = (ref for ref, since in self._since.items() if now - since >= self.settle)
        return self._read.union(steady)

    def has_read(self, refs: frozenset[ImageRef]) -> None:
        """An ingest has read these: what it could not store waits no more until it changes."""
        self._read = refs
        self._since = {ref: since for ref, since in self._since.items() if ref not in refs}
        self.began = None

    def touch(self, files: Iterable[Path]) -> None:
        """Something about these files changed, if only who may read them: they wait again."""
        touched = set(files)
        self._read = frozenset(ref for ref in self._read if ref.file not in touched)
