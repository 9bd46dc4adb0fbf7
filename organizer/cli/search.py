"""``organizer search``: the images most similar to a photo or a text."""

from __future__ import annotations

from typing import Annotated

import typer

from organizer.cli.completion import complete_clusters
from organizer.cli.pictures import BlocksOption, PicturesOption, show_if_asked
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
            metavar="PHOTO or CLUSTER",
            help="A photo, in the library or not; one of the library also by the name of its "
            "file alone. Or a cluster, for what is like its most typical image.",
            show_default=False,
            autocompletion=complete_clusters,
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
    paths_only: Annotated[
        bool,
        typer.Option(
            "--paths",
            "--filepath-only",
            "-f",
            help="Print paths only, for a pipe: organizer search fox.jpg --paths | less",
        ),
    ] = False,
    null: Annotated[
        bool,
        typer.Option(
            "--null",
            "-0",
            help="With --paths: end each with a zero byte, for xargs -0, which takes any name.",
        ),
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
        if null and not paths_only:
            raise SettingsError("-0 belongs to --paths", "organizer search PHOTO --paths -0")
        if json and paths_only:
            raise SettingsError("--paths and --json both say what is printed", "leave one out")
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
            if paths_only:
                search_output.print_paths(hits, end="\0" if null else "\n")
            else:
                search_output.print_hits(hits, json=json)
            if not (json or paths_only):
                shown = search_output.captioned(hits)
                show_if_asked(found, shown, pictures=pictures, blocks=blocks)
