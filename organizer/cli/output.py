"""Tables and JSON on stdout."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from organizer.cli.session import plain, writes_unicode
from organizer.cli.table_layout import Column, fold, shorten_path, table_lines
from organizer.counts import count_text as count_text  # noqa: PLC0414 - beside the other texts
from organizer.paths import mark_missing
from organizer.types import Box, UsualDistance

_LONG_TABLE = 500
"""Rows from which each row of a table is one line."""

_DIGITS, _MOST_DIGITS = 3, 8
"""Decimals of a number in a table."""

_LEAST_ROOM = 20
"""Cells that what belongs to a label has, however narrow the terminal is."""


def print_json(value: Any) -> None:
    """A value as JSON; paths as text."""
    _write_json(value, indent=2)


def print_json_line(value: Any) -> None:
    """A value as one line of JSON."""
    _write_json(value, indent=None)


def _write_json(value: Any, *, indent: int | None) -> None:
    """Write JSON, in ASCII where the stream does not take every character."""
    is_ascii = not writes_unicode(sys.stdout)
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii, allow_nan=False, default=str)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_line(text: str) -> None:
    """A line of the result."""
    sys.stdout.write(plain(text) + "\n")
    sys.stdout.flush()


def print_path(path: Path, *, end: str = "\n") -> None:
    """A path, exact in a pipe, without control characters on a terminal."""
    if sys.stdout.isatty():
        print_line(str(path))
    else:
        sys.stdout.write(f"{path}{end}")


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str = "",
    paths: Collection[str] = (),
) -> None:
    """A table, as wide as the terminal at most; into a pipe every row is whole.

    Args:
        columns: The headings; one that begins with ">" is aligned to the right, for numbers.
        rows: The cells of each row, as text; those with line breaks take several lines.
        title: What stands above the table.
        paths: The headings of columns that hold paths, which a terminal shows shortened.
    """
    if len(rows) > _LONG_TABLE:
        rows = [[cell.replace("\n", " ") for cell in row] for row in rows]
    cells = [["\n".join(map(_cell, cell.split("\n"))) for cell in row] for row in rows]
    lines = table_lines(
        [Column(c.removeprefix(">"), right=c.startswith(">"), path=c in paths) for c in columns],
        cells,
        width=terminal_width(),
        dash="\N{BOX DRAWINGS LIGHT HORIZONTAL}" if writes_unicode(sys.stdout) else "-",
        mark=_left_out(),
    )
    head = _lines(_cell(title), terminal_width(), is_path=False) if title else []
    sys.stdout.write("\n".join([*head, "", *lines, "", ""]))
    sys.stdout.flush()


def print_facts(facts: Sequence[tuple[str, str]], *, paths: Collection[str] = ()) -> None:
    """Labels with what belongs to them, a line each; a terminal folds and shortens what is long.

    Args:
        facts: Label and text of each.
        paths: The labels of what is a path.
    """
    size = max((cell_len(label) for label, _ in facts), default=0)
    width = terminal_width()
    for label, text in facts:
        room = max(width - size - 2, _LEAST_ROOM) if width else None
        for first, line in enumerate(_lines(_cell(text), room, is_path=label in paths)):
            start = "" if first else _cell(label)
            print_line(" " * (size - cell_len(start)) + f"{start}  {line}")


def print_text(text: str) -> None:
    """A sentence of the result; a terminal shows it folded at words."""
    for line in _lines(_cell(text), terminal_width(), is_path=False):
        print_line(line)


def terminal_width() -> int | None:
    """The cells of a line on the terminal that stdout is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _lines(text: str, width: int | None, *, is_path: bool) -> list[str]:
    if width is None:
        return [text]
    return [shorten_path(text, width, _left_out())] if is_path else fold(text, width)


def _left_out() -> str:
    """What stands for the part of a path that is left out."""
    return "\N{HORIZONTAL ELLIPSIS}" if writes_unicode(sys.stdout) else "..."


def _cell(text: str) -> str:
    """Text as it will be written, so that columns are as wide as what is in them."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return plain(text).encode(encoding, "backslashreplace").decode(encoding)


def short(path: Path) -> str:
    """A path relative to the current folder where it is below it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def path_text(path: Path, box: Box | None = None, *, missing: bool = False) -> str:
    """A path as it is shown: short, with the box of a crop, and marked where no file is there."""
    return mark_missing(short(path) + box_text(box), missing=missing)


def box_text(box: Box | None) -> str:
    """Where in its photo a crop is, to follow the path; empty for a whole photo."""
    if box is None:
        return ""
    x, y, width, height = (round(100 * v) for v in (box.x, box.y, box.width, box.height))
    return f" [{x}%,{y}% {width}x{height}%]"


def time_text(at: str) -> str:
    """A stored time (UTC, ISO 8601) to the second."""
    return f"{at[:10]} {at[11:19]} UTC"


def listed_text(shown: Sequence[str], count: int) -> str:
    """The first of some things, and how many more there are: "a, b and 5 more"."""
    more = count - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def cluster_text(cluster_id: int, name: str | None) -> str:
    """A cluster by its id, and its name where it has one: "3 Red fox"."""
    return f"{cluster_id} {name}" if name else str(cluster_id)


def usual_text(usual: UsualDistance, digits: int) -> str:
    """What a distance is to be compared with."""
    typical, border = (number_text(value, digits) for value in (usual.typical, usual.border))
    return f"typical {typical}, border {border}"


def distance_digits(distances: Sequence[float]) -> int:
    """Decimals that tell distances apart: three, or more where all of them are small."""
    largest = max(distances, default=0.0)
    if largest <= 0:
        return _DIGITS
    return min(max(_DIGITS, 1 - math.floor(math.log10(largest))), _MOST_DIGITS)


def number_text(value: float | None, digits: int = _DIGITS) -> str:
    """A number for a table; a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"
