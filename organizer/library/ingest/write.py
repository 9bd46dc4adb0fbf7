"""An ingest as one write of an open library, with the upkeep after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from organizer.capture_times import NamePattern
from organizer.library.ingest.remarks import checks_of
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
    other_weights: bool = False,
    confirm_missing: bool = False,
    is_complete: Callable[[ImageRef], bool] | None = None,
    name_times: NamePattern | None = None,
    verify: bool = False,
    reread_metadata: bool = False,
    waits: bool = True,
    library: Any,
) -> IngestReport:
    """Keep other writers out but for decisions, ingest, tidy up, and ask the checks of plugins.

    See `run_ingest`; the library is what the checks are given.

    Raises:
        LibraryBusyError: Another process writes.
        OrganizerError: As `organizer.library.Library.ingest` raises.
    """
    with opened.ingesting(waits=waits) as was_interrupted:
        report = run_ingest(
            opened.store,
            starts,
            was_interrupted=was_interrupted,
            embedder=embedder,
            other_weights=other_weights,
            settings=opened.settings,
            progress=progress,
            stop=stop,
            confirm_missing=confirm_missing,
            is_complete=is_complete,
            name_times=name_times,
            verify=verify,
            reread_metadata=reread_metadata,
        )
        if sum(report.counts.values()) > report.counts[Outcome.UNCHANGED]:
            opened.tidy_after_ingest()
    if not report.interrupted:
        report.remarks, report.failed_checks = checks_of(library, report.came)
    return report
