"""An Excel workbook to hand in: a summary, and a sheet a species with a line an image.

Ten columns: the file and its folder, date and time as Excel keeps them (camera-local), the station,
the species, how many animals a detector saw, who says so (``State``), the event and the camera.
A hidden column has the id of the image. What is not known is empty. A photo that shows animals of
several species has a line in each sheet.

Names and paths are not trusted: every text is written as a text, never as a formula or a link.
Rows go to temporary files as they come, so that a million images need hardly more memory
than a thousand: what is counted for the summary.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from organizer.errors import SettingsError
from organizer.export.paths import exported_paths
from organizer.export.species import Tally, site_of, species_in
from organizer.types import ExportBatch, ExportInfo, PartOption, VectorUse

WORKBOOK_COLUMNS = (
    "File", "Folder", "Date", "Time", "Station", "Species", "Count", "State", "Event", "Camera",
    "Image ID",
)  # fmt: skip
"""The header of every sheet of images; the last column is hidden."""

SUMMARY_COLUMNS = ("Station", "Month", "Species", "Images", "Events")
"""The header of the first sheet. Images without a time are of no event; the last line counts every
image and every event once."""

UNASSIGNED_SHEET = "unassigned"
"""The sheet of images that are in no cluster."""

_MOST_ROWS = 1_048_576
_MOST_SHEETS = 200
_MORE_SPECIES = "more species"
_LONGEST_NAME = 31
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", "_"))
_RESERVED = {"history", "summary"}
_LONGEST_TEXT = 32_767
_LARGEST_PICTURE = 512
_WIDTHS = (28, 40, 11, 9, 18, 24, 7, 10, 8, 28, 34)
_ID_COLUMN, _PICTURE_COLUMN = 10, 11
_SUMMARY_WIDTHS = (24, 10, 28, 10, 10)
_DAY_0 = datetime(1899, 12, 30)  # noqa: DTZ001 - camera-local, as all times of a workbook
_FIRST_YEAR = 1900
_DAY = timedelta(days=1)
_POINTS = 0.75


class Xlsx:
    """Writes a workbook; see the module.

    Args:
        thumbnails: Pixels of the longer side of a picture beside each line; 0 for none.
    """

    suffix = ".xlsx"
    file_name = "organizer.xlsx"
    vectors = VectorUse.NEVER
    options: ClassVar[Mapping[str, PartOption]] = {
        "thumbnails": PartOption(
            "pixels of the longer side of a picture beside each line; 0 for no pictures", "0"
        )
    }

    def __init__(self, *, thumbnails: int = 0) -> None:
        if not 0 <= thumbnails <= _LARGEST_PICTURE:
            raise SettingsError(
                f"--thumbnails cannot be {thumbnails}",
                f"it is 0 (none) to {_LARGEST_PICTURE} pixels",
            )
        self.picture_side = thumbnails

    def export(self, batches: Iterable[ExportBatch], to: Path, *, about: ExportInfo) -> int:
        """Write a file."""
        import xlsxwriter
        from xlsxwriter.exceptions import FileCreateError

        with tempfile.TemporaryDirectory(prefix="organizer-xlsx-") as scratch:
            options = {"constant_memory": True, "tmpdir": scratch, "in_memory": False}
            book = xlsxwriter.Workbook(str(to), options)
            # Otherwise it is the second of the writing, and no two workbooks are the same.
            book.set_properties(
                {"created": datetime.fromisoformat(about.created_at).astimezone(UTC)}
            )
            writer = _Workbook(book, about, self.picture_side, Path(scratch))
            written = 0
            for batch in batches:
                for line in _lines(batch, about):
                    writer.add(line)
                written += len(batch)
            writer.finish(written)
            try:
                book.close()
            except FileCreateError as error:
                raise error.args[0] from error
        return written


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a sheet: an image, and one species in it."""

    file: str
    folder: str
    taken_at: datetime | None
    station: str | None
    species: str | None
    count: int | None
    state: str | None
    event: int | None
    camera: str | None
    image_id: str
    picture: bytes | None


def _lines(batch: ExportBatch, about: ExportInfo) -> Iterator[_Line]:
    paths = exported_paths(batch.paths, about)
    for row, path in enumerate(paths):
        folder, _, name = path.replace("\\", os.sep).rpartition(os.sep)
        for species, count in species_in(batch, row, about):
            yield _Line(
                file=name,
                folder=folder,
                taken_at=_time(batch.taken_at[row]),
                station=site_of(batch.deployments[row], about),
                species=species,
                count=count,
                state="unassigned" if batch.states[row] == "unsure" else batch.states[row],
                event=batch.events[row],
                camera=batch.cameras[row],
                image_id=batch.image_ids[row],
                picture=batch.pictures[row] if batch.pictures is not None else None,
            )


