"""What was exported, and the options of a format, on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from organizer.cli.output import count_text, print_json, print_line, short
from organizer.cli.session import say
from organizer.fields.export import export_fields
from organizer.library.exports import ExportReport
from organizer.typed import as_typed
from organizer.types import ExportOption


def print_options(format: str, options: Mapping[str, ExportOption], *, json: bool) -> None:
    """The options of a format."""
    if json:
        print_json({"options": [{"name": n, **asdict(option)} for n, option in options.items()]})
        return
    for name, option in options.items():
        print_line(f"--set {name}={as_typed(option.example) if option.example else '...'}")
        print_line(f"    {option.help}{' (needed)' if option.needed else ''}")
    if not options:
        say(f"{format} has no options of its own")


def print_export(report: ExportReport, *, json: bool) -> None:
    """What was written to stdout, unless that is the export itself; what was not to stderr."""
    if json:
        print_json(export_fields(report))
    elif report.to is not None:
        print_line(f"{count_text(report.images, 'image')}: {short(report.to)}")
    for note in _notes(report):
        say(note)


def _notes(report: ExportReport) -> list[str]:
    notes = {
        "there are no clusters yet, so their columns are empty: organizer recluster": (
            not report.clustered
        ),
        f"left out, their files are missing: {report.missing:,} (--include-missing)": (
            report.missing
        ),
        f"left out, they have no vector: {report.without_vector:,}": report.without_vector,
        f"left out, a person or a vehicle is in the photo: {report.people:,} (--with-people)": (
            report.people
        ),
        f"left out, the format holds no videos: {report.videos:,}": report.videos,
        **{
            f"left out, they have no {what}: {number:,}": number
            for what, number in report.incomplete.items()
        },
        f"to go on: {report.opened_with}": report.opened_with,
    }
    return [note for note, applies in notes.items() if applies]
