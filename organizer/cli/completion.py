"""What a shell completes: clusters by name, embedders, algorithms, formats.

A shell asks at every press of the tab key, so this reads the journal of the library by itself,
without the store, which brings numpy and Arrow along: it takes no lock, waits for nobody, and
gives nothing where something is odd.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from organizer.counts import count_text

if TYPE_CHECKING:
    import sqlite3

_CLUSTERS = """
SELECT cluster_id, sum(count) FROM modes WHERE base_id = (
    SELECT base_id FROM clusterings WHERE clustering_id = (
        SELECT clustering_id FROM steps ORDER BY step_id DESC LIMIT 1))
GROUP BY cluster_id ORDER BY sum(count) DESC, cluster_id
"""
_STEPS = "SELECT step_id, kind, about FROM steps ORDER BY step_id"
_NAMES = """
SELECT step_id, cluster_id, name FROM decisions WHERE name != '' ORDER BY decision_id
"""
_UNASSIGNED = ("unassigned", "images that fit no cluster")

_QUOTED_BY_BASH = re.compile(r"([^\w@%+=:,./-])")

Completion = tuple[str, str]
"""What is typed, and what the shell shows beside it."""


class _Completed(str):
    """What the shell puts in the place of what was typed.

    Typer drops what does not begin with that, as a name in other letters or with quotes does not.
    """

    def startswith(self, *_: object) -> bool:
        return True


def complete_clusters(ctx: typer.Context, incomplete: str) -> list[Completion]:
    """The clusters whose name or id begins with what was typed; named ones by their names."""
    import sqlite3

    # What a busy, damaged or older library gives: a shell shows it in the midst of its line.
    with suppress(OSError, ValueError, sqlite3.Error):
        return _completed(_clusters(ctx), incomplete)
    return []


def complete_members(ctx: typer.Context, incomplete: str) -> list[Completion]:
    """As `complete_clusters`, and the unassigned images."""
    return [*complete_clusters(ctx, incomplete), *_completed([_UNASSIGNED], incomplete)]


def complete_embedders(incomplete: str) -> list[str]:
    """The embedders whose name begins with what was typed."""
    return _parts("organizer.embedders", incomplete)


def complete_algorithms(incomplete: str) -> list[str]:
    """The algorithms whose name begins with what was typed."""
    return _parts("organizer.clusterers", incomplete)


def complete_formats(incomplete: str) -> list[str]:
    """The formats of exports whose name begins with what was typed."""
    return _parts("organizer.exporters", incomplete)


def _parts(group: str, incomplete: str) -> list[str]:
    from importlib.metadata import entry_points

    names = sorted({point.name for point in entry_points(group=group)})
    return [name for name in names if _begins(name, incomplete)]


def _completed(found: Iterable[Completion], incomplete: str) -> list[Completion]:
    """What begins with what was typed, as the shell is to write it."""
    fitting = [(text, about) for text, about in found if _begins(text, incomplete)]
    return [(_Completed(_as_typed(text, incomplete)), about) for text, about in fitting]


def _as_typed(text: str, incomplete: str) -> str:
    """A name that continues what was typed, with the quotes that bash does not set by itself."""
    if len(text) == len(text.casefold()):
        text = incomplete + text[len(incomplete) :]
    words = os.environ.get("COMP_WORDS", "")
    is_quoted = words.count('"') % 2 or words.count("'") % 2
    is_bash = os.environ.get("_ORGANIZER_COMPLETE") == "complete_bash"
    return _QUOTED_BY_BASH.sub(r"\\\1", text) if is_bash and not is_quoted else text


def _begins(word: str, incomplete: str) -> bool:
    return word.casefold().startswith(incomplete.casefold())


def _clusters(ctx: typer.Context) -> Iterator[Completion]:
    """Named clusters by their names, the others by their ids, the largest first."""
    import sqlite3

    journal = _journal(ctx)
    if journal is None:
        return
    address = f"{journal.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=0)) as opened:
        counts = opened.execute(_CLUSTERS).fetchall()
        names = _names(opened)
    for cluster_id, count in counts:
        images = count_text(count, "image")
        name = names.get(cluster_id)
        yield (name, f"cluster {cluster_id}, {images}") if name else (str(cluster_id), images)


def _names(opened: sqlite3.Connection) -> dict[int, str]:
    """The names by cluster, without those that were undone."""
    undone: set[int] = set()
    for _, kind, about in opened.execute(_STEPS):
        if kind == "undo":
            undone.add(about)
        elif kind == "redo":
            undone.discard(about)
    found = opened.execute(_NAMES)
    return {cluster_id: name for step, cluster_id, name in found if step not in undone}


def _journal(ctx: typer.Context) -> Path | None:
    """The journal of the library that the command would work on."""
    named = ctx.params.get("library") or os.environ.get("ORGANIZER_LIBRARY")
    here = Path(named).expanduser() if named else Path.cwd()
    folders = (here, here / ".organizer") if named else ()
    above = () if named else (folder / ".organizer" for folder in (here, *here.parents))
    files = (folder / "journal.sqlite" for folder in (*folders, *above))
    return next((file for file in files if file.is_file()), None)
