"""Which species was seen where and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from organizer.arguments import require_flag, require_path, require_texts
from organizer.export.spreadsheet import guarded
from organizer.library.csv_tables import write_table
from organizer.library.opening import OpenLibrary
from organizer.library.output_paths import require_suffix, resolve_output
from organizer.library.progress import Progress, progress_or_none
from organizer.library.sightings.counts import CountsReport, count_sightings
from organizer.library.sightings.events import EventsReport, SightingEvent, find_events

EVENT_COLUMNS = (
    "event", "start", "end", "site", "deployment", "camera", "images", "species",
)  # fmt: skip
"""The header of a table of events. `species` has the names with their numbers of images."""


class SightingTables:
    """Events and counts of a library, of all images but those with people.

    Images whose files are missing count too. An event is what follows each other within
    `Settings.event_gap` (half an hour) at one camera.

    Examples:
        >>> library.sightings.counts(["species", "month"]).events  # doctest: +SKIP
        17
    """

    def __init__(self, opened: OpenLibrary) -> None:
        self._store, self._settings = opened.store, opened.settings

    def events(self, *, bursts: bool = False, progress: Progress | None = None) -> EventsReport:
        """The events of the library: when, where, how many images of which species.

        Args:
            bursts: Whether to list bursts.
            progress: Receives the progress.
        """
        return find_events(
            self._store,
            bursts=require_flag("bursts", bursts),
            settings=self._settings,
            progress=progress_or_none(progress),
        )

    def counts(self, by: Sequence[str], *, progress: Progress | None = None) -> CountsReport:
        """Count images and independent events.

        Args:
            by: What to count by: species, site, deployment, camera, day, night, month, year.
            progress: Receives the progress.

        Raises:
            SettingsError: It cannot be counted by that.
        """
        return count_sightings(
            self._store,
            require_texts("by", by),
            settings=self._settings,
            progress=progress_or_none(progress),
        )

    def write_csv(
        self, report: EventsReport | CountsReport, to: str | Path, *, force: bool = False
    ) -> int:
        """Write events or counts as a CSV table.

        Args:
            report: What `events` or `counts` gave.
            to: The file.
            force: Whether a file that is there may be replaced.

        Returns:
            The number of its lines.

        Raises:
            SettingsError: The file cannot be written or replaced.
        """
        place = resolve_output(self._store, require_path("to", to), option="--csv")
        require_suffix(place, ".csv", option="--csv")
        header, lines = _table(report)
        rows = [[guarded(cell) if isinstance(cell, str) else cell for cell in row] for row in lines]
        hint = "choose another --csv"
        write_table(place, header, rows, force=require_flag("force", force), hint=hint)
        return len(rows)


def species_text(event: SightingEvent) -> str:
    """The species of an event with their numbers of images: "fox (3), unassigned (1)"."""
    return ", ".join(f"{name or 'unassigned'} ({count:,})" for name, count in event.species.items())


def _table(report: EventsReport | CountsReport) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
    if isinstance(report, CountsReport):
        rows = (
            [*shown_values(report.by, row.values), row.images, row.events] for row in report.rows
        )
        return (*report.by, "images", "events"), rows
    return EVENT_COLUMNS, (
        [
            event.number,
            event.start,
            event.end,
            event.site,
            event.deployment,
            event.camera,
            event.images,
            species_text(event),
        ]
        for event in report.events
    )


def shown_values(by: Sequence[str], values: Sequence[str | None]) -> list[str]:
    """The values of a line of counts, with "unknown" or "unassigned" for what is None."""
    unknown = ("unassigned" if name == "species" else "unknown" for name in by)
    return [value or other for value, other in zip(values, unknown, strict=True)]
