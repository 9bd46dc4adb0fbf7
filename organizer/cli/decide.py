"""``organizer clusters rename | merge | split | move | gather | not | pin | retire | history``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    command,
    opened,
)

if TYPE_CHECKING:
    from organizer.library import Library
    from organizer.library.corrections.report import DecisionReport

decide_app = typer.Typer()

IdArgument = Annotated[int, typer.Argument(metavar="ID", help="A cluster's id.")]
ImagesArgument = Annotated[
    list[str],
    typer.Argument(metavar="IMAGE", help="Paths, folders, or the beginnings of image ids."),
]
BurstOption = Annotated[
    bool,
    typer.Option(
        "--burst", help="Say it of their whole bursts: photos of one camera, seconds apart."
    ),
]


@decide_app.command(epilog='Example: organizer clusters rename 3 "Red fox"')
def rename(
    cluster_id: IdArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name from now on.")],
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Name a cluster. The name stays with its images through every ingest and recluster."""
    _decide(
        lambda found: found.corrections.rename(cluster_id, name), library, json=json, debug=debug
    )


@decide_app.command(epilog="Example: organizer clusters merge 3 7")
def merge(
    cluster_ids: Annotated[
        list[int], typer.Argument(metavar="ID", help="The first keeps its id and name.")
    ],
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Make one cluster of several. No recluster parts them again; organizer undo does."""
    _decide(lambda found: found.corrections.merge(cluster_ids), library, json=json, debug=debug)


@decide_app.command(epilog="Example: organizer clusters split 3 --k 2")
def split(
    cluster_id: IdArgument,
    k: Annotated[int, typer.Option("--k", metavar="N", help="How many parts.")] = 2,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Make several clusters of one; the largest part keeps the id. organizer undo takes it back."""
    _decide(lambda found: found.corrections.split(cluster_id, k=k), library, json=json, debug=debug)


@decide_app.command(epilog="Example: organizer clusters move photos/a.jpg photos/b.jpg --to 3")
def move(
    images: ImagesArgument,
    to: Annotated[int, typer.Option("--to", metavar="ID", help="The cluster.")],
    burst: BurstOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Put images into a cluster, for good. Files stay where they are."""
    _decide(
        lambda found: found.corrections.move(images, to, burst=burst),
        library,
        json=json,
        debug=debug,
    )


@decide_app.command(
    epilog="Example: organizer clusters gather photos/a.jpg photos/b.jpg --name Owl"
)
def gather(
    images: ImagesArgument,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The cluster's name; none if not given."),
    ] = None,
    burst: BurstOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Make a new cluster of images, for good, wherever they are now. Files stay where they are."""
    _decide(
        lambda found: found.corrections.new_cluster(images, name, burst=burst),
        library,
        json=json,
        debug=debug,
    )


@decide_app.command("not", epilog="Example: organizer clusters not photos/a.jpg --in 3")
def deny(
    images: ImagesArgument,
    cluster_id: Annotated[int, typer.Option("--in", metavar="ID", help="The cluster.")],
    burst: BurstOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say that images are not of a cluster: they leave it and never come back."""
    _decide(
        lambda found: found.corrections.exclude(images, cluster_id, burst=burst),
        library,
        json=json,
        debug=debug,
    )


@decide_app.command(epilog="Example: organizer clusters pin 3")
def pin(
    cluster_id: IdArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Keep a cluster through every recluster, without naming it."""
    _decide(lambda found: found.corrections.pin(cluster_id), library, json=json, debug=debug)


@decide_app.command(epilog="Example: organizer clusters retire 3")
def retire(
    cluster_id: IdArgument,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Dissolve a cluster: its images go where they fit, or become unsure; its id is no more."""
    _decide(lambda found: found.corrections.retire(cluster_id), library, json=json, debug=debug)


@decide_app.command(epilog="Example: organizer clusters history 3")
def history(
    cluster_id: Annotated[
        int | None, typer.Argument(metavar="ID", help="A cluster's id; all if not given.")
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """What became of the clusters: born, named, kept, split, merged, retired, brought back."""
    with command(debug=debug), opened(library) as found:
        from organizer.cli import clusters_output

        clusters_output.print_history(found.corrections.history(cluster_id), json=json)


def _decide(
    say: Callable[[Library], DecisionReport], library: Path | None, *, json: bool, debug: bool
) -> None:
    with command(debug=debug), opened(library) as found:
        from organizer.cli import clusters_output

        clusters_output.print_decision(say(found), json=json)
