"""``organizer ingest``: images read into the library and assigned to its clusters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.session import (
    DebugOption,
    DeviceOption,
    EmbedderOption,
    JsonOption,
    LibraryOption,
    PrecisionOption,
    TimeFromNameOption,
    WeightsOption,
    command,
    quiet_natives,
    say,
    settings_of,
    stop_on_interrupt,
)
from organizer.errors import EXIT_INTERRUPTED, EXIT_SOME_UNUSABLE, SettingsError

if TYPE_CHECKING:
    from organizer.library import Library
    from organizer.library.ingest.report import IngestReport


def ingest(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH", help="Folders and files; all that were ingested if none is given."
        ),
    ] = None,
    embedder: EmbedderOption = None,
    weights: WeightsOption = None,
    other_weights: Annotated[
        bool,
        typer.Option(
            "--other-weights",
            help="Embed with the weights on this machine, beside the vectors of other weights.",
        ),
    ] = False,
    time_from_name: TimeFromNameOption = None,
    confirm_missing: Annotated[
        bool,
        typer.Option(
            "--confirm-missing",
            help="Note files as missing even where most of a folder's are gone. Otherwise its disk "
            "is taken to be disconnected.",
        ),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Read every file, also those whose size and time are as they were.",
        ),
    ] = False,
    reread_metadata: Annotated[
        bool,
        typer.Option(
            "--reread-metadata",
            help="Read the metadata of all files anew, as after a reader of them was installed.",
        ),
    ] = False,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", help="Processes that decode; one a core if not given."),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", help="Images embedded at once.")
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Find, decode, embed and store images; new ones are assigned to the clusters.

    Files that did not change are skipped. The first ingest makes the library.
    An image is its picture: one with another keyword or date in its file stays
    the image that it is, with what was decided about it.
    With another --embedder the files are read again for its vectors. Exit code
    3: done, but some files could not be used (see organizer problems).
    """
    with command(debug=debug):
        from organizer.capture_times import NamePattern
        from organizer.cli import ingest_output
        from organizer.cli.progress_bar import progress_bar
        from organizer.library import Library, embedders, find_library
        from organizer.library.ingest.run import require_executor, require_images, starting_points

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
            # Refuse wrong arguments before a library is made for them.
            if time_from_name is not None:
                NamePattern.parse(time_from_name)
            require_executor(settings)
            require_images(starting_points(paths or []))
            embedders.ensure_weights(embedder, settings)
            path = settings.library or Path.cwd()
        with Library.open_or_create(path, settings) as opened_library:
            is_new = opened_library.store.photos.count_images() == 0
            if is_new:
                say(f"new library: {opened_library.store.path}")
            with (
                quiet_natives(debug=debug),
                progress_bar() as progress,
                stop_on_interrupt(progress.note) as event,
            ):
                report = opened_library.ingest(
                    paths or _roots_here(opened_library),
                    embedder=embedder,
                    other_weights=other_weights,
                    time_from_name=time_from_name,
                    confirm_missing=confirm_missing,
                    verify=verify,
                    reread_metadata=reread_metadata,
                    progress=progress,
                    stop=event.is_set,
                )
            has_clusters = opened_library.store.clusterings.current() is not None
            own = embedders.photo_embedder(opened_library.store)
        ingest_output.print_ingest(report, json=json, has_clusters=has_clusters, own=own)
        raise typer.Exit(_ingest_exit_code(report))


def _roots_here(library: Library) -> list[Path]:
    """The ingested folders that exist; a card or drive may not be connected."""
    roots = library.roots()
    for folder in roots:
        if not folder.exists():
            say(f"left out, the folder is not there: {folder}")
    there = [folder for folder in roots if folder.exists()]
    if roots and not there:
        raise SettingsError(
            "none of the ingested folders is there", "connect their disk, or name another folder"
        )
    return there


def _ingest_exit_code(report: IngestReport) -> int:
    if report.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_SOME_UNUSABLE if report.unusable else 0
