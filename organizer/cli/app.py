"""The commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.arrange import arrange
from organizer.cli.clusters import clusters_app
from organizer.cli.compare import compare
from organizer.cli.decide import decide_app
from organizer.cli.export import export
from organizer.cli.models import models_app
from organizer.cli.plugins import Commands
from organizer.cli.report import report
from organizer.cli.review import review
from organizer.cli.session import (
    DebugOption,
    DeviceOption,
    EmbedderOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    PrecisionOption,
    SeedOption,
    WeightsOption,
    command,
    opened,
    quiet_natives,
    say,
    settings_of,
    stop_on_interrupt,
)
from organizer.errors import EXIT_INTERRUPTED, EXIT_SOME_UNUSABLE, SettingsError

if TYPE_CHECKING:
    from organizer.library import Library
    from organizer.library.commit import IngestReport
    from organizer.library.recluster import K, KMethod

commands = typer.Typer()
"""Those of organizer, each made when it is called."""

clusters_app.add_typer(decide_app)


class Program(Commands):
    """The program as it is typed."""

    own = commands


app = typer.Typer(
    cls=Program,
    help="Groups a folder of photos by what is in them, and keeps the groups when new photos come.",
    epilog="Begin with: organizer ingest ./photos, then: organizer recluster --k auto",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def organizer(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """See the help of the app."""
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"organizer {version_of('organizer')}")
        raise typer.Exit


@commands.command(epilog="Example: organizer ingest ./photos /media/card")
def ingest(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH", help="Folders and files; all that were ingested if none is named."
        ),
    ] = None,
    embedder: EmbedderOption = None,
    weights: WeightsOption = None,
    other_weights: Annotated[
        bool,
        typer.Option(
            "--other-weights",
            help="Embed with the weights that are here, beside vectors that others made.",
        ),
    ] = False,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Decoding threads; one a core if not given.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", help="Images embedded at once.")
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Bring images in: find, decode, embed and store them; new ones join the clusters at once.

    Known files that did not change cost next to nothing. The first ingest makes
    the library. With another --embedder the files are read once more for its
    vectors. Exit code 3: done, but some files could not be used (see organizer
    problems).
    """
    with command(debug=debug):
        from organizer.cli import show_ingest
        from organizer.cli.bar import bar
        from organizer.library import Library, embedders, find_library
        from organizer.library.ingest import require_images, starts_of

        settings = settings_of(
            library,
            weights=weights,
            device=device,
            precision=precision,
            threads=threads,
            batch_size=batch_size,
        )
        path = find_library(settings.library, below=Path.cwd())
        if path is None:
            # No library is made for nothing.
            require_images(starts_of(paths or []))
            embedders.have_weights(embedder, settings)
            path = settings.library or Path.cwd()
        with Library.open_or_create(path, settings) as opened_library:
            is_new = opened_library.store.photos.count_images() == 0
            if is_new:
                say(f"new library: {opened_library.store.path}")
            with (
                quiet_natives(debug=debug),
                bar() as progress,
                stop_on_interrupt(progress.note) as event,
            ):
                report = opened_library.ingest(
                    paths or _roots_here(opened_library),
                    embedder=embedder,
                    other_weights=other_weights,
                    progress=progress,
                    stop=event.is_set,
                )
            has_clusters = opened_library.store.clusterings.current() is not None
            own = embedders.photo_embedder(opened_library.store)
        show_ingest.show(report, json=json, has_clusters=has_clusters, own=own)
        raise typer.Exit(_ingest_exit_code(report))


@commands.command(
    epilog="Example: organizer recluster --k auto; organizer recluster --k 2:40 --dry-run"
)
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
            help="What chooses: auto, elbow, silhouette, gap or stability.",
        ),
    ] = "auto",
    algorithm: Annotated[
        str,
        typer.Option(
            "--algorithm",
            metavar="NAME",
            help="kmeans, gmm, ward, average, birch, dbscan, hdbscan, spectral, or a plugin's.",
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
            help="Photos of one burst (one camera, 60 s at most from photo to photo if not set "
            "otherwise) are one observation and go together, but for one that is unlike the rest.",
        ),
    ] = False,
    center: Annotated[
        str | None,
        typer.Option(
            "--center",
            metavar="BY",
            help="Take out of the vectors what all photos of a camera, or all infrared ones, have "
            "in common: camera, night, or camera,night. For clusters that follow cameras: an "
            "animal that only one camera sees is found worse so.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; change nothing.")
    ] = False,
    embedder: EmbedderOption = None,
    seed: SeedOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Cluster all images anew. Clusters keep the ids and names of those that they continue.

    Whatever you named, merged, split, moved or pinned is obeyed. With --k
    auto the number is chosen with evidence, which is printed and kept.
    organizer undo takes it back.
    """
    with command(debug=debug), opened(library, seed=seed) as found:
        from organizer.cli import show_recluster
        from organizer.cli.bar import bar

        with bar() as progress:
            report = found.recluster(
                k=_parse_k(k),
                k_method=_parse_k_method(k_method),
                algorithm=algorithm,
                reduce=reduce,
                embedder=embedder,
                bursts=bursts,
                center=center,
                dry_run=dry_run,
                progress=progress,
            )
        show_recluster.show(report, json=json)


@commands.command(epilog="Example: organizer undo")
def undo(
    library: LibraryOption = None, json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Bring the clustering before the last recluster, merge, split, move or the like back.

    What you said by it is taken back too. Photos that came since join it.
    """
    with command(debug=debug), opened(library) as found:
        from organizer.cli.show import print_json, print_line

        former = found.undo()
        k = len(found.clusters())
        if json:
            print_json({"clustering_id": former.clustering_id, "k": k})
        else:
            print_line(f"back to clustering {former.clustering_id} with {k} clusters")


