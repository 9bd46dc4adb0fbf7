"""``organizer recluster``: all images clustered again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.completion import complete_algorithms
from organizer.cli.session import (
    DebugOption,
    EmbedderOption,
    JsonOption,
    LibraryOption,
    SeedOption,
    UserOption,
    command,
    opened,
)
from organizer.errors import SettingsError

if TYPE_CHECKING:
    from organizer.cluster.choose_k import KMethod
    from organizer.library.clustering.cluster_count import K


def recluster(
    k: Annotated[
        str,
        typer.Option("--k", metavar="N", help="Number of clusters, auto, or a range such as 2:40."),
    ] = "auto",
    k_method: Annotated[
        str,
        typer.Option(
            "--k-method",
            metavar="NAME",
            help="How k is chosen: auto, elbow, silhouette, gap or stability.",
        ),
    ] = "auto",
    algorithm: Annotated[
        str,
        typer.Option(
            "--algorithm",
            metavar="NAME",
            help="kmeans, gmm, ward, average, birch, dbscan, hdbscan, spectral, or a plugin's.",
            autocompletion=complete_algorithms,
        ),
    ] = "kmeans",
    reduce: Annotated[
        str | None,
        typer.Option(
            "--reduce",
            metavar="NAME",
            help="The space to cluster in: pca:128, umap:10, none; smooth if not given.",
        ),
    ] = None,
    bursts: Annotated[
        bool,
        typer.Option(
            "--bursts",
            help="Cluster the photos of a burst (one camera, at most 60 s from photo to photo if "
            "not set otherwise) as one observation, except photos that are unlike the rest.",
        ),
    ] = False,
    center: Annotated[
        str | None,
        typer.Option(
            "--center",
            metavar="BY",
            help="Remove from the vectors what all photos of a camera, or all infrared photos, "
            "have in common: camera, night, or camera,night. It helps where clusters follow "
            "cameras, and harms species that only one camera sees.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; change nothing.")
    ] = False,
    evidence: Annotated[
        bool,
        typer.Option(
            "--evidence", help="Also print the scores of every number of clusters that was tried."
        ),
    ] = False,
    drop_names: Annotated[
        bool,
        typer.Option(
            "--drop-names",
            help="Go on where a cluster that you named, pinned or made has no images left; "
            "without it nothing is changed then.",
        ),
    ] = False,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="An option of the algorithm; may be repeated. --options lists them.",
        ),
    ] = None,
    options: Annotated[
        bool, typer.Option("--options", help="List the options of the algorithm, and end.")
    ] = False,
    save_embedder: Annotated[
        str | None,
        typer.Option(
            "--save-embedder",
            metavar="NAME",
            help="Of an algorithm that trains a network: keep it as an embedder, and embed all "
            "photos with it, also those that come later.",
        ),
    ] = None,
    embedder: EmbedderOption = None,
    seed: SeedOption = None,
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Cluster all images again. Clusters keep the ids and names of those that they continue.

    Your decisions (rename, pin, merge, split, move, exclude and the like) are
    constraints of every clustering, also where photos were clustered before and
    their crops are now, or the reverse. With --k auto the number is chosen by
    evidence: three lines of it are printed, all of it with --evidence, --json and
    organizer report --html. Some algorithms have options of their own: organizer
    recluster --algorithm NAME --options. organizer undo reverts it.
    """
    with command(debug=debug):
        from organizer.cli import recluster_output

        if options:
            from organizer.cli.part_options import print_options
            from organizer.library.clustering.fit import CLUSTERERS
            from organizer.library.part_options import described_options

            print_options(algorithm, described_options(CLUSTERERS, algorithm), json=json)
            return
        with opened(library, user=user, seed=seed) as found:
            from organizer.cli.part_options import assigned
            from organizer.cli.progress_bar import progress_bar

            with progress_bar() as progress:
                report = found.recluster(
                    k=_parse_k(k),
                    k_method=_parse_k_method(k_method),
                    algorithm=algorithm,
                    reduce=reduce,
                    embedder=embedder,
                    bursts=bursts,
                    center=center,
                    dry_run=dry_run,
                    drop_names=drop_names,
                    params=assigned(assignments or ()),
                    save_embedder=save_embedder,
                    progress=progress,
                )
            recluster_output.print_recluster(report, evidence=evidence, json=json)


def _parse_k(text: str) -> K:
    if text == "auto":
        return "auto"
    lowest, colon, highest = text.partition(":")
    try:
        return (int(lowest), int(highest)) if colon else int(text)
    except ValueError as error:
        raise SettingsError(
            f"--k cannot be {text!r}", "it is a number, auto, or a range such as 2:40"
        ) from error


def _parse_k_method(text: str) -> KMethod:
    methods: tuple[KMethod, ...] = ("auto", "elbow", "silhouette", "gap", "stability")
    for method in methods:
        if method == text:
            return method
    raise SettingsError(f"--k-method cannot be {text!r}", f"it is one of {', '.join(methods)}")
