"""``organizer clusters history``: what happened to the clusters."""

from __future__ import annotations

from typing import Annotated

import typer

from organizer.cli.completion import complete_clusters
from organizer.cli.session import DebugOption, JsonOption, LibraryOption, command, opened


def history(
    cluster: Annotated[
        str | None,
        typer.Argument(
            metavar="[CLUSTER]",
            help="A cluster's name or id; all if not given.",
            autocompletion=complete_clusters,
        ),
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
        from organizer.library.cluster_names import as_cluster_id

        cluster_id = None if cluster is None else as_cluster_id(cluster)
        if cluster is not None and cluster_id is None:  # an id may be that of a cluster that went
            cluster_id = found.clusters.id_of(cluster)
        output.print_history(found.corrections.history(cluster_id), all_steps=all_steps, json=json)