@commands.command(epilog='Example: organizer search ./photos/fox.jpg -n 20; search --text "a fox"')
def search(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="PHOTO", help="A photo, in the library or not.", show_default=False),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option("--text", metavar="WORDS", help="Words instead of a photo; needs OpenCLIP."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", "--top", "-t", min=1, max=10_000, help="How many.")
    ] = 10,
    filepath_only: Annotated[
        bool, typer.Option("--filepath-only", "-f", help="Print paths only, for a pipe.")
    ] = False,
    embedder: EmbedderOption = None,
    weights: WeightsOption = None,
    with_people: PeopleOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The images most similar to a photo, or to a text, nearest first.

    Texts need the vectors of an embedder that reads them, for example
    organizer ingest --embedder openclip:ViT-B-32/laion2b_s34b_b79k
    """
    with command(debug=debug):
        if (file is None) == (text is None):
            raise SettingsError("name a photo, or give a --text", "organizer search PHOTO")
        with opened(library, weights=weights, with_people=with_people or None) as found:
            from organizer.cli import show_search

            with quiet_natives(debug=debug):
                if file is not None:
                    hits = found.search(file, limit=limit, embedder=embedder)
                else:
                    hits = found.search_text(text or "", limit=limit, embedder=embedder)
            show_search.show(hits, json=json, filepath_only=filepath_only)


@commands.command(epilog="Example: organizer browse ./photos/fox.jpg")
def browse(
    file: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photo, in the library or not.")],
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=99, help="Neighbours at a time.")
    ] = 9,
    viewer: Annotated[
        str | None,
        typer.Option(
            "--viewer", metavar="COMMAND", help="Opens a picture; otherwise the system's."
        ),
    ] = None,
    weights: WeightsOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Walk from a photo to its neighbours and on, opening pictures with the system's viewer.

    Type a number to go there, "o" and a number to open a picture, "b" to go back, "q" to end.
    """
    with command(debug=debug), opened(library, weights=weights, viewer=viewer) as found:
        from organizer.cli.browse import walk

        walk(found, file, limit=limit, json=json)


@commands.command(epilog="Example: organizer status --json")
def status(
    library: LibraryOption = None, json: JsonOption = False, debug: DebugOption = False
) -> None:
    """What is in the library, which embedder, which clustering, how current, what failed."""
    with command(debug=debug), opened(library) as found:
        from organizer.cli import show_status

        unfinished = found.unfinished_arrangement()
        show_status.show(found.status(), json=json, unfinished=unfinished)


@commands.command(epilog="Example: organizer problems")
def problems(
    library: LibraryOption = None, json: JsonOption = False, debug: DebugOption = False
) -> None:
    """The files that could not be used, each with its reason."""
    with command(debug=debug), opened(library) as found:
        from organizer.cli.show import print_json, print_table, short

        rows = found.problems()
        if json:
            listed = [{"path": p, "outcome": outcome, "reason": why} for p, outcome, why in rows]
            print_json({"problems": listed})
        elif rows:
            print_table(["path", "reason"], [[short(path), why] for path, _, why in rows])
        else:
            say("no problems: every file could be used")


commands.command(epilog="Example: organizer report --labels folders --html report.html")(report)
commands.command(epilog="Example: organizer review --sample 200; organizer review --doubtful 50")(
    review
)
commands.command(epilog="Example: organizer compare --embedders mobilenet_v2,hog --k 2:10")(compare)
commands.command(epilog="Example: organizer export csv --to clusters.csv")(export)
commands.command(epilog="Example: organizer arrange --to sorted; organizer arrange --undo")(arrange)
commands.add_typer(clusters_app, name="clusters")
commands.add_typer(models_app, name="models")


def _roots_here(library: Library) -> list[Path]:
    """The folders that were ingested, without those that are not here now (a card, a drive)."""
    roots = library.roots()
    for folder in roots:
        if not folder.exists():
            say(f"left out, it is not here: {folder}")
    return [folder for folder in roots if folder.exists()]


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


def _ingest_exit_code(report: IngestReport) -> int:
    if report.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_SOME_UNUSABLE if report.unusable else 0
