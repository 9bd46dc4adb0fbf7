"""``organizer deployments``: where cameras stood, how long, and whether their clocks were right.

organizer deployments template '{site}/{camera}/...'
organizer deployments write-csv deployments.csv     fill in latitude and longitude
organizer deployments read deployments.csv
organizer deployments shift ridge/cam1 +1h
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from organizer.library.deployments.api import DeploymentTableReport

app = typer.Typer()


@app.callback(
    invoke_without_command=True,
    epilog="Example: organizer deployments template '{site}/{camera}/...'",
)
def deployments(
    context: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Where cameras stood and how long, by folders and a table; shifts of their clocks.

    Alone it lists the deployments with their photos, and what is of none. A
    photo is of the deployment that its folders tell (see template), or that a
    folder is named after (see read). Times are those of the camera's clock,
    with its shift. A photo whose file tells no time has none: the date of the
    file is never taken for it.
    """
    if context.invoked_subcommand is not None:
        if library is not None or json or debug:
            say(f"error: options come after {context.invoked_subcommand}")
            raise typer.Exit(2)
        return
    with command(debug=debug), opened(library) as found:
        from organizer_camera_trap import show_deployments

        show_deployments.show(found.deployments.summary(), json=json)


@app.command(epilog="Example: organizer deployments template '{site}/{camera}/...'")
def template(
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEMPLATE",
            help="Folders below the ingested one, with {deployment}, {site} or {camera} in them.",
        ),
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Have no template any more.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say how folders tell a deployment, from the first folder below the ingested one on.

    '{site}/{camera}/...' makes ridge/cam1 of ridge/cam1/DCIM/IMG_1.JPG. Other
    names in braces and * stand for anything. Cards that were ingested folder
    by folder take a whole path: '/data/2024/{site}/{camera}'. Quote it.
    """
    with command(debug=debug):
        if (text is None) != forget:
            raise SettingsError(
                "give a template, or --forget", "organizer deployments template '{site}/{camera}'"
            )
        with opened(library) as found:
            from organizer_camera_trap import show_deployments

            show_deployments.show(found.deployments.set_template(text), json=json)


@app.command(epilog="Example: organizer deployments read deployments.csv")
def read(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="A table of deployments.")],
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Take in a table of deployments: id, latitude, longitude, start, end, location, camera, shift.

    The columns may be named as in Camtrap DP (deploymentID, deploymentStart).
    A photo in a folder of the name of an id is of that deployment. Deployments
    that the table does not have stay as they are. A table with a mistake is
    refused whole, and every mistake named by its line.
    """
    with command(debug=debug), opened(library) as found:
        from organizer_camera_trap import show_deployments

        report = found.deployments.read_csv(file)
        if json:
            show_deployments.show_table(report, found.deployments.summary())
        else:
            show_deployments.show(found.deployments.summary(), json=False)
            _say_table(report)


@app.command(
    # -1h is a shift and no option, not even that for help.
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
        bool, typer.Option("--reset", help="Begin from what the camera wrote.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Put the clock of a deployment right: what is added to every time that its camera wrote.

    Twice +1h is two hours. With --reset it is from what the camera wrote: --reset
    alone takes every shift back. No file is changed.
    """
    with command(debug=debug):
        from organizer.deployments import parse_shift

        if by is None and not reset:
            raise SettingsError("say by how much", "+1h, -30m, +1d2h, or --reset to nothing")
        seconds = parse_shift(by) if by is not None else 0
        with opened(library) as found:
            from organizer_camera_trap import show_deployments

            show_deployments.show_shift(
                found.deployments.shift(deployment_id, seconds, reset=reset), json=json
            )


@app.command("write-csv", epilog="Example: organizer deployments write-csv deployments.csv")
def write_csv(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Where to.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write the deployments as a table to fill in.

    Then take it in with organizer deployments read. It has the ids that the
    folders tell and the times of the first and last photo. Latitude,
    longitude, start and end are empty until you told them.
    """
    with command(debug=debug), opened(library) as found:
        from organizer.cli.output import print_json, print_line, short
        from organizer_camera_trap.show_deployments import counted

        count = found.deployments.write_csv(file, force=force)
        if json:
            print_json({"to": file.absolute(), "deployments": count})
        else:
            print_line(f"{counted(count, 'deployment')}: {short(file.absolute())}")
            say(f"to go on: fill it in, then organizer deployments read {file}")


def _say_table(report: DeploymentTableReport) -> None:
    from organizer_camera_trap.show_deployments import named

    counts = {"new": len(report.new), "changed": len(report.changed), "as before": report.same}
    say("read: " + ", ".join(f"{count:,} {what}" for what, count in counts.items() if count))
    if report.without_images:
        say(f"of the table, without a photo: {named(report.without_images)}")
    if report.not_in_table:
        say(f"with photos, not in the table: {named(report.not_in_table)}")
    if report.unused:
        say(f"columns left alone: {named(report.unused)}")
