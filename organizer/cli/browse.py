"""``organizer browse``: from neighbour to neighbour in the terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.completion import complete_clusters
from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    ViewerOption,
    WeightsOption,
    command,
    opened,
    print_error,
    say,
)
from organizer.errors import OrganizerError, SettingsError

if TYPE_CHECKING:
    from organizer.library import Library
    from organizer.types import Hit

_KEYS = "number: go there · o number: open (o alone: this one) · b: back · q: end"


def browse(
    photo: Annotated[
        str,
        typer.Argument(
            metavar="PHOTO or CLUSTER",
            help="A photo, in the library or not, or a cluster to begin with its most typical one.",
            autocompletion=complete_clusters,
        ),
    ],
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=99, help="Neighbours at a time.")
    ] = 9,
    viewer: ViewerOption = None,
    weights: WeightsOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Walk from a photo to its neighbours and on, opening pictures with the system's viewer.

    Type a number to go there, "o" and a number to open a picture, "b" to go back, "q" to end.
    """
    with command(debug=debug), opened(library, weights=weights, viewer=viewer) as found:
        _walk(found, _start(found, photo), limit=limit, json=json)


def _start(library: Library, photo: str) -> Path:
    """The file to begin with, of a photo by its path or name, or of a cluster."""
    here = Path(photo)
    if here.expanduser().exists():
        return here
    try:
        found = library.images[photo].path
    except SettingsError:
        found = library.clusters[photo].medoid if photo in library.clusters else None
    return found or here


def _walk(library: Library, file: Path, *, limit: int, json: bool) -> None:
    """Show the neighbours of a photo, then of each photo that is chosen, until the input ends."""
    trail = [file]
    hits = _show(library, file, limit=limit, json=json)
    while (line := _read_line(json=json)) is not None:
        key, _, rest = line.partition(" ")
        if key in {"q", "quit", "exit"}:
            return
        if key == "o":
            _open(trail[-1] if not rest else _chosen(hits, rest), library)
            continue
        back = key == "b" and len(trail) > 1
        goal = trail[-2] if back else _chosen(hits, key)
        if goal is None:
            continue
        try:
            hits = _show(library, goal, limit=limit, json=json)
        except OrganizerError as error:  # the file is gone: stay at the current photo
            print_error(error)
            continue
        trail = trail[:-1] if back else [*trail, goal]


def _show(library: Library, file: Path, *, limit: int, json: bool) -> list[Hit]:
    from organizer.cli.output import print_json_line, print_line, short
    from organizer.cli.search_output import hit_fields, print_table_of_hits

    hits = library.search(file, limit=limit)
    if json:
        print_json_line({"path": file.absolute(), "hits": [hit_fields(hit) for hit in hits]})
    else:
        print_line(short(file.absolute()))
        print_table_of_hits(hits)
    return hits


def _open(file: Path | None, library: Library) -> None:
    from organizer.cli.viewer import open_picture

    if file is not None:
        open_picture(file, library.settings.viewer)


def _read_line(*, json: bool) -> str | None:
    """The next non-empty line, or None at the end of input."""
    interactive = sys.stdin.isatty() and not json
    while True:
        if interactive:
            typer.echo(f"[{_KEYS}] ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line:
            return None
        if line.strip():
            return line.strip()


def _chosen(hits: list[Hit], text: str) -> Path | None:
    place = int(text) if text.strip().isdecimal() else 0
    if not 1 <= place <= len(hits):
        say(f"there is no neighbour {text!r}; {_KEYS}")
        return None
    return hits[place - 1].path
