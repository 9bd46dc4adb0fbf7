"""The decisions: ``organizer clusters rename | merge | split | move | new | exclude | ...``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.completion import complete_clusters
from organizer.cli.session import (
    ClusterArgument,
    DebugOption,
    JsonOption,
    LibraryOption,
    UserOption,
    command,
    opened,
)

if TYPE_CHECKING:
    from organizer.library import Library
    from organizer.library.corrections.report import DecisionReport

ImagesArgument = Annotated[
    list[str],
    typer.Argument(metavar="IMAGE", help="Paths, folders, or the beginnings of image ids."),
]
BurstOption = Annotated[
    bool,
    typer.Option(
        "--burst", help="Decide for their whole bursts: photos of one camera, seconds apart."
    ),
]


def rename(
    cluster: ClusterArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Name a cluster. The name stays with its images through every ingest and recluster."""
    _decide(
        lambda found: found.corrections.rename(found.clusters.id_of(cluster), name),
        library,
        user=user,
        json=json,
        debug=debug,
    )


def merge(
    clusters: Annotated[
        list[str],
        typer.Argument(
            metavar="CLUSTER",
            help="Names or ids. The first keeps its id and name.",
            autocompletion=complete_clusters,
        ),
    ],
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Merge clusters into one. No recluster separates them again; organizer undo does."""
    _decide(
        lambda found: found.corrections.merge([found.clusters.id_of(one) for one in clusters]),
        library,
        user=user,
        json=json,
        debug=debug,
    )


def split(
    cluster: ClusterArgument,
    k: Annotated[int, typer.Option("--k", metavar="N", help="The number of parts.")] = 2,
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Split a cluster into several; the largest part keeps the id. organizer undo reverts it."""
    _decide(
        lambda found: found.corrections.split(found.clusters.id_of(cluster), k=k),
        library,
        user=user,
        json=json,
        debug=debug,
    )


def move(
    images: ImagesArgument,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="CLUSTER",
            help="The cluster, by its name or id.",
            autocompletion=complete_clusters,
        ),
    ],
    burst: BurstOption = False,
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Move images into a cluster, for good. Files stay where they are."""
    _decide(
        lambda found: found.corrections.move(images, found.clusters.id_of(to), burst=burst),
        library,
        user=user,
        json=json,
        debug=debug,
    )


def new(
    images: ImagesArgument,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The cluster's name; none if not given."),
    ] = None,
    burst: BurstOption = False,
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Make a new cluster of images, for good, whichever cluster they are in now.

    Files stay where they are.
    """
    _decide(
        lambda found: found.corrections.new_cluster(images, name, burst=burst),
        library,
        user=user,
        json=json,
        debug=debug,
    )


def exclude(
    images: ImagesArgument,
    cluster: Annotated[
        str,
        typer.Option(
            "--in",
            metavar="CLUSTER",
            help="The cluster, by its name or id.",
            autocompletion=complete_clusters,
        ),
    ],
    burst: BurstOption = False,
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Exclude images from a cluster: they leave it and are never assigned to it again."""
    _decide(
        lambda found: found.corrections.exclude(images, found.clusters.id_of(cluster), burst=burst),
        library,
        user=user,
        json=json,
        debug=debug,
    )


def pin(
    cluster: ClusterArgument,
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Keep a cluster through every recluster, without naming it."""
    _decide(
        lambda found: found.corrections.pin(found.clusters.id_of(cluster)),
        library,
        user=user,
        json=json,
        debug=debug,
    )


def retire(
    cluster: ClusterArgument,
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Dissolve a cluster: its images are assigned to others where they fit, or unassigned.

    Its id is never used again.
    """
    _decide(
        lambda found: found.corrections.retire(found.clusters.id_of(cluster)),
        library,
        user=user,
        json=json,
        debug=debug,
    )


def _decide(
    decide: Callable[[Library], DecisionReport],
    library: Path | None,
    *,
    user: str | None,
    json: bool,
    debug: bool,
) -> None:
    with command(debug=debug), opened(library, user=user) as found:
        from organizer.cli.clusters import output

        output.print_decision(decide(found), json=json)