def _time(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None


@dataclass(slots=True)
class _Sheet:
    """A sheet that is being written."""

    sheet: Any
    columns: int
    rows: int = 0

    def finish(self) -> None:
        self.sheet.autofilter(0, 0, max(self.rows, 1), self.columns - 1)


@dataclass(slots=True)
class _Workbook:
    """Writes lines to their sheets, and what they add up to."""

    book: Any
    about: ExportInfo
    side: int
    scratch: Path
    _summary: Any = None
    _sheets: dict[str | None, _Sheet] = field(default_factory=dict)
    _names: set[str] = field(default_factory=lambda: set(_RESERVED))
    _parts: list[_Sheet] = field(default_factory=list)
    _tally: Tally[tuple[str, str, str]] = field(default_factory=Tally)
    _formats: dict[str, Any] = field(default_factory=dict)
    _pictures: int = 0

    def __post_init__(self) -> None:
        self._formats = {
            "bold": self.book.add_format({"bold": True}),
            "date": self.book.add_format({"num_format": "yyyy-mm-dd"}),
            "time": self.book.add_format({"num_format": "hh:mm:ss"}),
        }
        self._summary = self.book.add_worksheet("Summary")
        _begin(self._summary, SUMMARY_COLUMNS, _SUMMARY_WIDTHS, self._formats["bold"])

    def add(self, line: _Line) -> None:
        """Write a line to the sheet of its species, and count it."""
        self._write(self._sheet_of(line.species), line)
        species = line.species or UNASSIGNED_SHEET
        month = line.taken_at.strftime("%Y-%m") if line.taken_at else ""
        self._tally.add((line.station or "", month, species), line.event)

    def finish(self, images: int) -> None:
        """Write the summary, and bring the sheets into the order of their names."""
        order = sorted(
            self._tally.images, key=lambda key: tuple((not t, t.casefold()) for t in key)
        )
        for row, key in enumerate(order, start=1):
            for column, text in enumerate(key):
                _write_text(self._summary, row, column, text)
            self._summary.write_number(row, 3, self._tally.images[key])
            self._summary.write_number(row, 4, self._tally.events[key])
        self._summary.autofilter(0, 0, max(len(order), 1), len(SUMMARY_COLUMNS) - 1)
        bold, row = self._formats["bold"], len(order) + 1
        self._summary.write_string(row, 0, "Total", bold)
        self._summary.write_number(row, 3, images, bold)
        self._summary.write_number(row, 4, self._tally.all_events, bold)
        for sheet in self._parts:
            sheet.finish()
        last = {UNASSIGNED_SHEET: 1, _MORE_SPECIES: 2}
        sheets = self.book.worksheets_objs
        sheets[1:] = sorted(sheets[1:], key=lambda s: (last.get(s.name, 0), s.name.casefold()))
        for index, sheet in enumerate(sheets):
            sheet.index = index

    def _sheet_of(self, species: str | None) -> _Sheet:
        if species is not None and species not in self._sheets and len(self._parts) >= _MOST_SHEETS:
            species = _MORE_SPECIES
        found = self._sheets.get(species)
        if found is None or found.rows + 1 >= _MOST_ROWS:
            found = self._sheets[species] = self._begun(species or UNASSIGNED_SHEET)
        return found

    def _begun(self, species: str) -> _Sheet:
        sheet = self.book.add_worksheet(self._free_name(species))
        columns = (*WORKBOOK_COLUMNS, *(["Picture"] if self.side else []))
        widths = (*_WIDTHS, *([self.side / 7 + 1] if self.side else []))
        _begin(sheet, columns, widths, self._formats["bold"])
        sheet.set_column(_ID_COLUMN, _ID_COLUMN, _WIDTHS[_ID_COLUMN], None, {"hidden": True})
        self._parts.append(_Sheet(sheet, len(columns)))
        return self._parts[-1]

    def _free_name(self, species: str) -> str:
        """A name that Excel takes, and that no other sheet has."""
        name = "".join(c for c in species.translate(_FORBIDDEN) if c.isprintable())
        number, mark = 1, ""
        while True:
            cut = _cut(name, _LONGEST_NAME - len(mark)).strip("' ") or "_"
            if (cut + mark).casefold() not in self._names:
                self._names.add((cut + mark).casefold())
                return cut + mark
            number += 1
            mark = f" ({number})"

    def _write(self, to: _Sheet, line: _Line) -> None:
        to.rows += 1
        sheet, row = to.sheet, to.rows
        if line.picture is not None:
            sheet.set_row(row, self.side * _POINTS + 2)
        _write_text(sheet, row, 0, line.file)
        _write_text(sheet, row, 1, line.folder)
        if line.taken_at is not None and line.taken_at.year >= _FIRST_YEAR:
            day, rest = divmod(line.taken_at - _DAY_0, _DAY)
            sheet.write_number(row, 2, day, self._formats["date"])
            sheet.write_number(row, 3, rest / _DAY, self._formats["time"])
        _write_text(sheet, row, 4, line.station)
        _write_text(sheet, row, 5, line.species)
        if line.count is not None:
            sheet.write_number(row, 6, line.count)
        _write_text(sheet, row, 7, line.state)
        if line.event is not None:
            sheet.write_number(row, 8, line.event)
        _write_text(sheet, row, 9, line.camera)
        _write_text(sheet, row, _ID_COLUMN, line.image_id)
        if line.picture is not None:
            file = self.scratch / f"{self._pictures}.jpg"
            self._pictures += 1
            file.write_bytes(line.picture)
            sheet.insert_image(row, _PICTURE_COLUMN, str(file), {"x_offset": 1, "y_offset": 1})


def _begin(sheet: Any, columns: Iterable[str], widths: Iterable[float], bold: Any) -> None:
    for column, (name, width) in enumerate(zip(columns, widths, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, name, bold)
    sheet.freeze_panes(1, 0)


def _write_text(sheet: Any, row: int, column: int, text: str | None) -> None:
    if text:
        sheet.write_string(row, column, text[:_LONGEST_TEXT])


def _cut(text: str, units: int) -> str:
    """As much of a text as fits into some units of UTF-16, in which Excel counts."""
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore")
