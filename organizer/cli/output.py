"""Tables and JSON on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from organizer.cli.session import plain, writes_unicode
from organizer.counts import count_text as count_text  # noqa: PLC0414 - beside the other texts
from organizer.paths import mark_missing
from organizer.types import Box

_PIPE_WIDTH = 1_000_000
"""More than any row has: in a pipe no path is folded."""

_LONG_TABLE = 500
"""Rows from which a table is printed without Rich."""


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


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """A table; a column whose name begins with ">" is aligned to the right."""
    if len(rows) > _LONG_TABLE:
        _print_long_table(columns, rows, title=title)
        return
    table = Table(
        box=box.SIMPLE_HEAD, title=plain(title) or None, title_justify="left", pad_edge=False
    )
    for column in columns:
        justify: Any = "right" if column.startswith(">") else "left"
        table.add_column(column.removeprefix(">"), justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*("\n".join(map(_cell, cell.split("\n"))) for cell in row))
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    Console(width=width, highlight=False, markup=False).print(table)


def _cell(text: str) -> str:
    """Text as it will be written, so that columns are as wide as what is in them."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return plain(text).encode(encoding, "backslashreplace").decode(encoding)


def _print_long_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str) -> None:
    """The same table without folding: Rich takes seconds for some thousand rows."""
    names = [column.removeprefix(">") for column in columns]
    cells = [[_cell(cell.replace("\n", " ")) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(names, *cells, strict=True)]

    def line(row: Sequence[str]) -> str:
        padded = []
        for column, cell, width in zip(columns, row, widths, strict=True):
            space = " " * (width - cell_len(cell))
            padded.append(space + cell if column.startswith(">") else cell + space)
        return f" {'   '.join(padded)}"

    dash = "─" if writes_unicode(sys.stdout) else "-"
    rule = f" {dash * (sum(widths) + 3 * len(widths) - 3)} "
    head = [plain(title)] if title else []
    sys.stdout.write("\n".join([*head, "", line(names), rule, *map(line, cells), "", ""]))
    sys.stdout.flush()


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


def number_text(value: float | None, digits: int = 3) -> str:
    """A number for a table; a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"
