"""``organizer clusters suggest-names``: names proposed for the clusters."""

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
        from organizer.cli.clusters import output
        from organizer.library.search.text import read_labels

        with quiet_natives(debug=debug):
            suggestions = found.clusters.suggest_names(read_labels(labels), embedder=embedder)
        output.print_suggestions(suggestions, json=json)
