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
    from organizer.library.crops import Group

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
        from organizer.cli import show_clusters

        groups = found.groups_beside()
        show_clusters.clusters(found.clusters(), found.status().unsure, groups, json=json)


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
            from organizer.cli import show_clusters

            if group:
                show_clusters.photos(found.photos_in(group), group, json=json)
                return
            name = found.name_of(cluster_id) if cluster_id is not None else None
            show_clusters.members(found.cluster(cluster_id), cluster_id, name, json=json)
            show_clusters.left_out(found.hidden_in(cluster_id))


def _group(word: str) -> Group | None:
    """The group of photos that a word means."""
    from organizer.library.crops import Group

    named = {group.value.replace(" ", "-"): group for group in Group if group is not Group.ANIMALS}
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

        from organizer.cli.show import print_json, print_table
        from organizer.library.texts import read_labels

        with quiet_natives(debug=debug):
            rows = found.suggest_names(read_labels(labels), embedder=embedder)
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
