"""Tables as lines of text that fit a terminal: columns by what they hold, paths cut in the middle.

Numbers are never cut or folded. Where a table is wider than the terminal, headings are folded
first, then paths are cut in the middle, and texts such as names and reasons are folded at words.
Of paths the folders right above the files are left out first, where they are the same in all rows
and those above them are not, as on the cards of cameras: DCIM/100RECNX tells no card from another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile, zip_longest

from rich.cells import cell_len, chop_cells

_GAP, _NARROW_GAP = 3, 2
_SEPARATOR = r"[/\\]"
_NARROWEST = 8
"""Cells that a column of paths or texts keeps, however narrow the terminal is."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        heading: What stands above it.
        right: Whether it is aligned to the right: numbers, which are never folded.
        path: Whether it holds paths, which are cut in the middle; a line of one in brackets is a
            text, which is folded.
    """

    heading: str
    right: bool = False
    path: bool = False


def table_lines(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None,
    dash: str,
    mark: str,
) -> Iterator[str]:
    """The heading, a rule, and the rows, a cell with line breaks on several lines.

    Args:
        columns: The columns.
        rows: Their cells.
        width: The cells of a terminal's line; None where lines are as long as needed.
        dash: What the rule is made of.
        mark: What stands for the part of a path that is left out.
    """
    if _is_wide(columns, rows, width):
        rows = _without_equal_folders(columns, rows, mark)
    widths, gap = _widths(columns, rows, width)
    between = " " * gap

    def lines_of(cells: Sequence[str], *, is_head: bool = False) -> Iterator[str]:
        parts = [
            _fitted(cell, column, size, mark="" if is_head else mark)
            for cell, column, size in zip(cells, columns, widths, strict=True)
        ]
        for line in zip_longest(*parts, fillvalue=""):
            padded = map(_padded, line, columns, widths)
            yield f" {between.join(padded)}".rstrip()

    yield from lines_of([column.heading for column in columns], is_head=True)
    yield f" {dash * (sum(widths) + gap * (len(widths) - 1))}"
    for row in rows:
        yield from lines_of(row)


def fold(text: str, width: int) -> list[str]:
    """Text in lines of at most `width` cells, parted at spaces and hyphens where there are any."""
    if cell_len(text) <= width:
        return [text]
    lines = [""]
    for word in re.findall(r"\s*[^\s-]*-?", text):
        for part in _chopped(word, lines[-1], width):
            if cell_len(lines[-1] + part.rstrip()) <= width:
                lines[-1] += part
            elif lines[-1]:
                lines.append(part.lstrip())
            else:
                lines[-1] = part.lstrip()
    return [line.rstrip() for line in lines]


def shorten_path(path: str, width: int, mark: str) -> str:
    """A path of at most `width` cells: its beginning, and more of its end, where the name is."""
    if cell_len(path) <= width:
        return path
    room = max(width - cell_len(mark), 2)
    head = room // 3
    return chop_cells(path, head)[0] + mark + _end(path, room - head) if head else path


def _end(text: str, width: int) -> str:
    """The last characters that fit into some cells."""
    start = len(text)
    while start and cell_len(text[start - 1 :]) <= width:
        start -= 1
    return text[start:]


def _chopped(word: str, before: str, width: int) -> list[str]:
    """A word, in parts where a whole line does not hold it."""
    bare = word.strip()
    if cell_len(bare) <= width:
        return [word]
    parts = chop_cells(bare, width)
    return [(" " if before else "") + parts[0], *parts[1:]]


def _is_wide(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> bool:
    """Whether the rows are wider than the terminal."""
    gaps = _NARROW_GAP * (len(columns) - 1)
    return width is not None and 1 + sum(_bodies(columns, rows)) + gaps > width


def _bodies(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of what is in each column."""
    return [
        max((cell_len(line) for cell in cells for line in cell.split("\n")), default=0)
        for cells in (zip(*rows, strict=True) if rows else [()] * len(columns))
    ]


def _without_equal_folders(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], mark: str
) -> list[list[str]]:
    """The rows, in whose paths a mark stands for the folders above the files, if all are equal."""
    table = [list(row) for row in rows]
    for place, column in enumerate(columns):
        if not column.path:
            continue
        lines = [line for row in rows for line in row[place].split("\n") if not _is_text(line)]
        count = _equal_folders(lines)
        if count:
            for row in table:
                cell = (_shortened(line, count, mark) for line in row[place].split("\n"))
                row[place] = "\n".join(cell)
    return table


def _equal_folders(paths: Sequence[str]) -> int:
    """How many folders above the files are equal in paths whose other folders differ."""
    folders = [re.split(_SEPARATOR, path)[:-1] for path in paths]
    folders = [found for found in folders if found]
    if len({tuple(found) for found in folders}) < 2:
        return 0
    levels = zip(*(reversed(found) for found in folders), strict=False)
    return sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, levels))


def _shortened(path: str, count: int, mark: str) -> str:
    """A path with a mark in the place of so many folders above the file."""
    parts = re.split(f"({_SEPARATOR})", path)
    if _is_text(path) or len(parts) < 2 * count + 3:
        return path
    return "".join([*parts[: -2 * count - 1], mark, *parts[-2:]])


def _widths(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None
) -> tuple[list[int], int]:
    """The width of each column, and of the space between two."""
    heads = [cell_len(column.heading) for column in columns]
    bodies = _bodies(columns, rows)
    widths = list(map(max, heads, bodies))
    if width is None or 1 + sum(widths) + _GAP * (len(columns) - 1) <= width:
        return widths, _GAP
    widths = list(map(max, map(_longest_part, columns), bodies))
    flexible = [i for i, column in enumerate(columns) if not column.right]
    for i in flexible:
        widths[i] = max(bodies[i], _longest_part(columns[i]), _NARROWEST)
    room = width - 1 - _NARROW_GAP * (len(columns) - 1)
    return _shared(widths, flexible, room), _NARROW_GAP


def _longest_part(column: Column) -> int:
    """The longest part of a heading that is not folded."""
    return max(map(cell_len, re.findall(r"[^\s-]+-?", column.heading)), default=0)


def _shared(widths: list[int], flexible: list[int], room: int) -> list[int]:
    """Give columns that can be narrower what the others leave, and none more than it needs."""
    left = room - sum(width for i, width in enumerate(widths) if i not in flexible)
    for place, i in enumerate(sorted(flexible, key=lambda i: widths[i])):
        share = left // (len(flexible) - place)
        widths[i] = min(widths[i], max(share, _NARROWEST))
        left -= widths[i]
    return widths


def _fitted(cell: str, column: Column, width: int, *, mark: str) -> list[str]:
    """The lines of a cell."""
    lines = cell.split("\n")
    return [
        part
        for line in lines
        for part in (
            [shorten_path(line, width, mark)]
            if column.path and mark and not _is_text(line)
            else fold(line, width)
        )
    ]


def _is_text(line: str) -> bool:
    """Whether a line of a column of paths says something of the path above it."""
    return line.startswith("(") and line.endswith(")")


def _padded(text: str, column: Column, width: int) -> str:
    space = " " * (width - cell_len(text))
    return space + text if column.right else text + space
