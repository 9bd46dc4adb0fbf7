"""``organizer search``: the images most similar to a photo or a text."""

from __future__ import annotations

from typing import Annotated

import typer

from organizer.cli.pictures import BlocksOption, PicturesOption, find_drawing, show_pictures
from organizer.cli.session import (
    DebugOption,
    EmbedderOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    WeightsOption,
    command,
    opened,
    quiet_natives,
)
from organizer.errors import SettingsError


def search(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="PHOTO",
            help="A photo, in the library or not, or an image id.",
            show_default=False,
        ),
    ] = None,
    like: Annotated[
        list[str] | None,
        typer.Option("--like", metavar="PHOTO", help="Another one that is like it; repeatable."),
    ] = None,
    unlike: Annotated[
        list[str] | None,
        typer.Option("--unlike", metavar="PHOTO", help="One that is unlike it; repeatable."),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option("--text", metavar="TEXT", help="A text instead of a photo; needs OpenCLIP."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", "--top", "-t", min=1, max=10_000, help="How many.")
    ] = 10,
    filepath_only: Annotated[
        bool, typer.Option("--filepath-only", "-f", help="Print paths only, for a pipe.")
    ] = False,
    pictures: PicturesOption = False,
    blocks: BlocksOption = False,
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
            from organizer.cli import search_output

            with quiet_natives(debug=debug):
                likes, unlikes = like or [], unlike or []
                if file is not None:
                    hits = found.search(
                        [file, *likes], unlikes=unlikes, limit=limit, embedder=embedder
                    )
                else:
                    hits = found.search_text(
                        text or "", likes=likes, unlikes=unlikes, limit=limit, embedder=embedder
                    )
            search_output.print_hits(hits, json=json, filepath_only=filepath_only)
            if not (json or filepath_only) and (pictures or blocks):
                drawing = find_drawing(blocks=blocks)
                if drawing is not None:
                    show_pictures(found, search_output.captioned(hits), drawing)
