"""The events of a watcher on the terminal and as JSON, a line each."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from organizer.cli.ingest_output import say_failed_checks
from organizer.cli.output import count_text, print_json_line, print_line, short
from organizer.cli.progress_bar import Bar, progress_bar
from organizer.cli.session import say
from organizer.fields.ingest import ingest_fields
from organizer.library.ingest.report import IngestReport
from organizer.library.watch.events import WatchEvent, WatchEventKind
from organizer.types import Outcome


class WatchOutput:
    """Prints events on stdout, and on a terminal the progress of each ingest.

    It is the `organizer.library.Progress` of the watcher: a bar is shown from the event that an
    ingest begins to the next one.
    """

    def __init__(self, *, json: bool) -> None:
        self._json = json
        self._shown = ExitStack()
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_bar()

    def begin(self, task: str, total: int | None) -> None:
        """See `organizer.library.Progress`."""
        if self._bar is not None:
            self._bar.begin(task, total)

    def advance(self, steps: int = 1) -> None:
        """See `organizer.library.Progress`."""
        if self._bar is not None:
            self._bar.advance(steps)

    def note(self, text: str) -> None:
        """Print a line on stderr."""
        if self._bar is not None:
            self._bar.note(text)
        else:
            say(text)

    def print(self, event: WatchEvent) -> None:
        """Print an event."""
        self._close_bar()
        if self._json:
            print_json_line(_fields(event))
        else:
            print_line(f"{event.at.astimezone():%H:%M:%S}  {_text(event)}")
        if event.error is not None and event.error.hint and not self._json:
            say(f"hint: {event.error.hint}")
        if event.report is not None:
            for remark in event.report.remarks if not self._json else ():
                print_line(f"          look at: {remark.text}")
            say_failed_checks(event.report)
        if event.report is not None and event.report.unusable:
            files = count_text(event.report.unusable, "file")
            say(f"{files} could not be used; each with its reason: organizer problems")
        if event.kind is WatchEventKind.INGESTING:
            self._bar = self._shown.enter_context(progress_bar())

    def _close_bar(self) -> None:
        self._bar = None
        self._shown.close()


def _fields(event: WatchEvent) -> dict[str, object]:
    return {
        "event": event.kind.value,
        "at": event.at.isoformat(timespec="milliseconds"),
        "folder": None if event.folder is None else str(event.folder),
        "files": event.files,
        "ingest": None if event.report is None else ingest_fields(event.report),
        "error": None if event.error is None else event.error.message,
        "hint": None if event.error is None else event.error.hint or None,
        "retry_seconds": event.retry_seconds,
    }


def _text(event: WatchEvent) -> str:
    word = event.kind.value
    if event.folder is not None:
        return f"{word}: {short(event.folder)}{_AFTER_FOLDER.get(event.kind, '')}"
    if event.report is not None:
        return f"{word}: {_what_was_done(event.report)}"
    if event.error is not None:
        return f"{word}: {event.error.message}; trying again"
    files = count_text(event.files or 0, "file")
    return f"{word}: {files}" + (", waiting" if event.kind is WatchEventKind.COPYING else "")


_AFTER_FOLDER = {
    WatchEventKind.AWAY: " is not there, or empty without its drive; waiting",
}


def _what_was_done(report: IngestReport) -> str:
    counts = [
        f"{report.counts[outcome]:,} {outcome.value.replace('_', ' ')}"
        for outcome in Outcome
        if report.counts[outcome] and outcome is not Outcome.UNCHANGED
    ]
    if report.replaced:
        counts.append(f"{report.replaced:,} in the place of other photos")
    if report.compared or report.novel:
        counts.append(f"{report.compared - report.unassigned:,} assigned")
        counts.append(f"{report.unassigned:,} unassigned")
    counts += [
        f"novel cluster {novel.cluster_id} of {count_text(novel.images, 'image')}"
        for novel in report.novel
    ]
    stopped = "; stopped" if report.interrupted else ""
    images = count_text(report.images, "image")
    return f"{', '.join(counts) or 'nothing new'} ({images} in the library){stopped}"
