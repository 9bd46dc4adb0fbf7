"""``organizer clusters``: look at the clusters; `decide` has what a person says about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.session import (
    DebugOption,
    EmbedderOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    WeightsOption,
    command,
    opened,
    parse_id,
    quiet_natives,
    say,
)

if TYPE_CHECKING:
    from organizer.library.images.crops import PhotoGroup

clusters_app = typer.Typer(
    help="The clusters: id, name, images, share, cohesion, example paths.",
    epilog='Example: organizer clusters; organizer clusters rename 3 "Red fox"',
    context_settings={"help_option_names": ["-h", "--help"]},
)


@clusters_app.callback(invoke_without_command=True)
def clusters(
    ctx: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The clusters, largest first."""
    if ctx.invoked_subcommand is not None:
        return
    with command(debug=debug), opened(library) as found:
        from organizer.cli import clusters_output

        groups = found.clusters.groups()
        clusters_output.print_clusters(
            found.clusters.summaries(), found.status().unsure, groups, json=json
        )


@clusters_app.command(epilog="Example: organizer clusters show 3; organizer clusters show unsure")
def show(
    cluster: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A cluster's id, or one of the words unsure, empty, people, vehicles, "
            "no-detector-result.",
        ),
    ],
    with_people: PeopleOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The images of a cluster, the most typical first; or those that are in none."""
    with command(debug=debug):
        group = _group(cluster)
        cluster_id = None if group or cluster == "unsure" else parse_id(cluster)
        with opened(library, with_people=with_people or None) as found:
            from organizer.cli import clusters_output

            if group:
                clusters_output.print_photos(found.clusters.photos_in(group), group, json=json)
                return
            if cluster_id is None:
                name, rows = None, found.clusters.unassigned()
            else:
                name, rows = found.clusters.name_of(cluster_id), found.clusters.members(cluster_id)
            clusters_output.print_members(rows, cluster_id, name, json=json)
            clusters_output.print_hidden(found.clusters.count_hidden(cluster_id))


def _group(word: str) -> PhotoGroup | None:
    """The group of photos that a word means."""
    from organizer.library.images.crops import PhotoGroup

    named = {
        group.value.replace(" ", "-"): group
        for group in PhotoGroup
        if group is not PhotoGroup.ANIMALS
    }
    return named.get(word.replace(" ", "-"))


@clusters_app.command(
    "suggest-names", epilog="Example: organizer clusters suggest-names -l names.txt"
)
def suggest_names(
    labels: Annotated[
        Path,
        typer.Option(
            "--labels", "-l", metavar="FILE", help="The names to choose from, one a line."
        ),
    ],
    embedder: EmbedderOption = None,
    weights: WeightsOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Propose a name for each cluster, with its confidence; you decide, nothing is named.

    Needs the vectors of an embedder that reads texts, for example
    organizer ingest --embedder openclip:ViT-B-32/laion2b_s34b_b79k
    """
    with command(debug=debug), opened(library, weights=weights) as found:
        from dataclasses import asdict

        from organizer.cli.output import print_json, print_table
        from organizer.library.search.text import read_labels

        with quiet_natives(debug=debug):
            rows = found.clusters.suggest_names(read_labels(labels), embedder=embedder)
        if json:
            print_json({"suggestions": [asdict(row) for row in rows]})
            return
        table = [
            [
                str(row.cluster_id),
                row.name or "-",
                f"{row.images:,}",
                row.suggestion,
                f"{row.confidence:.0%}",
                f"{row.second} {row.second_confidence:.0%}" if row.second else "-",
            ]
            for row in rows
        ]
        print_table([">id", "name", ">images", "suggestion", ">confidence", "or"], table)
        say(f'to accept one: organizer clusters rename {rows[0].cluster_id} "NAME"')
