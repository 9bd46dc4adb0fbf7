"""``organizer events`` and ``organizer counts``: what was seen where and when."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    command,
    opened,
)

CsvOption = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="Write a CSV table in place of it.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace a file that exists.")]


def events(
    bursts: Annotated[
        bool, typer.Option("--bursts", help="Bursts (a few seconds) in place of events.")
    ] = False,
    csv: CsvOption = None,
    force: ForceOption = False,
    with_people: PeopleOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List the events: start, end, deployment, number of photos, species.

    Photos of one camera that follow each other within 30 minutes are one event
    (the setting event_gap). Photos without a time are of none; their number is
    told.
    """
    with command(debug=debug), opened(library, with_people=with_people or None) as found:
        from organizer.cli import sightings_output
        from organizer.cli.progress_bar import progress_bar

        with progress_bar() as progress:
            report = found.sightings.events(bursts=bursts, progress=progress)
        if csv is not None:
            found.sightings.write_csv(report, csv, force=force)
        sightings_output.print_events(report, csv=csv, json=json)


def counts(
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="LIST",
            help="What to count by, with commas: species, site, deployment, camera, day, night, "
            "month, year.",
        ),
    ] = "species",
    csv: CsvOption = None,
    force: ForceOption = False,
    with_people: PeopleOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Count images and independent events by species, place and time.

    A species is a cluster with its name; a site is the place of a deployment. A
    night is from noon to noon, and has the date of its evening. An image that
    shows several species counts for each, and once in the total.
    """
    with command(debug=debug), opened(library, with_people=with_people or None) as found:
        from organizer.cli import sightings_output
        from organizer.cli.progress_bar import progress_bar

        names = [name.strip() for name in by.split(",") if name.strip()]
        with progress_bar() as progress:
            report = found.sightings.counts(names, progress=progress)
        if csv is not None:
            found.sightings.write_csv(report, csv, force=force)
        sightings_output.print_counts(report, csv=csv, json=json)
