"""``organizer clusters``: the clusters, listed."""

from __future__ import annotations

from typing import Annotated

import typer

from organizer.cli.session import DebugOption, JsonOption, LibraryOption, command, opened


def list_clusters(
    ctx: typer.Context,
    new: Annotated[
        bool, typer.Option("--new", help="Only the novel clusters that the last ingest found.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The clusters, largest first."""
    if ctx.invoked_subcommand is not None:
        return
    with command(debug=debug), opened(library) as found:
        from organizer.cli.clusters import output

        rows = found.clusters.summaries()
        if new:
            news = found.clusters.news()
            novel = news.novel if news else ()
            output.print_new([row for row in rows if row.cluster_id in novel], json=json)
            return
        output.print_clusters(
            rows,
            found.status().unassigned,
            found.clusters.groups(),
            json=json,
        )
