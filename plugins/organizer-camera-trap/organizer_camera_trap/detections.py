"""``organizer detections``: the results of a detector, and crops of their boxes.

organizer detections import md.json
organizer detections
organizer detections from-bursts
"""

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
    quiet_natives,
    stop_on_interrupt,
)
from organizer.errors import EXIT_INTERRUPTED

app = typer.Typer(
    help="Detections: import a detector's results, and cluster crops of the boxes.",
    epilog="Example: organizer detections import md.json; organizer detections",
    context_settings={"help_option_names": ["-h", "--help"]},
)

ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        metavar="SHARE",
        help="The confidence from which a box counts, from now on. Otherwise as chosen before, or "
        "the detector's own, or 0.2.",
    ),
]


@app.callback(invoke_without_command=True)
def detections(
    ctx: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Counts of the detections in the library."""
    if ctx.invoked_subcommand is not None:
        return
    with command(debug=debug), opened(library) as found:
        from organizer_camera_trap import detections_output

        detections_output.show_counts(found.detections.counts(), json=json)


@app.command("import", epilog="Example: organizer detections import md.json --base /cards/2026-05")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The results of MegaDetector, format 1.0 to 1.6, or of SpeciesNet."
        ),
    ],
    base: Annotated[
        Path | None,
        typer.Option(
            "--base",
            metavar="DIR",
            help="The folder that the detector was run on. Otherwise the folder that fits; of "
            "several the one that holds the results.",
        ),
    ] = None,
    threshold: ThresholdOption = None,
    embedder: EmbedderOption = None,
    weights: WeightsOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Import a detector's results, and embed the contents of the boxes.

    Importing the same file again embeds only what is missing. To cluster the
    crops: organizer recluster --embedder crops:NAME, with the embedder's NAME.
    """
    with command(debug=debug), opened(library, weights=weights) as found:
        from organizer.cli.progress_bar import progress_bar
        from organizer_camera_trap import detections_output
        from organizer_camera_trap.importing import import_results

        with (
            progress_bar() as progress,
            quiet_natives(debug=debug),
            stop_on_interrupt(progress.note) as stop,
        ):
            done = import_results(
                found,
                file,
                base=base,
                threshold=threshold,
                embedder=embedder,
                progress=progress,
                stop=stop.is_set,
            )
        detections_output.show_import(done, json=json)
    if done.report.cropped.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)


@app.command("from-bursts", epilog="Example: organizer detections from-bursts")
def from_bursts_(
    embedder: EmbedderOption = None,
    weights: WeightsOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Without a detector: a box around what moved, in bursts of three photos or more.

    The median of a burst shows the scene without what moved. Photos in which
    nothing moved get no box, and are not called empty. Results of a real
    detector are kept, and replace these boxes when they are imported later.
    """
    with command(debug=debug), opened(library, weights=weights) as found:
        from organizer.cli.progress_bar import progress_bar
        from organizer_camera_trap import detections_output
        from organizer_camera_trap.from_bursts import from_bursts

        with (
            progress_bar() as progress,
            quiet_natives(debug=debug),
            stop_on_interrupt(progress.note) as stop,
        ):
            done = from_bursts(found, embedder=embedder, progress=progress, stop=stop.is_set)
        detections_output.show_burst_report(done, json=json)
    if done.report.cropped.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
