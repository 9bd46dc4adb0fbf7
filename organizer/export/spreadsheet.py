"""CSV: one line per image, for spreadsheets, pandas, R and DuckDB.

RFC 4180 with a header. A file begins with the UTF-8 byte order mark, without which Excel reads
"Fähe" as "FÃ¤he"; pandas, polars, DuckDB, readr and data.table skip it, Python's csv does with
``encoding="utf-8-sig"``. A pipe has no mark.

Names, paths and camera metadata are not trusted: a spreadsheet runs a cell that begins with one of
``= + - @``, a tab or a line break as a formula (OWASP, "CSV injection"). Such a path gets ``./``
before it, which leads to the same file; any other such text an apostrophe. To restore the text,
remove one apostrophe where it begins with apostrophes and one of those characters. Numbers are
not changed.

Excel in most of Europe expects ``;`` between the columns and a comma in numbers: that is
``delimiter`` and ``decimal``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, ClassVar

from organizer.errors import SettingsError
from organizer.export.paths import exported_paths
from organizer.types import ExportBatch, ExportInfo, PartOption, VectorUse

CSV_COLUMNS = (
    "path", "cluster_id", "cluster", "state", "candidate_id", "candidate", "distance", "margin",
    "folder", "file", "copies", "missing", "bytes", "width", "height", "format", "taken_at",
    "camera", "latitude", "longitude", "brightness", "chroma", "image_id", "deployment", "event",
    "burst", "infrared", "clock_time",
)  # fmt: skip
"""The header, before further metadata (``extra.temperature``). `copies` is a JSON array of paths,
empty where there are none; `clock_time` the time of the camera's clock, where the deployment's
shift changed it."""

_RUNS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the last four: full-width, seen in Excel
_MARK = b"\xef\xbb\xbf"


_DELIMITERS = {",": ",", ";": ";", "tab": "\t", "\t": "\t", "|": "|"}
_DECIMALS = (".", ",")


class Csv:
    """Writes CSV; see the module.

    Args:
        delimiter: What stands between two columns: ``,`` or ``;``, ``|`` or ``tab``.
        decimal: The decimal mark of numbers: ``.`` or ``,``.
    """

    suffix = ".csv"
    file_name = "organizer.csv"
    vectors = VectorUse.NEVER
    options: ClassVar[Mapping[str, PartOption]] = {
        "delimiter": PartOption("what stands between two columns: , or ; or | or tab", ";"),
        "decimal": PartOption("the decimal mark of numbers: . or ,", ","),
    }

    def __init__(self, *, delimiter: str = ",", decimal: str = ".") -> None:
        if delimiter not in _DELIMITERS:
            raise SettingsError(
                f"delimiter cannot be {delimiter!r}",
                "it is one of , ; | and tab: --set delimiter=';'",
            )
        if decimal not in _DECIMALS:
            raise SettingsError(f"decimal cannot be {decimal!r}", "it is . or ,")
        if delimiter == decimal:
            raise SettingsError(
                f"{decimal!r} cannot be the decimal mark and stand between columns",
                "--set delimiter=';' --set decimal=','",
            )
        self._delimiter, self._decimal = _DELIMITERS[delimiter], decimal

    def export(self, batches: Iterable[ExportBatch], to: Path, *, about: ExportInfo) -> int:
        """Write a file, with the byte order mark."""
        with to.open("wb") as file:
            file.write(_MARK)
            return self.write(batches, file, about=about)

    def write(self, batches: Iterable[ExportBatch], stream: BinaryIO, *, about: ExportInfo) -> int:
        """Write to a pipe, without the mark."""
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        try:
            lines = csv.writer(text, delimiter=self._delimiter, lineterminator="\r\n")
            lines.writerow([*CSV_COLUMNS, *(f"extra.{name}" for name in about.extras)])
            written = 0
            for batch in batches:
                lines.writerows(self._localised(_rows(batch, about)))
                written += len(batch)
            text.flush()
        finally:
            text.detach()  # the caller closes the stream
        return written

    def _localised(self, rows: Iterable[tuple[object, ...]]) -> Iterable[tuple[object, ...]]:
        """The rows with the decimal mark in their numbers."""
        if self._decimal == ".":
            return rows
        return (
            tuple(
                str(cell).replace(".", self._decimal)
                if isinstance(cell, _Decimal | float)
                else cell
                for cell in row
            )
            for row in rows
        )


class _Decimal(str):
    """A number as text, with a point."""

    __slots__ = ()


def _rows(batch: ExportBatch, about: ExportInfo) -> Iterator[tuple[object, ...]]:
    return zip(
        map(guarded_path, exported_paths(batch.paths, about)),
        batch.cluster_ids,
        map(guarded, batch.cluster_names),
        batch.states,
        batch.candidate_ids,
        map(guarded, batch.candidate_names),
        map(_single, batch.distances),
        map(_single, batch.margins),
        map(guarded_path, batch.folders),
        map(guarded_path, batch.files),
        [
            json.dumps(exported_paths(paths, about), ensure_ascii=False) if paths else ""
            for paths in batch.copies
        ],
        ["yes" if missing else "no" for missing in batch.missing],
        batch.sizes,
        batch.widths,
        batch.heights,
        map(guarded, batch.formats),
        batch.taken_at,
        map(guarded, batch.cameras),
        batch.latitudes,
        batch.longitudes,
        map(_single, batch.brightness),
        map(_single, batch.chroma),
        batch.image_ids,
        map(guarded, batch.deployments),
        batch.events,
        batch.bursts,
        map(_yes_or_no, batch.infrared),
        batch.clock_times,
        *([_extra(extra.get(name)) for extra in batch.extras] for name in about.extras),
        strict=True,
    )


def guarded_path(path: str) -> str:
    """A path to the same file that no spreadsheet runs as a formula."""
    return f"./{path}" if path.startswith(_RUNS) else path


def guarded(text: str | None) -> str | None:
    """A text that no spreadsheet runs as a formula: escaped with an apostrophe where needed."""
    if text and text.lstrip("'").startswith(_RUNS):
        return f"'{text}"
    return text


def unguarded(text: str) -> str:
    """A text as it was before `guarded`."""
    bare = text.lstrip("'")
    return text[1:] if text.startswith("'") and bare.startswith(_RUNS) else text


def _yes_or_no(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


def _extra(value: str | float | None) -> str | float | None:
    return guarded(value) if isinstance(value, str) else value


def _single(value: float | None) -> _Decimal | None:
    """A number of single precision with enough digits to restore it exactly."""
    return None if value is None else _Decimal(f"{value:.9g}")
