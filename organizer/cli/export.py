"""``organizer export``: the images with their clusters, in the format of another tool."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from organizer.cli.completion import complete_formats, complete_members
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
            help="csv, xlsx, parquet, megadetector-json, fiftyone, embedding-atlas, or a plugin's.",
            autocompletion=complete_formats,
        ),
    ],
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            "-o",
            metavar="PATH",
            help="The file or folder; - for a pipe (csv). Otherwise organizer.csv or the like.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file or folder that exists.")
    ] = False,
    vectors: Annotated[
        bool | None,
        typer.Option(
            "--vectors/--no-vectors",
            help="With vectors or without; if not given, only embedding-atlas has them.",
        ),
    ] = None,
    embedder: EmbedderOption = None,
    cluster: Annotated[
        list[str] | None,
        typer.Option(
            "--cluster",
            metavar="CLUSTER",
            help="Only this cluster, by its name or id, or unassigned; may be repeated.",
            autocompletion=complete_members,
        ),
    ] = None,
    include_missing: Annotated[
        bool, typer.Option("--include-missing", help="Also images whose files are missing.")
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
            help="Size of the pictures in embedding-atlas (96 if not given, 0 for none) and xlsx "
            "(none if not given).",
        ),
    ] = None,
    leave_out_incomplete: Annotated[
        bool,
        typer.Option(
            "--leave-out-incomplete",
            help="Leave out images that lack what the format requires; otherwise that is an error.",
        ),
    ] = False,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="An option of the format; may be repeated. --options lists them.",
        ),
    ] = None,
    options: Annotated[
        bool, typer.Option("--options", help="List the options of the format, and end.")
    ] = False,
    with_people: PeopleOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write the images with cluster, name, distance and metadata for another tool.

    csv, xlsx, parquet and fiftyone have absolute paths; megadetector-json has
    paths relative to the folder that holds all photos, which it names, unless
    --relative-to gives one. Unassigned images have no cluster but a candidate.
    Nothing is overwritten without --force. Some formats have options of their
    own: organizer export FORMAT --options.
    """
    with command(debug=debug):
        from organizer.cli import export_output

        if options:
            from organizer.cli.part_options import print_options
            from organizer.library.exports.format_options import format_options

            print_options(format, format_options(format), json=json)
            return
        if to == _PIPE and json:
            raise SettingsError("--to - and --json both write to stdout", "leave one out")
        with opened(library, with_people=with_people or None) as found:
            from organizer.cli.part_options import assigned
            from organizer.cli.progress_bar import progress_bar
            from organizer.library.exports import ExportOptions

            selection = ExportOptions(
                vectors,
                embedder,
                cluster or (),
                include_missing,
                relative_to,
                leave_out_incomplete=leave_out_incomplete,
            )
            preset = {} if thumbnails is None else {"thumbnails": thumbnails}
            params = assigned(assignments or (), preset)
            with quiet_natives(debug=debug), progress_bar() as progress:
                report = found.exports.write(
                    format,
                    sys.stdout.buffer if to == _PIPE else to,
                    selection,
                    params=params,
                    force=force,
                    progress=progress,
                )
        export_output.print_export(report, json=json)
