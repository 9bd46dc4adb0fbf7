"""CSV files for spreadsheets: read as these and other programs save them, and written for them.

Programs change what they save: the separator (comma, semicolon, tab), the ends of lines, the
encoding (UTF-8 with and without a byte order mark, UTF-16, Windows-1252), and Excel may begin a
file with a line ``sep=;``. All of that is read. A broken file is refused and never guessed at: one
unclosed quote makes a single field of several lines, whose contents would be lost unnoticed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from organizer.counts import count_text
from organizer.errors import OrganizerError, SettingsError
from organizer.export.target import replace_export

_SEPARATORS = ",;\t"
_BREAK = re.compile(r"\r\n|\r|\n")
_SHOWN = 10
_UNCLOSED = "look for an unclosed quote"


@dataclass(frozen=True, slots=True)
class TableRow:
    """A line of a table that is not empty.

    Attributes:
        number: The line of the file where it begins; the first is 1.
        cells: Its cells.
    """

    number: int
    cells: Sequence[str]

    def cell(self, place: int) -> str:
        """The text of a cell; "" where the line is too short."""
        return self.cells[place] if place < len(self.cells) else ""

    def has_break(self, place: int) -> bool:
        """Whether a cell runs over several lines."""
        return _BREAK.search(self.cell(place).strip()) is not None


@dataclass(frozen=True, slots=True)
class LeftOutLine:
    """A line of a table that was left out.

    Attributes:
        line: Its number in the file; the first is 1.
        why: Why.
        hint: What to do.
    """

    line: int
    why: str
    hint: str = ""


class OddLineError(Exception):
    """What is wrong with a line of a table, and what to do.

    Attributes:
        why: What is wrong.
        hint: What to do.
    """

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.why, self.hint = why, hint

    def of(self, line: int) -> LeftOutLine:
        """The line that is left out."""
        return LeftOutLine(line, self.why, self.hint)


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A table with a header.

    Attributes:
        file: Where it was read from, as messages call it.
        header: The names of its columns as they are written.
        lines: Its lines without empty ones.
    """

    file: Path
    header: Sequence[str]
    lines: Sequence[TableRow]

    @property
    def columns(self) -> Mapping[str, int]:
        """The place of each column by its name in lower case; of two alike the last counts."""
        return {name.strip().lower(): place for place, name in enumerate(self.header)}

    def require_single_lines(self, places: Iterable[int]) -> None:
        """Make sure that the cells of some columns are each on one line.

        Raises:
            SettingsError: One is not.
        """
        for place in places:
            for line in self.lines:
                if line.has_break(place):
                    raise self.broken(line, place)

    def broken(self, line: TableRow, place: int) -> SettingsError:
        """The error for a cell that runs over several lines."""
        return SettingsError(
            f"{self.file} line {line.number}: the column {self.header[place].strip()} holds "
            "several lines",
            _UNCLOSED,
        )


def require_lines(file: Path, left_out: Sequence[LeftOutLine], taken: int) -> None:
    """Make sure that something was taken from a table of which lines were left out.

    Raises:
        SettingsError: Every line was left out; the first is named.
    """
    if left_out and not taken:
        first = min(left_out, key=lambda one: one.line)
        more = f", and {len(left_out) - 1:,} more lines like it" if len(left_out) > 1 else ""
        raise SettingsError(f"{file} line {first.line}: {first.why}{more}", first.hint)


def left_out_notes(left_out: Sequence[LeftOutLine]) -> list[str]:
    """The lines that were left out, for a reader."""
    if not left_out:
        return []
    ordered = sorted(left_out, key=lambda one: one.line)
    lines = count_text(len(ordered), "line was", "lines were")
    notes = [f"{lines} left out; correct and read the file again:"]
    notes += [
        f"  line {one.line}: {one.why}" + (f" ({one.hint})" if one.hint else "")
        for one in ordered[:_SHOWN]
    ]
    if len(ordered) > _SHOWN:
        notes.append(f"  and {len(ordered) - _SHOWN:,} more (--json lists them)")
    return notes


def read_csv(file: Path, *, shown: Path | None = None, what: str = "", hint: str) -> CsvTable:
    """Read a table.

    Args:
        file: The file; ``~`` is the home folder.
        shown: How messages call it; `file` where None.
        what: What it holds, for the message: "the labels ".
        hint: What to do where it cannot be read.

    Raises:
        SettingsError: The file cannot be read, is no text, or is not CSV.
    """
    shown = shown or file
    text = _text(file, shown, what, hint)
    separator, text, skipped = _separated(text)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    found: list[TableRow] = []
    begins = skipped + 1
    try:
        header = next(rows, [])
        begins = rows.line_num + skipped + 1
        for row in rows:
            if any(map(str.strip, row)):
                found.append(TableRow(begins, row))
            begins = rows.line_num + skipped + 1
    except csv.Error as error:
        raise SettingsError(f"{shown} line {begins} is not CSV: {error}", _UNCLOSED) from error
    return CsvTable(shown, header, found)


def write_table(
    place: Path,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    force: bool,
    hint: str,
) -> None:
    """Write a table (UTF-8 with a byte order mark, commas).

    It is written beside its target and moved there when it is complete.

    Args:
        place: The target.
        header: The names of the columns.
        rows: The lines; what is None is empty.
        force: Whether what is there may be replaced.
        hint: What to do where it cannot be written.

    Raises:
        SettingsError: There is something that may not be replaced, or the place cannot be written.
    """
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow(header)
    lines.writerows(rows)
    try:
        with replace_export(place, force=force) as partial:
            # The mark at the beginning makes spreadsheets read UTF-8.
            partial.write_bytes(text.getvalue().encode("utf-8-sig"))
    except SettingsError:
        raise
    except OrganizerError as error:
        raise SettingsError(error.message, hint) from error


def _text(file: Path, shown: Path, what: str, hint: str) -> str:
    try:
        data = file.expanduser().read_bytes()
    except (OSError, RuntimeError, ValueError) as error:  # an unknown ~user, an impossible name
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"cannot read {what}{shown}: {reason}", hint) from error
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if "\0" not in text:  # UTF-16 without a mark, a picture, a workbook
                return text
    raise SettingsError(f"{shown} is no text", "save it as CSV in UTF-8")


def _separated(text: str) -> tuple[str, str, int]:
    """The separator, the table without Excel's line about it, and the number of lines left out."""
    first, *rest = _BREAK.split(text, maxsplit=1)
    named = re.fullmatch(r'"?sep=(.)"?', first.rstrip(" "), re.IGNORECASE)
    if named and rest:
        return named[1], rest[0], 1
    return max(_SEPARATORS, key=first.count), text, 0
