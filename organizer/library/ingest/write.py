"""An ingest as one write of an open library, with the upkeep after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from organizer.library.ingest.report import IngestReport
from organizer.library.ingest.run import run_ingest
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress
from organizer.protocols import Embedder
from organizer.types import ImageRef, Outcome


def write_ingest(
    opened: OpenLibrary,
    starts: Sequence[Path],
    *,
    embedder: str | Embedder | None,
    progress: Progress,
    stop: Callable[[], bool],
    pause: Callable[[], None] = lambda: None,
    other_weights: bool = False,
    is_complete: Callable[[ImageRef], bool] | None = None,
    verify: bool = False,
    reread_metadata: bool = False,
) -> IngestReport:
    """Hold the library for writing, ingest, and tidy up; see `run_ingest`.

    Raises:
        LibraryBusyError: Another process writes.
        OrganizerError: As `organizer.library.Library.ingest` raises.
    """
    with opened.writing() as was_interrupted:
        report = run_ingest(
            opened.store,
            starts,
            was_interrupted=was_interrupted,
            embedder=embedder,
            other_weights=other_weights,
            settings=opened.settings,
            progress=progress,
            stop=stop,
            pause=pause,
            is_complete=is_complete,
            verify=verify,
            reread_metadata=reread_metadata,
        )
        if sum(report.counts.values()) > report.counts[Outcome.UNCHANGED]:
            opened.tidy()
    return report
