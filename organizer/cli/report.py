"""``organizer report``: how good the clusters are, as a table, a page and plots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.next_step import say_next
from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    SeedOption,
    command,
    opened,
    quiet_natives,
    say,
)
from organizer.errors import SettingsError

if TYPE_CHECKING:
    from organizer.library.reports.maps import MapMethod


def report(
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            metavar="SOURCE",
            help="Known truth: folders (a file's folder is its class), camera, format, light, or "
            "a CSV file with the columns path and label (FILE:COLUMN for another column).",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write one page with everything in it."),
    ] = None,
    plots: Annotated[
        Path | None,
        typer.Option("--plots", metavar="DIR", help="Write the plots as PNG files."),
    ] = None,
    map_method: Annotated[
        str | None,
        typer.Option(
            "--map",
            metavar="NAME",
            help="How the map of the page and plots is drawn: tsne (if not given), umap, pca, "
            "or none.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that organizer did not make.")
    ] = False,
    with_people: PeopleOption = False,
    seed: SeedOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """How good the clusters are: by their vectors, by labels, by what they correlate with.

    A page (--html) also has pictures of the clusters, a map, the silhouette
    plot and the evidence for k; it opens from disk and needs no network.
    """
    with command(debug=debug), opened(library, seed=seed, with_people=with_people or None) as found:
        from organizer.cli import report_output
        from organizer.cli.progress_bar import progress_bar

        method = _parse_map(map_method or "tsne")
        if labels == "":
            raise SettingsError("--labels is empty", "--labels folders, or a CSV file")
        if html is None and plots is None:
            if map_method is not None or force:
                raise SettingsError("there is nothing to draw", "add --html FILE or --plots DIR")
            report_output.print_report(found.reports.make(labels=labels), json=json)
            say_next("as a page with pictures", "organizer report --html report.html", json=json)
            return
        with progress_bar() as progress, quiet_natives(debug=debug):
            made, files = found.reports.write(
                html=html,
                plots=plots,
                map_method=method,
                labels=labels,
                force=force,
                progress=progress,
            )
        report_output.print_report(made, json=json, files=files)
        for file in files:
            say(f"written: {file}")


def _parse_map(text: str) -> MapMethod:
    methods: tuple[MapMethod, ...] = ("tsne", "umap", "pca", "none")
    for method in methods:
        if method == text:
            return method
    raise SettingsError(f"--map cannot be {text!r}", f"it is one of {', '.join(methods)}")
