"""Walk from neighbour to neighbour in the terminal."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import typer

from organizer.cli.output import print_json_line, print_line, short
from organizer.cli.search_output import hit_fields, table
from organizer.cli.session import complain, say
from organizer.errors import OrganizerError, SettingsError
from organizer.library import Library
from organizer.types import Hit

_HELP = "number: go there · o number: open (o alone: this one) · b: back · q: end"


def walk(library: Library, file: Path, *, limit: int, json: bool) -> None:
    """Show the neighbours of a photo and go where the person says, until the end of input."""
    trail = [file]
    hits = _show(library, file, limit=limit, json=json)
    while (line := _ask(json=json)) is not None:
        word, _, rest = line.partition(" ")
        if word in {"q", "quit", "exit"}:
            return
        if word == "o":
            chosen = trail[-1] if not rest else _chosen(hits, rest)
            if chosen is not None:
                open_picture(chosen, library.settings.viewer)
            continue
        back = word == "b" and len(trail) > 1
        goal = trail[-2] if back else _chosen(hits, word)
        if goal is None:
            continue
        try:
            hits = _show(library, goal, limit=limit, json=json)
        except OrganizerError as error:  # the file went since: stay where we are
            complain(error)
            continue
        trail = trail[:-1] if back else [*trail, goal]


def _show(library: Library, file: Path, *, limit: int, json: bool) -> list[Hit]:
    hits = library.search(file, limit=limit)
    if json:
        print_json_line({"path": file.absolute(), "hits": [hit_fields(hit) for hit in hits]})
    else:
        print_line(short(file.absolute()))
        table(hits)
    return hits


def _ask(*, json: bool) -> str | None:
    """The next non-empty line, or None at the end of input."""
    interactive = sys.stdin.isatty() and not json
    while True:
        if interactive:
            typer.echo(f"[{_HELP}] ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line:
            return None
        if line.strip():
            return line.strip()


def _chosen(hits: list[Hit], text: str) -> Path | None:
    place = int(text) if text.strip().isdecimal() else 0
    if not 1 <= place <= len(hits):
        say(f"there is no neighbour {text!r}; {_HELP}")
        return None
    return hits[place - 1].path


def open_picture(file: Path, viewer: str | None) -> None:
    """Show a picture with the person's viewer, or the system's; tell where that fails."""
    if viewer is None:
        failed = typer.launch(str(file)) != 0
    else:
        try:
            failed = subprocess.run([*shlex.split(viewer), str(file)], check=False).returncode != 0  # noqa: S603 - the user's own command
        except (OSError, ValueError) as error:  # ValueError: a quote that is not closed
            raise SettingsError(f"cannot run {viewer!r}: {error}", "mend --viewer") from error
    if failed:
        say(f"no viewer opened {file}; name one with --viewer COMMAND or ORGANIZER_VIEWER")
