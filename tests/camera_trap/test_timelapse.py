"""CSV for Timelapse: what its import takes, and that every file of a library has its row."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest

from organizer.errors import SettingsError
from organizer.library.exports.format_options import make_exporter
from organizer.types import ExportBatch
from tests.batches import about, batch, looked_at

_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def _rows(
    to: Path, *batches: ExportBatch, info: dict[str, Any] | None = None, **options: str
) -> list[dict[str, str]]:
    part = make_exporter("timelapse-csv", options)
    written = part.export(batches, to, about=about(**(info or {})))
    assert written == sum(map(len, batches))
    text = to.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _dated(n: int = 3, **columns: Any) -> ExportBatch:
    return batch(n, **{"taken_at": ("2024-05-01T06:07:08",) * n, **columns})


def test_a_row_is_found_by_the_path_as_timelapse_has_it(tmp_path: Path) -> None:
    first, second, third = _rows(tmp_path / "t.csv", _dated(paths=(
        "/photos/Site A/cam 1/IMG_0001.JPG", "/photos/IMG_0002.JPG", "/photos/é/=1.jpg",
    )))  # fmt: skip
    assert (first["RelativePath"], first["File"]) == ("Site A\\cam 1", "IMG_0001.JPG")
    assert (second["RelativePath"], second["File"]) == ("", "IMG_0002.JPG")
    assert (third["RelativePath"], third["File"]) == ("é", "=1.jpg")
    assert {row["RootFolder"] for row in (first, second, third)} == {"photos"}


def test_times_and_flags_are_what_its_import_takes(tmp_path: Path) -> None:
    rows = _rows(tmp_path / "t.csv", _dated(taken_at=("2024-05-01T06:07:08.25",) * 3))
    assert list(rows[0])[:5] == ["RootFolder", "RelativePath", "File", "DateTime", "DeleteFlag"]
    for row in rows:
        assert _TIME.fullmatch(row["DateTime"])
        assert row["DeleteFlag"] == "false"


def test_an_image_without_a_time_needs_the_times_left_out(tmp_path: Path) -> None:
    assert make_exporter("timelapse-csv", {}).needs == {"taken_at"}  # type: ignore[attr-defined]
    part = make_exporter("timelapse-csv", {"datetime": "no"})
    assert part.needs == set()  # type: ignore[attr-defined]
    rows = _rows(tmp_path / "t.csv", batch(3), datetime="no")
    assert "DateTime" not in rows[0]


def test_our_fields_are_what_is_known(tmp_path: Path) -> None:
    box = looked_at(3, taken_at=("2024-05-01T06:07:08",) * 3)
    first, second, third = _rows(tmp_path / "t.csv", box)
    assert [row["Cluster"] for row in (first, second, third)] == ["Red fox", "cluster 7", "unsure"]
    assert [row["ClusterID"] for row in (first, second, third)] == ["3", "7", ""]
    assert (third["Candidate"], third["State"]) == ("Red fox", "unsure")
    assert (first["Deployment"], first["Event"], first["Burst"]) == ("A1", "0", "0")
    assert [row["Light"] for row in (first, second, third)] == ["day", "", "infrared"]
    assert [row["Animals"] for row in (first, second, third)] == ["2", "", "0"]
    assert first["Vehicles"] == "0", "a box that does not count"
    assert (first["Temperature"], first["MoonPhase"]) == ("21", "full")
    assert first["ImageID"] == box.image_ids[0]


def test_every_file_below_the_folder_has_a_row(tmp_path: Path) -> None:
    copies = (("/photos/b/1.jpg", "/elsewhere/1.jpg"), (), ("/photos/c.jpg",))
    paths = ("/photos/a/1.jpg", "/photos/a/2.jpg", "/elsewhere/3.jpg")
    rows = _rows(tmp_path / "t.csv", _dated(paths=paths, copies=copies))
    found = [(row["RelativePath"], row["File"]) for row in rows]
    assert found == [("a", "1.jpg"), ("b", "1.jpg"), ("a", "2.jpg"), ("", "c.jpg")]
    outside = _dated(1, paths=("/elsewhere/3.jpg",), copies=((),))
    with pytest.raises(SettingsError, match="is outside /photos"):
        _rows(tmp_path / "x.csv", outside)


def test_only_the_columns_that_the_template_has_are_written(tmp_path: Path) -> None:
    rows = _rows(tmp_path / "t.csv", _dated(), columns="Cluster, Temperature")
    assert list(rows[0])[5:] == ["Cluster", "Temperature"]
    with pytest.raises(SettingsError, match="no column Speceis"):
        _rows(tmp_path / "x.csv", _dated(), columns="Speceis")
    with pytest.raises(SettingsError, match="names one twice"):
        make_exporter("timelapse-csv", {"columns": "Cluster,Cluster"})


def test_a_name_that_a_spreadsheet_would_run_has_an_apostrophe(tmp_path: Path) -> None:
    (row,) = _rows(tmp_path / "t.csv", _dated(1, cluster_names=("=1+1",), copies=((),)))
    assert row["Cluster"] == "'=1+1"
