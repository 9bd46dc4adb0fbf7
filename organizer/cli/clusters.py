"""``organizer clusters``: look at the clusters and name them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from organizer.cli.session import (
    DebugOption,
    EmbedderOption,
    JsonOption,
    LibraryOption,
    WeightsOption,
    command,
    opened,
    plain,
    quiet_natives,
    say,
)

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
        from organizer.cli.show import number, print_json, print_table, short

        rows = found.clusters()
        if json:
            listed = [
                {
                    "cluster_id": c.cluster_id,
                    "name": c.name,
                    "count": c.count,
                    "share": c.share,
                    "cohesion": c.cohesion,
                    "unsure": c.unsure,
                    "medoid": c.medoid,
                    "examples": c.examples,
                }
                for c in rows
            ]
            print_json({"clusters": listed})
            return
        table = [
            [
                str(c.cluster_id),
                c.name or "-",
                f"{c.count:,}",
                f"{c.share:.1%}",
                number(c.cohesion),
                f"{c.unsure:,}",
                "\n".join(plain(short(path)) for path in c.examples),
            ]
            for c in rows
        ]
        print_table([">id", "name", ">images", ">share", ">cohesion", ">unsure", "examples"], table)


@clusters_app.command(epilog="Example: organizer clusters show 3")
def show(
    cluster_id: Annotated[int, typer.Argument(metavar="ID", help="A cluster's id.")],
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The images of a cluster, the most typical first."""
    with command(debug=debug), opened(library) as found:
        from organizer.cli.show import number, print_json, print_table, short

        members = found.cluster(cluster_id)
        name = found.name_of(cluster_id)
        if json:
            images = [
                {
                    "path": m.path,
                    "image_id": m.image_id,
                    "cluster_id": m.cluster_id,
                    "distance": m.distance,
                    "state": m.state,
                }
                for m in members
            ]
            print_json({"cluster_id": cluster_id, "name": name, "images": images})
            return
        title = (
            f"cluster {cluster_id}" + (f", {name}" if name else "") + f": {len(members):,} images"
        )
        rows = [[short(m.path), number(m.distance), m.state] for m in members]
        print_table(["path", ">distance", "state"], rows, title=title)


@clusters_app.command(epilog='Example: organizer clusters rename 3 "Red fox"')
def rename(
    cluster_id: Annotated[int, typer.Argument(metavar="ID", help="A cluster's id.")],
    name: Annotated[str, typer.Argument(help="Its name from now on.")],
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Name a cluster. The name stays with its images through every ingest and recluster."""
    with command(debug=debug), opened(library) as found:
        from organizer.cli.show import print_json, print_line

        found.rename(cluster_id, name)
        given = found.name_of(cluster_id)
        if json:
            print_json({"cluster_id": cluster_id, "name": given})
        else:
            print_line(f"cluster {cluster_id} is {given}")


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
