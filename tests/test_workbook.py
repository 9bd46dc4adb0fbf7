"""The Excel workbook, read back by another program and compared with what the library knows."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from organizer.errors import SettingsError
from organizer.export import workbook
from organizer.export.workbook import SUMMARY_COLUMNS, WORKBOOK_COLUMNS, Xlsx
from organizer.library.exports.format_options import make_exporter
from organizer.types import ExportBatch, ExportDetection
from tests.batches import about, batch, looked_at, unclustered
from tests.conftest import make_photo

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x")')


def written(
    to: Path, *batches: ExportBatch, info: dict[str, Any] | None = None, **options: Any
) -> dict[str, list[tuple[Any, ...]]]:
    """Write a workbook; the rows of each sheet without its header."""
    file = to / "book.xlsx"
    count = Xlsx(**options).export(batches, file, about=about(**(info or {})))
    assert count == sum(map(len, batches))
    book = openpyxl.load_workbook(file)
    found = {}
    for sheet in book:
        header, *rows = sheet.iter_rows(values_only=True)
        is_summary = sheet.title == "Summary"
        expected = SUMMARY_COLUMNS if is_summary else WORKBOOK_COLUMNS
        assert header[: len(expected)] == expected
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
        found[sheet.title] = rows
    assert next(iter(found)) == "Summary"
    return found


def test_a_sheet_has_a_line_an_image_with_real_dates_and_times(tmp_path: Path) -> None:
    sheets = written(tmp_path, batch(6))
    assert list(sheets) == ["Summary", "cluster 7", "Red fox", "unassigned"]
    assert sheets["Red fox"][0][:10] == (
        "0-0000.jpg", "/photos/day 0", datetime.fromisoformat("2024-05-01"), time(6, 7, 8),
        "Old oak", "Red fox", None, "decided", 0, "Browning BTC-7E",
    )  # fmt: skip
    nothing_known = sheets["cluster 7"][0][:10]
    assert nothing_known == (
        "0-0001.jpg", "/photos/day 0", None, None, None, "cluster 7", None, "auto", None, None,
    )  # fmt: skip
    assert sheets["unassigned"][0][2:8] == (
        datetime.fromisoformat("1999-12-31"), time(23, 59, 59), "B 2", None, None, "unassigned",
    )  # fmt: skip


def test_the_summary_counts_images_and_events_a_station_and_month(tmp_path: Path) -> None:
    summary = written(tmp_path, batch(6), batch(3, seed=1))["Summary"]
    assert summary == [
        ("B 2", "1999-12", "unassigned", 3, 1),
        ("Old oak", "2024-05", "Red fox", 3, 1),
        (None, None, "cluster 7", 3, 0),
        ("Total", None, None, 9, 2),
    ]


def test_a_photo_of_two_species_has_a_line_in_both_sheets_and_counts_once(tmp_path: Path) -> None:
    fox = ExportDetection("animal", 0.9, 0, 0, 0.1, 0.1, 3, "Red fox")
    hare = ExportDetection("animal", 0.8, 0, 0, 0.1, 0.1, 7, None)
    unsure = ExportDetection("animal", 0.1, 0, 0, 0.1, 0.1, 3, "Red fox")
    sheets = written(tmp_path, looked_at(1, detections=((fox, hare, fox, unsure),)))
    assert [row[6] for row in sheets["Red fox"]] == [2]
    assert [row[6] for row in sheets["cluster 7"]] == [1]
    assert sheets["Summary"][-1][3:] == (1, 1)


def test_names_are_never_run_and_fit_excel(tmp_path: Path) -> None:
    names = [
        *FORMULAS,
        *("History", "fox/hare [young]", "FOX", "fox", "'quoted'", "x" * 31, "x" * 40, "\0\t", "*"),
        "🦊" * 20,
        "Summary",
    ]
    n = len(names)
    sheets = written(
        tmp_path,
        batch(
            n,
            cluster_ids=tuple(range(100, 100 + n)),
            cluster_names=tuple(names),
            cameras=tuple(names),
            paths=tuple(f"/photos/{i}/=x{i}.jpg" for i in range(n)),
        ),
    )
    assert len(sheets) == n + 1
    assert len({name.casefold() for name in sheets}) == n + 1
    assert all(len(name.encode("utf-16-le")) <= 62 for name in sheets)
    found = {row[5] for name, rows in sheets.items() if name != "Summary" for row in rows}
    assert {*FORMULAS, "fox/hare [young]", "FOX", "fox", "x" * 40, "🦊" * 20} <= found
    assert {row[0] for row in sheets["FOX"]} == {"=x8.jpg"}


def test_a_sheet_that_is_full_goes_on_in_another_and_rare_species_share_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "_MOST_ROWS", 4)
    monkeypatch.setattr(workbook, "_MOST_SHEETS", 3)
    kinds = ("a", "a", "a", "a", "b", "c", "d")
    images = batch(7, cluster_ids=tuple(map(ord, kinds)), cluster_names=kinds, states=("auto",) * 7)
    sheets = written(tmp_path, images)
    assert [(name, len(rows)) for name, rows in sheets.items() if name != "Summary"] == [
        ("a", 3), ("a (2)", 1), ("b", 1), ("more species", 2),
    ]  # fmt: skip
    assert [row[5] for row in sheets["more species"]] == ["c", "d"]


def test_every_image_of_the_csv_is_in_the_workbook(tmp_path: Path) -> None:
    parts = (batch(30), unclustered(4))
    sheets = written(tmp_path, *parts)
    rows = [row for name, sheet in sheets.items() if name != "Summary" for row in sheet]
    assert {row[10] for row in rows} == {i for part in parts for i in part.image_ids}
    stream = io.BytesIO()
    make_exporter("csv", {}).write(parts, stream, about=about())  # type: ignore[attr-defined]
    expected = list(csv.DictReader(io.StringIO(stream.getvalue().decode())))
    assert Counter(row[0] for row in rows) == Counter(
        row["path"].rpartition("/")[2] for row in expected
    )
    dates = Counter(row[2].strftime("%Y-%m-%d") if row[2] else "" for row in rows)
    assert dates == Counter(row["taken_at"][:10] for row in expected)


def test_pictures_stand_beside_their_lines(tmp_path: Path) -> None:
    photo = make_photo(tmp_path / "a.jpg").read_bytes()
    written(tmp_path, batch(3, pictures=(photo, None, photo)), thumbnails=64)
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    pictures = {sheet.title: len(sheet._images) for sheet in book}
    assert pictures == {"Summary": 0, "cluster 7": 0, "Red fox": 1, "unassigned": 1}
    assert book["Red fox"].row_dimensions[2].height > 40
    with pytest.raises(SettingsError, match="--thumbnails cannot be 9999"):
        make_exporter("xlsx", {"thumbnails": "9999"})


def test_csv_for_european_spreadsheets() -> None:
    def text(**options: str) -> list[list[str]]:
        stream = io.BytesIO()
        make_exporter("csv", options).write([batch(1)], stream, about=about())  # type: ignore[attr-defined]
        delimiter = {"tab": "\t"}.get(options["delimiter"], options["delimiter"])
        return list(csv.reader(io.StringIO(stream.getvalue().decode()), delimiter=delimiter))

    for delimiter in (";", "tab", "|"):
        header, row = text(delimiter=delimiter, decimal=",")
        cells = dict(zip(header, row, strict=True))
        assert (cells["distance"], cells["latitude"], cells["width"]) == ("0,25", "51,5", "64")
        assert cells["file"] == "day 0/0-0000.jpg", "only numbers change"
    for wrong in ({"delimiter": "x"}, {"decimal": ";"}, {"decimal": ","}):
        with pytest.raises(SettingsError):
            make_exporter("csv", wrong)
