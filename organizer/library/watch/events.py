"""What a watcher tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from organizer.errors import OrganizerError
from organizer.library.ingest.report import IngestReport


class WatchEventKind(StrEnum):
    """What happened.

    - ``WATCHING``: a folder is watched from now on.
    - ``AWAY``: a folder is not there; its files are left as the library knows them.
    - ``BACK``: it is there again.
    - ``COPYING``: files are being written; they are waited for.
    - ``INGESTING``: files are being ingested.
    - ``INGESTED``: that has ended, or files that are gone were noted.
    - ``BUSY``: another process writes to the library; it is waited for.
    - ``FAILED``: an ingest failed; it is tried again.
    """

    WATCHING = "watching"
    AWAY = "away"
    BACK = "back"
    COPYING = "copying"
    INGESTING = "ingesting"
    INGESTED = "ingested"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One thing that happened while folders were watched.

    Attributes:
        kind: What happened.
        folder: Of ``WATCHING``, ``AWAY`` and ``BACK``: the folder.
        files: Of ``COPYING``: files that are not in the library yet. Of ``INGESTING``: those of
            them that are read now.
        report: Of ``INGESTED``: what was done.
        error: Of ``BUSY`` and ``FAILED``: why.
        retry_seconds: Of ``BUSY`` and ``FAILED``: seconds until it is tried again.
        at: When, in UTC.
    """

    kind: WatchEventKind
    folder: Path | None = None
    files: int | None = None
    report: IngestReport | None = None
    error: OrganizerError | None = None
    retry_seconds: float | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
