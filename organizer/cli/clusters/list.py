"""``organizer clusters``: the clusters, listed."""

from __future__ import annotations

import typer

from organizer.cli.session import DebugOption, JsonOption, LibraryOption, command, opened


def list_clusters(
    ctx: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The clusters, largest first."""
    if ctx.invoked_subcommand is not None:
        return
    with command(debug=debug), opened(library) as found:
        from organizer.cli.clusters import output

        output.print_clusters(
            found.clusters.summaries(),
            found.status().unassigned,
            found.clusters.groups(),
            json=json,
        )
