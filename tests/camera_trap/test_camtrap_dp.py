"""Camtrap DP by the rules of the standard: what must be there, in which words, and what it means.

The rules are written down here as tables, so that they are held to also where the published schemas
are not at hand; `test_camtrap_dp_published` holds the same packages to those.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from organizer.errors import SettingsError
from organizer.file_kinds import VIDEO_SUFFIXES
from organizer.library.exports.format_options import format_options, make_exporter
from organizer.protocols import CompleteExporter
from organizer.types import ExportBatch, ExportDetection
from organizer_camera_trap.formats.camtrap_dp import CamtrapDP
from organizer_camera_trap.formats.camtrap_dp.events import Event
from organizer_camera_trap.formats.camtrap_dp.observations import Observation
from organizer_camera_trap.formats.camtrap_dp.standard import media_type
from organizer_camera_trap.formats.camtrap_dp.zones import time_zone, with_offset
from tests.batches import BOXES, DEPLOYMENTS, about, batch, looked_at

# The rules of Camtrap DP 1.0.2 -----------------------------------------------------------------

_REQUIRED = {
    "deployments": ["deploymentID", "latitude", "longitude", "deploymentStart", "deploymentEnd"],
    "media": ["mediaID", "deploymentID", "timestamp", "filePath", "filePublic", "fileMediatype"],
    "observations": [
        "observationID", "deploymentID", "eventStart", "eventEnd", "observationLevel",
        "observationType",
    ],
}  # fmt: skip
_TIMES = {
    "deployments": ["deploymentStart", "deploymentEnd"],
    "media": ["timestamp"],
    "observations": ["eventStart", "eventEnd", "classificationTimestamp"],
}
_WORDS = {
    "captureMethod": {"activityDetection", "timeLapse"},
    "filePublic": {"true", "false"},
    "observationLevel": {"media", "event"},
    "observationType": {"animal", "human", "vehicle", "blank", "unknown", "unclassified"},
    "classificationMethod": {"human", "machine"},
}
_RANGES = {
    "latitude": (-90, 90), "longitude": (-180, 180), "count": (1, 10**9), "bboxX": (0, 1),
    "bboxY": (0, 1), "bboxWidth": (1e-15, 1), "bboxHeight": (1e-15, 1),
    "classificationProbability": (0, 1),
}  # fmt: skip
_KEYS = {"deployments": "deploymentID", "media": "mediaID", "observations": "observationID"}
_POINTS_TO = {"deploymentID": "deployments", "mediaID": "media"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
_PATH = re.compile(r"(?=^[^./~])(^((?!\.{2}).)*$).*")
_METADATA = {
    "resources", "profile", "created", "contributors", "project", "spatial", "temporal",
    "taxonomic",
}  # fmt: skip
_PROJECT = {"title", "samplingDesign", "captureMethod", "individualAnimals", "observationLevel"}

Rows = list[dict[str, str]]
_OPTIONS = {
    "timezone": "+01:00",
    "title": "Foxes",
    "sampling-design": "targeted",
    "capture-method": "activityDetection",
    "individuals": "no",
    "contributor": "Jane Doe",
}


def known(given_images: ExportBatch) -> ExportBatch:
    """With a time, a deployment and an event where there is none."""
    filled = {"taken_at": "2024-05-01T06:07:30", "deployments": "A1", "events": 0}
    columns: dict[str, Any] = {
        name: tuple(value if v is None else v for v in getattr(given_images, name))
        for name, value in filled.items()
    }
    return replace(given_images, **columns)


def package(
    to: Path, *batches: ExportBatch, info: Mapping[str, Any] | None = None, **options: Any
) -> tuple[dict[str, Any], dict[str, Rows]]:
    """Write a package, hold it to the rules, and give its metadata and tables."""
    to.mkdir()
    part = make_exporter("camtrap-dp", {**_OPTIONS, **options})
    written = part.export(map(known, batches), to, about=about(**(info or {})))
    assert {file.name for file in to.iterdir()} == CamtrapDP.holds
    metadata = json.loads((to / "datapackage.json").read_text(encoding="utf-8"))
    tables = {name: _rows(to / f"{name}.csv") for name in _REQUIRED}
    assert written == len(tables["media"])
    _hold_to_the_rules(metadata, tables)
    return metadata, tables


def require_complete(beside: Path, options: Mapping[str, str], *lacking: str, **info: Any) -> None:
    """Ask an exporter whether it has all that it needs."""
    part = make_exporter("camtrap-dp", options)
    assert isinstance(part, CompleteExporter)
    part.require_complete(about(**info), beside, lacking=lacking)


def _rows(file: Path) -> Rows:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def _hold_to_the_rules(metadata: dict[str, Any], tables: dict[str, Rows]) -> None:
    assert set(metadata) >= _METADATA
    assert set(metadata["project"]) >= _PROJECT
    assert [one["name"] for one in metadata["resources"]] == list(_REQUIRED)
    for one in metadata["resources"]:
        assert one["profile"] == "tabular-data-resource"
        assert one["schema"].endswith(f"/1.0.2/{one['name']}-table-schema.json")
    for table, rows in tables.items():
        keys = [row[_KEYS[table]] for row in rows]
        assert len(set(keys)) == len(keys), table
        for row in rows:
            for name, cell in row.items():
                _hold_cell(table, name, cell, tables)
    names = {row["scientificName"] for row in tables["observations"]} - {""}
    assert {one["scientificName"] for one in metadata["taxonomic"]} == names
    for row in tables["observations"]:
        assert row["eventStart"] <= row["eventEnd"]
        assert bool(row["mediaID"]) == (row["observationLevel"] == "media")
        assert row["bboxX"] == "" or row["mediaID"]


def _hold_cell(table: str, name: str, cell: str, tables: dict[str, Rows]) -> None:
    if not cell:
        assert name not in _REQUIRED[table], name
        return
    if name in _TIMES[table]:
        assert _TIME.fullmatch(cell), cell
        datetime.fromisoformat(cell)
    if name in _WORDS:
        assert cell in _WORDS[name], name
    if name in _RANGES:
        low, high = _RANGES[name]
        assert low <= float(cell) <= high, name
    if name in _POINTS_TO:
        target = _POINTS_TO[name]
        assert cell in {row[_KEYS[target]] for row in tables[target]}, name
    if name == "filePath":
        assert _PATH.fullmatch(cell), cell
    if name == "fileMediatype":
        assert cell.startswith(("image/", "video/", "audio/"))
    if name == "exifData":
        assert isinstance(json.loads(cell), dict)


# What is in a package --------------------------------------------------------------------------


def test_deployments_media_and_metadata_are_what_is_known(tmp_path: Path) -> None:
    metadata, tables = package(tmp_path / "dp", batch(3))
    assert tables["deployments"][0] == {
        **dict.fromkeys(tables["deployments"][0], ""),
        "deploymentID": "A1",
        "locationName": "Old oak",
        "latitude": "51.5",
        "longitude": "13.25",
        "deploymentStart": "2024-04-01T00:00:00+01:00",
        "deploymentEnd": "2024-06-01T12:00:00+01:00",
        "cameraID": "cam 1",
        "deploymentComments": "the camera's clock was wrong: +3600 s were added to all times",
    }
    first = tables["media"][0]
    assert first["timestamp"] == "2024-05-01T06:07:08+01:00"
    assert (first["filePath"], first["fileName"]) == ("day 0/0-0000.jpg", "0-0000.jpg")
    assert (first["filePublic"], first["fileMediatype"]) == ("false", "image/jpeg")
    assert first["mediaComments"] == "the camera's clock showed 2024-05-01T05:07:08"
    assert json.loads(first["exifData"]) == {"temperature": 21, "moon_phase": "full"}
    assert first["captureMethod"] == "activityDetection"
    assert metadata["spatial"]["bbox"] == [13.25, -33.25, 151.0, 51.5]
    assert metadata["temporal"] == {"start": "1999-12-01", "end": "2024-06-01"}
    assert metadata["project"]["observationLevel"] == ["event"]
    assert metadata["contributors"] == [{"title": "Jane Doe"}]


def test_an_observation_is_by_whoever_decided_unless_one_name_is_given_for_all(
    tmp_path: Path,
) -> None:
    def by(folder: str, images: ExportBatch, **options: Any) -> list[str]:
        _, tables = package(tmp_path / folder, images, level="media", **options)
        return [row["classifiedBy"] for row in tables["observations"]]

    crops = ((replace(BOXES[0], decided_by="Eve"), BOXES[1]), (), ())
    assert by("images", batch()) == ["Ben", "organizer 0", ""]
    assert by("crops", looked_at(detections=crops)) == ["Eve", "organizer 0", "MDv5a", "MDv5a"]
    assert by("given", batch(), classified_by="Ann") == ["Ann", "organizer 0", ""]
    assert by("unknown", batch(decided_by=(None,) * 3)) == ["", "organizer 0", ""]


def test_an_image_is_what_detector_and_person_say(tmp_path: Path) -> None:
    box = ExportDetection("animal", 0.75, 0.0, 0.0, 0.5, 0.5)
    person = ExportDetection("person", 0.5, 0.5, 0.0, 0.6, 0.5)
    images = looked_at(
        6,
        detections=(*looked_at(3).detections, (box, person), (box,), None),
        failures=(None,) * 6,
    )
    _, tables = package(tmp_path / "dp", images, level="media", classified_by="Ann")
    of: dict[str, Rows] = {image_id: [] for image_id in images.image_ids}
    for row in tables["observations"]:
        of[row["mediaID"]].append(row)
    decided, second, empty, loose, whole, unassigned = of.values()
    assert [row["observationType"] for row in decided] == ["animal", "animal"], "0.1 counts not"
    assert [row["classificationMethod"] for row in decided] == ["human", "machine"]
    assert [row["classifiedBy"] for row in decided] == ["Ann", "organizer 0"]
    assert [row["bboxWidth"] for row in decided] == ["0.3", "0.25"]
    assert decided[0]["observationTags"] == "cluster:3 | name:Red fox"
    assert decided[1]["classificationTimestamp"] == "2026-11-20T08:00:00+00:00"
    assert {row["classificationProbability"] for row in decided} == {""}
    (alone,) = second
    assert (alone["observationType"], alone["observationTags"]) == ("unclassified", "cluster:7")
    (blank,) = empty
    assert (blank["observationType"], blank["classifiedBy"]) == ("blank", "MDv5a")
    animal, human = loose
    assert (animal["observationType"], human["observationType"]) == ("animal", "human")
    assert human["classificationProbability"] == "0.5"
    assert human["bboxWidth"] == "0.5", "a box ends with the image"
    assert animal["observationTags"] == "cluster:3 | name:Red fox", "whole images were clustered"
    assert (whole[0]["observationType"], whole[0]["bboxX"]) == ("animal", "0.0")
    assert [row["observationType"] for row in unassigned] == ["unclassified"]
    assert (unassigned[0]["classificationMethod"], unassigned[0]["observationTags"]) == ("", "")


def test_events_have_each_kind_once_and_the_most_at_a_time(tmp_path: Path) -> None:
    fox = ExportDetection("animal", 0.9, 0.1, 0.1, 0.2, 0.2, 3, "Red fox")
    images = batch(
        4,
        detections=((fox,), (fox, fox), (), ()),
        detectors=("MDv5a",) * 4,
        states=("auto",) * 4,
        events=(0, 0, 0, 3),
        deployments=("A1", "A1", "A1", "B 2"),
    )
    _, tables = package(tmp_path / "dp", images)
    foxes, nothing = tables["observations"]
    assert (foxes["count"], foxes["observationTags"]) == ("2", "cluster:3 | name:Red fox")
    assert foxes["eventID"] == "A1-20240501T060708"
    assert foxes["eventStart"] == "2024-05-01T06:07:08+01:00"
    assert foxes["eventEnd"] == "2024-05-01T06:08:00+01:00"
    assert (nothing["observationType"], nothing["deploymentID"]) == ("blank", "B 2")


def test_clusters_of_one_species_are_one_observation_of_an_event(tmp_path: Path) -> None:
    by_day = ExportDetection("animal", 0.9, 0.1, 0.1, 0.2, 0.2, 3, "fox by day")
    by_night = ExportDetection("animal", 0.9, 0.5, 0.1, 0.2, 0.2, 7, "fox by night")
    human = ExportDetection("person", 0.9, 0.1, 0.1, 0.2, 0.2)
    images = batch(
        3,
        detections=((by_day, by_night), (by_night,), (human,)),
        events=(0, 0, 0),
        deployments=("A1",) * 3,
    )
    taxa = tmp_path / "taxa.csv"
    taxa.write_text("name,scientificName\nfox by day,Vulpes vulpes\nfox by night,Vulpes vulpes\n")
    _, tables = package(tmp_path / "dp", images, taxa=str(taxa))
    fox, person = tables["observations"]
    assert (fox["scientificName"], fox["count"]) == ("Vulpes vulpes", "2")
    assert (person["observationType"], person["count"]) == ("human", "1")


def test_both_levels_are_linked_by_the_event(tmp_path: Path) -> None:
    metadata, tables = package(tmp_path / "dp", looked_at(6), level="both")
    rows = tables["observations"]
    assert metadata["project"]["observationLevel"] == ["media", "event"]
    by_level = {
        level: {row["eventID"] for row in rows if row["observationLevel"] == level}
        for level in ("media", "event")
    }
    assert by_level["media"] == by_level["event"]


_kinds = st.sampled_from(["animal", "human", "vehicle", "blank", "unknown", "unclassified"])


@given(st.lists(st.lists(_kinds, min_size=1, max_size=4), min_size=1, max_size=6))
def test_an_event_is_blank_only_where_all_its_images_are(said: list[list[str]]) -> None:
    event = Event("A1", 0)
    box = ExportDetection("animal", 0.9, 0.0, 0.0, 0.5, 0.5)
    for image in said:
        event.add([Observation(kind, box=box if kind == "animal" else None) for kind in image])
    kinds = {kind for image in said for kind in image}
    found = {one.kind: count for one, count in event.observations()}
    shown = kinds - {"blank", "unclassified"}
    assert set(found) == (shown or kinds - {"blank"} or kinds)
    if "animal" in found:
        assert found["animal"] == max(image.count("animal") for image in said)
    assert all(count is None for kind, count in found.items() if kind != "animal")


# Names -----------------------------------------------------------------------------------------


def test_a_name_is_scientific_only_where_a_person_says_so(tmp_path: Path) -> None:
    _, plain = package(tmp_path / "plain", batch(1))
    assert plain["observations"][0]["scientificName"] == ""
    assert plain["observations"][0]["observationType"] == "unclassified"
    file = tmp_path / "taxa.csv"
    file.write_text(
        "name,scientificName,taxonRank,eng\nred FOX,Vulpes vulpes,species,fox\n", encoding="utf-8"
    )
    metadata, mapped = package(tmp_path / "mapped", batch(1), taxa=str(file))
    row = mapped["observations"][0]
    assert (row["scientificName"], row["observationType"]) == ("Vulpes vulpes", "animal")
    assert (row["classificationMethod"], row["observationTags"]) == (
        "human",
        "cluster:3 | name:Red fox",
    )
    assert metadata["taxonomic"] == [
        {
            "scientificName": "Vulpes vulpes",
            "taxonRank": "species",
            "vernacularNames": {"eng": "fox"},
        }
    ]
    lynx = batch(2, cluster_names=("Lynx lynx", "People"))
    _, said = package(tmp_path / "said", lynx, names="scientific", level="media")
    found = [(row["scientificName"], row["observationType"]) for row in said["observations"]]
    assert found == [("Lynx lynx", "animal"), ("", "human")]


def test_a_table_of_names_that_is_not_there_is_written_to_fill_in(tmp_path: Path) -> None:
    file = tmp_path / "taxa.csv"
    with pytest.raises(SettingsError) as error:
        package(tmp_path / "dp", batch(1), taxa=str(file))
    assert "a template was written there" in error.value.hint
    assert "Red fox" in file.read_text(encoding="utf-8-sig")
    before = file.read_bytes()
    package(tmp_path / "again", batch(1), taxa=str(file))
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name\nfox\n", "no column name and scientificName"),
        ("name,scientificName\n,Vulpes vulpes\n", "line 2 has no name"),
        ("name,scientificName,observationType\nx,,beast\n", "beast is not an observationType"),
        ("name,scientificName,taxonRank\nx,Vulpes,tribe\n", "tribe is not a taxonRank"),
    ],
)
def test_a_table_of_names_that_is_wrong_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "taxa.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        package(tmp_path / "dp", batch(1), taxa=str(file))


# What is required -------------------------------------------------------------------------------


def test_deployments_without_place_or_period_are_named_and_nothing_is_invented(
    tmp_path: Path,
) -> None:
    bare = replace(DEPLOYMENTS["A1"], latitude=None, end=None)
    upside_down = replace(DEPLOYMENTS["B 2"], latitude=91.0, end="1999-01-01T00:00:00")
    wrong = {"deployments": {"A1": bare, "B 2": upside_down}}
    with pytest.raises(SettingsError) as error:
        package(tmp_path / "dp", batch(3), info=wrong)
    assert "A1 (latitude, end)" in error.value.message
    assert "B 2 (a latitude from -90 to 90, an end after its start)" in error.value.message
    assert "organizer deployments" in error.value.hint


def test_all_that_is_missing_is_listed_at_once_and_written_to_fill_in(tmp_path: Path) -> None:
    bare = {"deployments": {"A1": replace(DEPLOYMENTS["A1"], latitude=None)}}
    with pytest.raises(SettingsError) as error:
        require_complete(tmp_path, {}, "images: 3 without a time", **bare)
    needed = (
        *("timezone", "title", "samplingDesign", "captureMethod", "individualAnimals"),
        *("contributors", "3 without a time", "A1 (latitude)", "scientific names of Red fox"),
    )
    for words in needed:
        assert words in error.value.message
    for words in ("project.toml and ", "taxa.csv", "organizer deployments write-csv"):
        assert words in error.value.hint
    assert {file.name for file in tmp_path.iterdir()} == {"project.toml", "taxa.csv"}


def test_what_was_filled_in_is_used_and_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "project.toml"
    with pytest.raises(SettingsError, match="Camtrap DP needs"):
        make_exporter("camtrap-dp", {}).export([], tmp_path / "dp", about=about())
    filled = file.read_text(encoding="utf-8")
    filled = filled.replace('timezone = ""', 'timezone = "UTC"')
    filled = filled.replace('title = ""', 'title = "Foxes"')
    filled = filled.replace('samplingDesign = ""', 'samplingDesign = "targeted"')
    file.write_text(filled.replace('captureMethod = [""]', 'captureMethod = ["timeLapse"]'))
    half = file.read_bytes(), (tmp_path / "taxa.csv").read_bytes()
    with pytest.raises(SettingsError) as error:
        make_exporter("camtrap-dp", {}).export([], tmp_path / "dp", about=about())
    assert "individualAnimals" in error.value.message
    assert "timezone" not in error.value.message
    assert "template" not in error.value.hint
    assert half == (file.read_bytes(), (tmp_path / "taxa.csv").read_bytes())
    file.write_text(
        file.read_text(encoding="utf-8").replace(
            'individualAnimals = ""', "individualAnimals = false"
        )
    )
    to = tmp_path / "dp"
    to.mkdir()
    part = make_exporter("camtrap-dp", {})
    part.export([known(batch(1))], to, about=about())
    metadata = json.loads((to / "datapackage.json").read_text(encoding="utf-8"))
    assert metadata["project"]["captureMethod"] == ["timeLapse"]
    assert metadata["contributors"] == [{"title": "Foxes", "role": "contact"}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[project", "is not valid TOML"),
        ("spatial = 1", "is computed"),
        ("colour = 1", "colour, which is no property of Camtrap DP"),
        ("[project]\ntitel = 'x'", "project.titel, which is no property of Camtrap DP"),
        ("[[licenses]]\nname = 'CC0-1.0'\nscope = 'data'", "licenses, one of scope data and one"),
        ("[[contributors]]\ntitle = 'x'\nrole = 'boss'", "contributors.role of x"),
    ],
)
def test_a_project_file_that_is_wrong_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "project.toml"
    file.write_text(text, encoding="utf-8")
    options = {name: value for name, value in _OPTIONS.items() if name != "contributor"}
    with pytest.raises(SettingsError, match=re.escape(said)):
        require_complete(tmp_path, {**options, "project": str(file)})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"level": "day"}, "level cannot be 'day'"),
        ({"names": "latin"}, "names cannot be 'latin'"),
        ({"individuals": "maybe"}, "individuals cannot be 'maybe'"),
        ({"timezone": "Europe/Berlim"}, "there is no time zone Europe/Berlim"),
        ({"timezone": "+99:00"}, r"there is no time zone \+99:00"),
        ({"colour": "red"}, "camtrap-dp has no colour"),
        ({"project": "~nobody-here/p.toml"}, "project cannot be '~nobody-here/p.toml'"),
        ({"project": "x" * 256 + ".toml"}, "project cannot be 'xxx"),
        ({"project": "no-such-folder/p.toml"}, "cannot be written"),
        ({"project": "no-such.json"}, "there is no no-such.json"),
        ({"project": "."}, "cannot be read"),
        ({"sampling-design": "random"}, "samplingDesign, one of"),
        ({"capture-method": "activityDetection,video"}, "captureMethod, a list of"),
    ],
)
def test_an_option_that_cannot_be_is_refused(
    tmp_path: Path, options: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        require_complete(tmp_path, {**_OPTIONS, **options})


def test_options_are_described_and_their_examples_make_an_exporter() -> None:
    described = format_options("camtrap-dp")
    assert all(option.help for option in described.values())
    assert [name for name, option in described.items() if option.needed] == []
    assert make_exporter("camtrap-dp", {n: o.example for n, o in described.items() if o.example})


@pytest.mark.parametrize("name", ["../x.jpg", "a..b.jpg", ".hidden/x.jpg", "~x.jpg"])
def test_a_path_that_the_standard_cannot_hold_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="does not allow the path"):
        package(tmp_path / "dp", batch(1, paths=(f"/photos/{name}",)))


def test_files_that_can_be_had_somewhere_have_its_address(tmp_path: Path) -> None:
    _, tables = package(tmp_path / "dp", batch(1), url="https://example.org/a/", public="yes")
    assert tables["media"][0]["filePath"] == "https://example.org/a/day%200/0-0000.jpg"
    assert tables["media"][0]["filePublic"] == "true"


# Times -----------------------------------------------------------------------------------------


def test_a_zone_knows_summer_time_and_an_offset_does_not() -> None:
    berlin, fixed = time_zone("Europe/Berlin"), time_zone("+0100")
    assert with_offset("2024-07-01T12:00:00", berlin) == "2024-07-01T12:00:00+02:00"
    assert with_offset("2024-01-01T12:00:00.5", berlin) == "2024-01-01T12:00:00+01:00"
    assert with_offset("2024-07-01T12:00:00", fixed) == "2024-07-01T12:00:00+01:00"
    assert with_offset("2024-07-01T12:00:00", time_zone("-05:30")) == "2024-07-01T12:00:00-05:30"


@pytest.mark.parametrize("time", ["2024-03-31T02:00:00", "2024-03-31T02:59:59"])
def test_a_time_that_no_clock_of_the_zone_showed_is_refused(tmp_path: Path, time: str) -> None:
    photo = replace(batch(1), taken_at=(time,))
    with pytest.raises(
        SettingsError, match=r"in Europe/Berlin showed 2024-03-31 02:.*jpg was"
    ) as e:
        package(tmp_path / "dp", photo, timezone="Europe/Berlin")
    assert e.value.hint.endswith("--set timezone=+01:00")
    _, tables = package(tmp_path / "fixed", photo, timezone="+01:00")
    assert tables["media"][0]["timestamp"] == f"{time}+01:00"


@pytest.mark.parametrize(
    "time", ["2024-03-31T01:59:59", "2024-03-31T03:00:00", "2024-10-27T02:30:00"]
)
def test_the_hours_beside_it_and_that_which_comes_twice_are_taken(
    tmp_path: Path, time: str
) -> None:
    photo = replace(batch(1), taken_at=(time,))
    _, tables = package(tmp_path / "dp", photo, timezone="Europe/Berlin")
    assert tables["media"][0]["timestamp"].startswith(time)


@pytest.mark.parametrize(
    ("time", "offset"), [("9999-12-31T23:59:59", "-05:00"), ("0001-01-01T00:00:00", "+05:00")]
)
def test_the_ends_of_the_calendar_are_times(tmp_path: Path, time: str, offset: str) -> None:
    _, tables = package(tmp_path / "dp", replace(batch(1), taken_at=(time,)), timezone=offset)
    assert tables["media"][0]["timestamp"] == f"{time}{offset}"


@settings(max_examples=20)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8),
        min_size=3,
        max_size=3,
    )
)
def test_any_names_keep_the_rules(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    _, tables = package(folder / "dp", looked_at(3, cluster_names=tuple(names)), level="both")
    tags = [row["observationTags"] for row in tables["observations"]]
    assert all(tag.count("|") <= 1 for tag in tags)


def test_every_kind_of_file_has_a_media_type_of_its_own() -> None:
    for suffix in VIDEO_SUFFIXES:
        assert media_type(suffix[1:].upper()).startswith("video/"), suffix
    assert (media_type("JPEG"), media_type("NEF")) == ("image/jpeg", "image/x-nikon-nef")


def test_a_video_is_called_one(tmp_path: Path) -> None:
    _, tables = package(tmp_path / "dp", batch(3, formats=("MP4", "AVI", "JPEG")))
    kinds = [row["fileMediatype"] for row in tables["media"]]
    assert kinds == ["video/mp4", "video/x-msvideo", "image/jpeg"]
