"""``organizer export``: the images with their clusters, for another tool."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from organizer.cli.session import (
    DebugOption,
    EmbedderOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    command,
    opened,
    quiet_natives,
)
from organizer.errors import SettingsError

_PIPE = Path("-")


def export(
    format: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            help="csv, parquet, megadetector-json, fiftyone, embedding-atlas, or a plugin's.",
        ),
    ],
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            "-o",
            metavar="PATH",
            help="Where to; - for a pipe (csv). Otherwise organizer.csv or the like, here.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is there; otherwise it is left alone.")
    ] = False,
    vectors: Annotated[
        bool | None,
        typer.Option(
            "--vectors/--no-vectors",
            help="With vectors or without; embedding-atlas has them if nothing is said.",
        ),
    ] = None,
    embedder: EmbedderOption = None,
    cluster: Annotated[
        list[str] | None,
        typer.Option(
            "--cluster",
            metavar="ID",
            help="Only this cluster, by id or name, or the word unsure; may be repeated.",
        ),
    ] = None,
    include_missing: Annotated[
        bool, typer.Option("--include-missing", help="Also images whose files are gone.")
    ] = False,
    relative_to: Annotated[
        Path | None,
        typer.Option(
            "--relative-to", metavar="FOLDER", help="Write paths relative to this folder."
        ),
    ] = None,
    thumbnails: Annotated[
        int | None,
        typer.Option(
            "--thumbnails",
            metavar="PIXELS",
            help="Size of the pictures in embedding-atlas: 96 if not given, 0 for none.",
        ),
    ] = None,
    leave_out_incomplete: Annotated[
        bool,
        typer.Option(
            "--leave-out-incomplete",
            help="Go on without images of which the format must know more.",
        ),
    ] = False,
    chosen: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="An option of the format; may be repeated. --options lists them.",
        ),
    ] = None,
    options: Annotated[
        bool, typer.Option("--options", help="List the options of the format, and stop.")
    ] = False,
    with_people: PeopleOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write the images with cluster, name, distance and metadata for another tool.

    csv, parquet and fiftyone have absolute paths, megadetector-json has them
    relative to the folder that holds all photos (it says which), unless
    --relative-to names one. Images that are unsure have no cluster but a
    candidate. Nothing is overwritten without --force. Some formats have options
    of their own: organizer export FORMAT --options.
    """
    with command(debug=debug):
        from organizer.cli import export_output

        if options:
            from organizer.library.exports.format_options import format_options

            export_output.print_options(format, format_options(format), json=json)
            return
        if to == _PIPE and json:
            raise SettingsError("--to - and --json both write to stdout", "leave one out")
        with opened(library, with_people=with_people or None) as found:
            from organizer.cli.progress_bar import progress_bar
            from organizer.library.exports import ExportOptions

            choice = ExportOptions(
                vectors,
                embedder,
                cluster or (),
                include_missing,
                relative_to,
                leave_out_incomplete=leave_out_incomplete,
            )
            params = _params(chosen or (), thumbnails)
            with quiet_natives(debug=debug), progress_bar() as progress:
                report = found.exports.write(
                    format,
                    sys.stdout.buffer if to == _PIPE else to,
                    choice,
                    params=params,
                    force=force,
                    progress=progress,
                )
        export_output.print_export(report, json=json)


def _params(chosen: Sequence[str], thumbnails: int | None) -> dict[str, Any]:
    """The options of the format, as they were typed."""
    params: dict[str, Any] = {} if thumbnails is None else {"thumbnails": thumbnails}
    for text in chosen:
        name, equals, value = text.partition("=")
        if not (equals and name):
            raise SettingsError(f"--set {text} sets nothing", "--set NAME=VALUE")
        if name in params:
            raise SettingsError(f"{name} is set twice", "leave one out")
        params[name] = value
    return params
