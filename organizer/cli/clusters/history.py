"""``organizer clusters history``: what happened to the clusters."""

from __future__ import annotations

from typing import Annotated

import typer

from organizer.cli.session import DebugOption, JsonOption, LibraryOption, command, opened


def history(
    cluster_id: Annotated[
        int | None, typer.Argument(metavar="ID", help="A cluster's id; all if not given.")
    ] = None,
    all_steps: Annotated[
        bool, typer.Option("--all", help="Also what was undone, and when.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """What happened to the clusters and holds: found, named, kept, split, merged, retired."""
    with command(debug=debug), opened(library) as found:
        from organizer.cli.clusters import output

        output.print_history(found.corrections.history(cluster_id), all_steps=all_steps, json=json)
