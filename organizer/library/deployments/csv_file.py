"""Deployments as a CSV file: written to be filled in, and read.

These columns are read, those of Camtrap DP 1.0 (``deployments.csv``) and plain ones, however they
are capitalised: deploymentID, deployment_id or ID; latitude and longitude in degrees;
deploymentStart or start and deploymentEnd or end, in ISO 8601; locationName or location; cameraID
or camera; shift, as ``+1h`` or in seconds. Only the id is needed. An empty cell means that nothing
is known, and so does ``NA``, as R writes it; what the table has no column for is not changed.
Other columns are not read. A line with more or fewer cells than the header is refused: a comma that
was meant as a point, or a file that was cut.

Times are those of the camera's clock as it should have been. An offset from UTC is left out: it
tells where the clock was, not what it showed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from organizer.deployments import parse_shift, tidy_name
from organizer.errors import SettingsError
from organizer.export.spreadsheet import guarded
from organizer.library import csv_tables
from organizer.library.csv_tables import CsvTable, LeftOutLine, TableRow
from organizer.library.output_paths import require_suffix, resolve_output
from organizer.store import Store
from organizer.types import Deployment

DEPLOYMENT_COLUMNS = (
    "deployment_id",
    "location",
    "camera",
    "latitude",
    "longitude",
    "start",
    "end",
    "shift",
    "images",
    "first_photo",
    "last_photo",
)
"""The columns that are written; the last three follow from the photos, and are not read."""

_MEANING = {
    "deployment_id": ("deployment_id", "deploymentid", "id", "deployment"),
    "location": ("location", "locationname", "location_name", "site"),
    "camera": ("camera", "cameraid", "camera_id"),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "lng", "long"),
    "start": ("start", "deploymentstart", "deployment_start"),
    "end": ("end", "deploymentend", "deployment_end"),
    "shift": ("shift",),
}
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d{1,2}:\d\d)(:\d\d)?(?:\.\d+)?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?",
    re.ASCII,
)
_EMPTY = frozenset({"NA", "N/A", "n/a", "NULL"})
"""What programs write for a cell in which nothing is known."""
_NUMBER = re.compile(r"[+-]?\d{1,3}(?:[.,]\d*)?", re.ASCII)
_MISTAKES = 20
_FORMULA = re.compile(r"'+[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


@dataclass(frozen=True, slots=True)
class DeploymentTable:
    """A table of deployments.

    Attributes:
        deployments: Those of its lines, with what was known of them before; every id once.
        unused: The columns that were not read.
        left_out: The lines that cannot be read, or whose id is there several times.
    """

    deployments: tuple[Deployment, ...]
    unused: tuple[str, ...]
    left_out: tuple[LeftOutLine, ...] = ()


def read_deployments(file: Path, known: Mapping[str, Deployment]) -> DeploymentTable:
    """Read a table.

    Args:
        file: The table.
        known: The described deployments, by id: a table may add a longitude to a latitude.

    Raises:
        SettingsError: It cannot be read, has no column of ids or no line, or every line of it is
            wrong, by itself or with what is known.
    """
    hint = "organizer deployments write-csv FILE writes one to fill in"
    table = csv_tables.read_csv(file, what="the deployments ", hint=hint)
    places = _places(table, hint)
    if not table.lines:
        raise SettingsError(f"{table.file} holds no deployment", hint)
    read = [(line.number, *_line(line, table.header, places, known)) for line in table.lines]
    lines_of: dict[str, list[int]] = {}
    for number, found, _ in read:
        if found.deployment_id:
            lines_of.setdefault(found.deployment_id, []).append(number)
    left_out = [LeftOutLine(number, why) for number, _, wrong in read for why in wrong]
    left_out += [
        LeftOutLine(
            numbers[0],
            f"lines {', '.join(map(str, numbers))}: {name} is there {len(numbers)} times",
            "a deployment is one period, so give each period an id of its own",
        )
        for name, numbers in lines_of.items()
        if len(numbers) > 1
    ]
    once = {numbers[0] for numbers in lines_of.values() if len(numbers) == 1}
    taken = tuple(found for number, found, wrong in read if not wrong and number in once)
    if not taken:
        raise _none(table.file, left_out)
    used = set(places.values())
    unused = [name.strip() for place, name in enumerate(table.header) if place not in used]
    own = {"images", "first_photo", "last_photo"}
    named = tuple(name for name in unused if name and name not in own)
    return DeploymentTable(taken, named, tuple(left_out))


def _none(file: Path, left_out: Sequence[LeftOutLine]) -> SettingsError:
    """The error where no line can be taken, with every mistake."""
    told = [one.why if one.hint else f"line {one.line}: {one.why}" for one in left_out]
    more = f"; and {len(told) - _MISTAKES:,} more" if len(told) > _MISTAKES else ""
    hints = {one.hint: None for one in left_out if one.hint}
    advice = "; ".join(["nothing was taken from it: correct it and read it again", *hints])
    return SettingsError(f"{file}: {'; '.join(told[:_MISTAKES])}{more}", advice)


def _places(table: CsvTable, hint: str) -> dict[str, int]:
    """The column of each meaning that the table has."""
    found: dict[str, int] = {}
    for meaning, names in _MEANING.items():
        columns = [place for place, n in enumerate(table.header) if n.strip().lower() in names]
        if len(columns) > 1:
            both = " and ".join(table.header[place].strip() for place in columns)
            raise SettingsError(f"{table.file} has two columns of one meaning: {both}", "leave one")
        if columns:
            found[meaning] = columns[0]
    if "deployment_id" not in found:
        shown = ", ".join(name.strip() for name in table.header[:8] if name.strip()) or "nothing"
        raise SettingsError(
            f"{table.file} has no column deploymentID, deployment_id or ID; it has {shown}", hint
        )
    table.require_single_lines(found.values())
    return found


def _line(
    line: TableRow,
    header: Sequence[str],
    places: Mapping[str, int],
    known: Mapping[str, Deployment],
) -> tuple[Deployment, list[str]]:
    """The deployment of a line, and what is wrong with it."""
    if fault := _fault(line, header):
        return Deployment(""), [fault]
    mistakes: list[str] = []
    values: dict[str, Any] = {}
    unread: set[str] = set()
    for meaning, place in places.items():
        text = _unguarded(line.cell(place).strip())
        text = "" if text in _EMPTY else text
        try:
            values[meaning] = _READ[meaning](text) if text else _NOTHING.get(meaning)
        except ValueError as error:
            mistakes.append(f"{meaning} {error}")
            unread.add(meaning)
    deployment_id = values.pop("deployment_id", None) or ""
    if not deployment_id:
        mistakes.append("there is no id")
    found = replace(known.get(deployment_id, Deployment(deployment_id)), **values)
    begun, ended = (found.start, found.end) if unread.isdisjoint({"start", "end"}) else ("", "")
    if begun and ended and ended < begun:
        mistakes.append(f"it ends ({ended}) before it starts ({begun})")
    is_half = (found.latitude is None) != (found.longitude is None)
    if is_half and unread.isdisjoint({"latitude", "longitude"}):
        mistakes.append("there is only one of latitude and longitude")
    return found, mistakes


def _fault(line: TableRow, header: Sequence[str]) -> str:
    """Why a line is no row of its table; "" where it is one."""
    cells, names = _cells(line.cells), _cells(header)
    if len(line.cells) < len(names) or len(cells) > len(names):
        return f"it has {len(line.cells)} cells, the header {len(names)}"
    if cells == names:
        return "it is the header again"
    return ""


def _cells(row: Sequence[str]) -> list[str]:
    """The cells of a row up to the last that is not empty."""
    cells = [cell.strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _unguarded(text: str) -> str:
    """A text without the apostrophe that keeps a spreadsheet from running it."""
    return text[1:] if _FORMULA.match(text) else text


def _degrees(bound: int) -> Callable[[str], float]:
    def read_degrees(text: str) -> float:
        text = text.replace("\N{MINUS SIGN}", "-")
        if not _NUMBER.fullmatch(text):
            raise ValueError(f"{text!r} is no number of degrees such as -33.51")
        value = float(text.replace(",", "."))
        if abs(value) > bound:
            raise ValueError(f"{text} is not within -{bound} and {bound}")
        return value

    return read_degrees


def _time(rest: str) -> Callable[[str], str]:
    def read_time(text: str) -> str:
        match = _TIME.fullmatch(text.replace("\N{MINUS SIGN}", "-"))
        if not match:
            raise ValueError(f"{text!r} is no time such as 2024-05-01 or 2024-05-01T08:30:00")
        day, minutes, seconds = match.groups()
        clock = f"{minutes:0>5}{seconds or ':00'}" if minutes else rest
        try:
            return datetime.fromisoformat(f"{day}T{clock}").isoformat()
        except ValueError:
            raise ValueError(f"{text!r} is not in the calendar") from None

    return read_time


def read_start(text: str) -> str:
    """A time as the column of starts may have it, ISO 8601 to the second; a day is its first.

    Raises:
        SettingsError: It is none.
    """
    try:
        return _time("00:00:00")(text.strip())
    except ValueError as error:
        raise SettingsError(str(error), "the camera's own clock, without an offset") from error


def _shift(text: str) -> int:
    try:
        return parse_shift(text)
    except SettingsError as error:
        raise ValueError(f"{error.message}: {error.hint}") from error


_READ: Mapping[str, Callable[[str], Any]] = {
    "deployment_id": tidy_name,
    "location": tidy_name,
    "camera": tidy_name,
    "latitude": _degrees(90),
    "longitude": _degrees(180),
    "start": _time("00:00:00"),
    "end": _time("23:59:59"),
    "shift": _shift,
}
_NOTHING: Mapping[str, Any] = {"shift": 0}


# Writing -----------------------------------------------------------------------------------------


def write_deployments(
    store: Store,
    to: Path,
    rows: Iterable[tuple[Deployment, int, str | None, str | None]],
    *,
    force: bool,
) -> Path:
    """Write a table to fill in (UTF-8 with a byte order mark, commas). What is unknown is empty.

    Args:
        store: The library.
        to: The target.
        rows: Each deployment with the number of its images and the times of the first and last.
        force: Whether a file that is there may be replaced.

    Raises:
        SettingsError: There is something that may not be replaced, or the place cannot be written.
    """
    place = resolve_output(store, to, option="FILE.csv")
    require_suffix(place, ".csv", option="write-csv")
    if place.is_file() and not force:
        raise SettingsError(f"{to} is there already", "--force replaces it; or name another")
    lines = []
    for deployment, images, first, last in rows:
        period = (deployment.latitude, deployment.longitude, deployment.start, deployment.end)
        names = (deployment.deployment_id, deployment.location, deployment.camera)
        lines.append([*map(guarded, names), *period, deployment.shift, images, first, last])
    csv_tables.write_table(place, DEPLOYMENT_COLUMNS, lines, force=force, hint="name another file")
    return place
