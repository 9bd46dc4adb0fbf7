"""The formats of the field as typed: from folders with a template to a package that is complete."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Run, make_photo
from tests.typed import in_this_process

_ZONE = ("--set", "timezone=Europe/Berlin")
_PROJECT = (
    "--set", "title=Foxes", "--set", "sampling-design=targeted", "--set",
    "capture-method=activityDetection", "--set", "individuals=no", "--set", "contributor=Ann",
)  # fmt: skip


@pytest.fixture
def field(tmp_path: Path) -> Path:
    """Two cameras with three photos each that have a time, and one that has none."""
    for place, camera in enumerate(("A1", "B2")):
        for minute in range(3):
            file = make_photo(tmp_path / "field" / camera / f"{minute}.jpg", place * 10 + minute)
            exif = Image.Exif()
            when = f"2024:07:01 1{place}:0{minute}:00"
            exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = when
            with Image.open(file) as photo:
                photo.save(file, exif=exif)
    make_photo(tmp_path / "field" / "A1" / "no time.jpg", 99)
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([tmp_path / "field"], embedder="channel-mean")
        library.recluster(k=2)
    return tmp_path


def test_from_folders_to_a_package_step_by_step_as_it_asks(field: Path) -> None:
    typed: Run = partial(in_this_process, field)
    refused = typed("export", "camtrap-dp", *_ZONE)
    assert (refused.code, "project.title" in refused.err) == (2, True)
    refused = typed("export", "camtrap-dp", *_ZONE, *_PROJECT)
    assert "7 without a deployment" in refused.err
    assert typed("deployments", "template", "{deployment}").code == 0
    refused = typed("export", "camtrap-dp", *_ZONE, *_PROJECT)
    assert "1 without a time" in refused.err
    words = ("export", "camtrap-dp", *_ZONE, *_PROJECT, "--leave-out-incomplete")
    refused = typed(*words)
    assert "A1 (latitude, longitude, start, end), B2 (lat" in refused.err
    assert not (field / "organizer-camtrap-dp").exists()
    (field / "told.csv").write_text(
        "deployment_id,latitude,longitude,start,end,shift\n"
        "A1,51.5,13.25,2024-06-01,2024-08-01,3600\n"
        "B2,51.6,13.25,2024-06-01,2024-08-01,0\n"
    )
    assert typed("deployments", "read", "told.csv").code == 0
    ran = typed(*words)
    assert (ran.code, ran.out) == (0, "6 images: organizer-camtrap-dp\n"), ran.err
    assert "left out, they have no time: 1" in ran.err
    with (field / "organizer-camtrap-dp" / "media.csv").open(newline="") as file:
        media = list(csv.DictReader(file))
    assert [row["timestamp"] for row in media if row["filePath"] == "A1/0.jpg"] == [
        "2024-07-01T11:00:00+02:00"
    ]
    metadata = json.loads((field / "organizer-camtrap-dp" / "datapackage.json").read_text())
    assert metadata["temporal"] == {"start": "2024-06-01", "end": "2024-08-01"}


def test_timelapse_has_a_row_a_file_of_the_folder_of_its_template(field: Path) -> None:
    typed: Run = partial(in_this_process, field)
    refused = typed("export", "timelapse-csv", "--relative-to", "field")
    assert "1 without a time" in refused.err
    ran = typed("export", "timelapse-csv", "--relative-to", "field", "--set", "datetime=no")
    assert ran.out == "7 images: organizer-timelapse.csv\n", ran.err
    text = (field / "organizer-timelapse.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert {(row["RelativePath"], row["File"]) for row in rows} >= {
        ("A1", "0.jpg"),
        ("B2", "2.jpg"),
    }
    outside = typed("export", "timelapse-csv", "--relative-to", "field/A1", "--to", "x.csv")
    assert outside.code == 2
