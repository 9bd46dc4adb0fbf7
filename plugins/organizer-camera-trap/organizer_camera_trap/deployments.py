"""``organizer deployments``: the places, periods and clocks of cameras.

organizer deployments template "{site}/{camera}/..."
organizer deployments write-csv deployments.csv     fill in latitude and longitude
organizer deployments read deployments.csv
organizer deployments shift ridge/cam1 +1h
organizer deployments check
organizer deployments split ridge/cam1 --gap 5d
organizer deployments remove "ridge/cam1 (2)"
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    command,
    opened,
    say,
)
from organizer.errors import SettingsError

app = typer.Typer()


@app.callback(
    invoke_without_command=True,
    epilog='Example: organizer deployments template "{site}/{camera}/..."',
)
def deployments(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Deployments: where and when cameras stood, by folders and a table; shifts of their clocks.

    Without a command it lists the deployments with their photos, and photos
    in none. The folders of a photo give its deployment: by a template (see
    template), or by the id as a folder's name (see read). Times are those of
    the camera's clock, with its shift. A photo without a time in its file has
    none: the date of the file is never used.
    """
    if context.invoked_subcommand is not None:
        if library is not None or json or debug:
            say(f"error: options come after {context.invoked_subcommand}")
            raise typer.Exit(2)
        return
    with command(debug=debug), opened(library) as found:
        from organizer_camera_trap import deployments_output

        deployments_output.show_deployments(
            found.deployments, found.deployments.summary(), json=json
        )


@app.command(epilog='Example: organizer deployments template "{site}/{camera}/..."')
def template(
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEMPLATE",
            help="Folders below the ingested one, with {deployment}, {site} or {camera} in them.",
        ),
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Remove the template.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Set how folders name a deployment, from the first folder below the ingested one on.

    "{site}/{camera}/..." makes ridge/cam1 of ridge/cam1/DCIM/IMG_1.JPG. Other
    names in braces and * match anything. Cards that were ingested folder by
    folder need a whole path: "/data/2024/{site}/{camera}". Quote it.
    """
    with command(debug=debug):
        if (text is None) != forget:
            raise SettingsError(
                "give a template, or --forget",
                'organizer deployments template "{site}/{camera}/..."',
            )
        with opened(library) as found:
            from organizer_camera_trap import deployments_output

            summary = found.deployments.set_template(text)
            deployments_output.show_deployments(found.deployments, summary, json=json)


@app.command(epilog="Example: organizer deployments read deployments.csv")
def read(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="A table of deployments.")],
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Read a table of deployments: id, latitude, longitude, start, end, location, camera, shift.

    The columns may be named as in Camtrap DP (deploymentID, deploymentStart).
    A photo in a folder named like an id belongs to that deployment.
    Deployments that are not in the table stay as they are. A line with a
    mistake is left out and listed; the others are read.
    """
    with command(debug=debug), opened(library) as found:
        from organizer_camera_trap import deployments_output

        report = found.deployments.read_csv(file)
        deployments_output.show_deployment_table(report, found.deployments, json=json)


@app.command(
    # -1h is a shift, not the option -h.
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
    epilog="Example: organizer deployments shift ridge/cam1 +1h",
)
def shift(
    deployment_id: Annotated[str, typer.Argument(metavar="ID", help="A deployment.")],
    by: Annotated[
        str | None,
        typer.Argument(metavar="SHIFT", help="+1h, -30m, +1d2h, +00:30:00, or seconds."),
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Start again from the camera's own times.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Correct the clock of a deployment: add a shift to all times of its camera.

    +1h twice is two hours. --reset starts again from the camera's own times;
    alone it removes the shift. No file is changed.
    """
    with command(debug=debug):
        from organizer.deployments import parse_shift

        if by is None and not reset:
            raise SettingsError(
                "a shift is missing", "+1h, -30m, +1d2h, or --reset to remove the shift"
            )
        seconds = parse_shift(by) if by is not None else 0
        with opened(library) as found:
            from organizer_camera_trap import deployments_output

            deployments_output.show_shift(
                found.deployments.shift(deployment_id, seconds, reset=reset), json=json
            )


@app.command("split", epilog="Example: organizer deployments split ridge/cam1 --gap 5d")
def split_deployments(
    deployment_id: Annotated[str, typer.Argument(metavar="ID", help="A deployment.")],
    gap: Annotated[
        str | None,
        typer.Option("--gap", metavar="TIME", help="Where there was no photo for 5d, 12h, ..."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="At a time of its own clock: 2024-05-01T12:00."),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Split a deployment in parts, each with a period and a shift of its own.

    For a camera that came back, and a clock that was set in between. The first
    part keeps the id, the next are called ID (2), ID (3). Times are those of
    the camera's own clock, before any shift. remove takes a part back.
    """
    with command(debug=debug):
        from organizer.deployments import parse_shift

        seconds = parse_shift(gap) if gap is not None else None
        with opened(library) as found:
            from organizer_camera_trap import deployments_output

            report = found.deployments.split(deployment_id, gap=seconds, at=at)
            deployments_output.show_parts(report, json=json)


@app.command(epilog="Example: organizer deployments remove ridge/cam1")
def remove(
    deployment_ids: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Deployments that were described.")
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Forget what was described of deployments: place, period and shift.

    Their photos are of the deployment that their folders name, or of none;
    those of a part are of the part before it again. No photo is changed.
    """
    with command(debug=debug), opened(library) as found:
        from organizer_camera_trap import deployments_output

        summary = found.deployments.remove(deployment_ids)
        deployments_output.show_deployments(found.deployments, summary, json=json)


@app.command(epilog="Example: organizer deployments check --timezone Europe/Berlin")
def check(
    timezone: Annotated[
        str | None,
        typer.Option("--timezone", metavar="ZONE", help="That of the clocks: Europe/Berlin."),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Look for clocks that were wrong, cameras that stopped or moved, and flashes that failed.

    Times before the deployment, after it or in the future; clocks that go back
    as the numbers of the files go on; with --timezone the hours in which
    summer time begins or ends; views that changed and stayed so, as those of a
    camera that was knocked or covered. Small movements are found with vectors
    of shapes: organizer ingest --embedder hog. Nothing is changed: see shift
    and split.
    """
    with command(debug=debug):
        from organizer_camera_trap.formats.camtrap_dp.zones import time_zone

        where = time_zone(timezone) if timezone is not None else None
        with opened(library) as found:
            from organizer_camera_trap import health_output
            from organizer_camera_trap.camera_health import check_cameras

            health_output.show_health(check_cameras(found, where=where), json=json)


@app.command("write-csv", epilog="Example: organizer deployments write-csv deployments.csv")
def write_csv(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Where to.")],
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write the deployments as a table to fill in.

    Read it back with organizer deployments read. It has the ids from the
    folders and the times of the first and last photo. Latitude, longitude,
    start and end are empty until you fill them in.
    """
    with command(debug=debug), opened(library) as found:
        from organizer_camera_trap import deployments_output

        count = found.deployments.write_csv(file, force=force)
        deployments_output.show_written_table(file.absolute(), count, typed=file, json=json)
