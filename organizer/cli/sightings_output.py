"""Events and counts on the terminal and as JSON."""

from __future__ import annotations

from pathlib import Path

from organizer.cli.output import count_text, print_json, print_line, print_table, short
from organizer.cli.session import say
from organizer.library.sightings import CountsReport, EventsReport, SightingEvent
from organizer.library.sightings.api import shown_values, species_text

_PLACES = ("site", "deployment", "camera")
"""Columns whose values are shortened as paths are: their ends tell them apart."""


def print_events(report: EventsReport, *, csv: Path | None, json: bool) -> None:
    """Events to stdout, what is left out to stderr."""
    noun = "burst" if report.bursts else "event"
    if json:
        print_json(
            {
                "bursts" if report.bursts else "events": [_fields(e) for e in report.events],
                "gap_seconds": report.gap,
                "without_time": report.without_time,
                "with_people": report.people,
            }
        )
    elif csv is not None:
        print_line(f"{count_text(len(report.events), noun)} in {short(csv)}")
    else:
        rows = [
            [e.start.replace("T", " "), _end(e), _place(e), f"{e.images:,}", species_text(e)]
            for e in report.events
        ]
        if rows:
            place = "deployment" if any(e.deployment for e in report.events) else "camera"
            print_table(["start", "end", place, ">photos", "species"], rows, paths=(place,))
        print_line(f"{count_text(len(rows), noun)}; a gap of {_gap(report.gap)} ends one")
    verb = "is" if report.without_time == 1 else "are"
    _say_left_out(report.without_time, report.people, f"{verb} of no {noun}")


def print_counts(report: CountsReport, *, csv: Path | None, json: bool) -> None:
    """Counts to stdout, what is left out to stderr."""
    if json:
        print_json(
            {
                "by": report.by,
                "counts": [
                    dict(zip(report.by, row.values, strict=True))
                    | {"images": row.images, "events": row.events}
                    for row in report.rows
                ],
                "images": report.images,
                "events": report.events,
                "event_gap_seconds": report.event_gap,
                "without_time": report.without_time,
                "with_people": report.people,
            }
        )
    elif csv is not None:
        print_line(f"{count_text(len(report.rows), 'line')} in {short(csv)}")
    else:
        rows = [
            [*shown_values(report.by, row.values), f"{row.images:,}", f"{row.events:,}"]
            for row in report.rows
        ]
        blank = [""] * (len(report.by) - 1)
        total = ["total", *blank, f"{report.images:,}", f"{report.events:,}"]
        columns = [*report.by, ">images", ">events"]
        print_table(columns, [*rows, total], paths=_PLACES)
        print_line(f"an event ends where no photo follows for {_gap(report.event_gap)}")
    verb = "counts" if report.without_time == 1 else "count"
    _say_left_out(report.without_time, report.people, f"{verb} for no event")


def _fields(event: SightingEvent) -> dict[str, object]:
    return {
        "number": event.number,
        "start": event.start,
        "end": event.end,
        "site": event.site,
        "deployment": event.deployment,
        "camera": event.camera,
        "images": event.images,
        "species": [{"name": name, "images": n} for name, n in event.species.items()],
    }


def _end(event: SightingEvent) -> str:
    """The end, without the day where that is the one of the start."""
    day, time = event.end.split("T")
    return time if event.start.startswith(day) else f"{day} {time}"


def _place(event: SightingEvent) -> str:
    return event.deployment or event.camera or "unknown"


def _gap(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:g} seconds"
    return f"{seconds / 60:g} minutes"


def _say_left_out(without_time: int, people: int, what: str) -> None:
    if without_time:
        say(f"{count_text(without_time, 'image')} without a time {what}")
    if people:
        images = count_text(people, "image")
        say(f"{images} with people or vehicles left out; --with-people counts them")
