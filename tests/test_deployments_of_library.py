"""Deployments of a library: what folders, tables and shifts make of its photos."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.deployments.summary import DeploymentSummary
from organizer.library.images.capture import CaptureInfo, correct_times, read_capture_info
from organizer.library.images.placement import read_placement
from organizer.settings import Settings, load_settings
from organizer.types import NOISE, Deployment

_NOON = datetime(2024, 5, 1, 12)  # noqa: DTZ001 - cameras know no zones


def take(file: Path, seed: int, after: float | None = 0, camera: str = "Acme", **exif: str) -> Path:
    """A photo that was taken so many seconds after noon; None for one that tells no time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    tags = Image.Exif()
    tags[0x0110] = camera
    if after is not None:
        taken = exif.get("at") or f"{_NOON + timedelta(seconds=after):%Y:%m:%d %H:%M:%S}"
        tags.get_ifd(0x8769)[0x9003] = taken
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, exif=tags.tobytes())
    return file


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cameras at the ridge and one at the lake, some photos without a time or a place."""
    home = tmp_path_factory.mktemp("field")
    photos = home / "photos"
    for i, after in enumerate([0, 30, 85, 4000]):
        take(photos / "ridge" / "cam1" / "DCIM" / f"IMG_{i}.jpg", i, after)
    for i, after in enumerate([10, 40]):
        take(photos / "ridge" / "cam2" / f"IMG_{i}.jpg", 10 + i, after)
    take(photos / "lake" / "cam1" / "IMG_0.jpg", 20, 86_400)
    take(photos / "lake" / "cam1" / "IMG_1.jpg", 21, None)
    take(photos / "loose.jpg", 30, 20)
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([photos], embedder="channel-mean")
    return home


@pytest.fixture
def field(made: Path, tmp_path: Path) -> Iterator[Library]:
    """A copy of the library and its photos in `tmp_path`."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    with Library.open(tmp_path, Settings()) as library:
        yield library


def taken(library: Library) -> CaptureInfo:
    """How all photos of a library were taken."""
    return read_capture_info(library.store, settings=library.settings)


def _at(seconds: float) -> str:
    return (_NOON + timedelta(seconds=seconds)).isoformat()


def _by_file(library: Library, found: CaptureInfo) -> dict[str, int]:
    """The row of each photo by its path below the photos."""
    rows = {image_id: row for row, image_id in enumerate(found.image_ids)}
    folder = library.roots()[0]
    return {
        row.file.relative_to(folder).as_posix(): rows[image_id]
        for image_id, files in library.store.photos.files_of(found.image_ids).items()
        for row in files
    }


def _summaries(library: Library) -> dict[str, DeploymentSummary]:
    return {s.deployment.deployment_id: s for s in library.deployments.summary().deployments}


def _table(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "deployments.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


# Templates ---------------------------------------------------------------------------------------


def test_without_a_word_nothing_is_of_a_deployment(field: Library) -> None:
    summary = field.deployments.summary()
    assert (summary.template, summary.deployments) == (None, ())
    assert (summary.images, summary.without_deployment, summary.without_time) == (9, 9, 1)
    assert set(taken(field).cameras) == {"Acme"}


def test_a_template_places_photos_and_counts_them(field: Library) -> None:
    summary = field.deployments.set_template("{site}/{camera}/...")
    assert summary == field.deployments.summary()
    assert (summary.images, summary.without_deployment, summary.without_time) == (9, 1, 1)
    assert [file.name for file in summary.unplaced] == ["loose.jpg"]
    found = {s.deployment.deployment_id: s for s in summary.deployments}
    assert list(found) == ["lake/cam1", "ridge/cam1", "ridge/cam2"]
    ridge, lake = found["ridge/cam1"], found["lake/cam1"]
    assert ridge == DeploymentSummary(
        Deployment("ridge/cam1", "ridge", "cam1"), False, 4, _at(0), _at(4000), 0, 0
    )
    assert (lake.images, lake.first, lake.last, lake.without_time) == (
        2,
        _at(86_400),
        _at(86_400),
        1,
    )


def test_a_template_that_no_photo_fits_changes_nothing(field: Library) -> None:
    field.deployments.set_template("{site}/{camera}/...")
    with pytest.raises(SettingsError, match="no photo lies in folders like"):
        field.deployments.set_template("a/b/c/{site}")
    assert field.deployments.summary().template == "{site}/{camera}"
    assert field.deployments.set_template(None).template is None
    assert field.deployments.summary().deployments == ()


def test_a_template_that_no_photo_fits_is_refused_also_where_a_table_places_them(
    field: Library, tmp_path: Path
) -> None:
    field.deployments.read_csv(_table(tmp_path, "id", "lake", "cam2"))
    with pytest.raises(SettingsError, match="no photo lies in folders like") as caught:
        field.deployments.set_template("x/{site}")
    assert caught.value.hint.endswith(".jpg")
    assert field.deployments.summary().template is None


def test_bursts_and_events_are_those_of_each_deployment(field: Library) -> None:
    """Without a template the folders part cameras of one model; with it the deployments do."""
    before = taken(field)
    rows = _by_file(field, before)
    one = {rows[f"ridge/cam1/DCIM/IMG_{i}.jpg"] for i in (0, 1, 2)}
    two = {rows[f"ridge/cam2/IMG_{i}.jpg"] for i in (0, 1)}
    loose = {rows["loose.jpg"]}
    assert [len({before.bursts[row] for row in group}) for group in (one, two)] == [1, 1]
    assert len({before.bursts[row] for row in one | two | loose}) == 3
    field.deployments.set_template("{site}/{camera}/...")
    after = taken(field)
    bursts = [{after.bursts[row] for row in group} for group in (one, two, loose)]
    assert all(len(burst) == 1 for burst in bursts)
    assert len(set.union(*bursts)) == 3
    last = rows["ridge/cam1/DCIM/IMG_3.jpg"]
    assert after.events[last] != after.events[min(one)]
    assert after.cameras[min(one)] == after.deployments[min(one)] == "ridge/cam1"
    assert (after.cameras[rows["loose.jpg"]], after.deployments[rows["loose.jpg"]]) == (
        "Acme",
        None,
    )
    assert after.bursts[rows["lake/cam1/IMG_1.jpg"]] == NOISE


def test_the_gaps_are_settings(field: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    field.deployments.set_template("{site}/{camera}/...")
    assert (Settings().burst_gap, Settings().event_gap) == (60, 30 * 60)

    def groups(found: CaptureInfo) -> tuple[int, int]:
        return len(set(found.bursts.tolist()) - {NOISE}), len(set(found.events.tolist()) - {NOISE})

    assert groups(taken(field)) == (5, 5)
    assert groups(
        read_capture_info(field.store, settings=Settings(burst_gap=29, event_gap=4000))
    ) == (8, 4)
    monkeypatch.setenv("ORGANIZER_BURST_GAP", "10000")
    monkeypatch.setenv("ORGANIZER_EVENT_GAP", "54")
    assert groups(read_capture_info(field.store, settings=load_settings())) == (4, 6)
    monkeypatch.setenv("ORGANIZER_BURST_GAP", "-1")
    with pytest.raises(SettingsError, match="burst_gap"):
        load_settings()


# Several files of one image ----------------------------------------------------------------------


def test_an_image_is_of_the_first_of_its_files_that_is_of_a_deployment(
    library: Library, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    data = take(photos / "b" / "cam" / "1.jpg", 1).read_bytes()
    for copy in ("a.jpg", "c/cam/1.jpg"):
        (photos / copy).parent.mkdir(parents=True, exist_ok=True)
        (photos / copy).write_bytes(data)
    library.ingest([photos], embedder="channel-mean")
    summary = library.deployments.set_template("{site}/{camera}")
    assert (summary.without_deployment, summary.several) == (0, 1)
    assert taken(library).deployments == ("b/cam",)
    assert {s.deployment.deployment_id: s.images for s in summary.deployments} == {
        "b/cam": 1,
        "c/cam": 0,
    }
    (photos / "b" / "cam" / "1.jpg").unlink()
    library.ingest([photos], embedder="channel-mean")
    assert taken(library).deployments == ("c/cam",), "what is there goes first"
    (photos / "c" / "cam" / "1.jpg").unlink()
    library.ingest([photos], embedder="channel-mean")
    assert taken(library).deployments[0] in {"b/cam", "c/cam"}, "nothing is forgotten"


def test_a_selection_has_what_the_whole_has(field: Library) -> None:
    field.deployments.set_template("{site}/{camera}/...")
    field.deployments.shift("ridge/cam2", 3600)
    whole = taken(field)
    ids = [whole.image_ids[5], "f" * 32, whole.image_ids[1]]
    some = read_capture_info(field.store, ids, settings=field.settings)
    assert some.deployments == (whole.deployments[5], None, whole.deployments[1])
    assert some.taken_at == (whole.taken_at[5], None, whole.taken_at[1])
    assert some.bursts.tolist() == [whole.bursts[5], NOISE, whole.bursts[1]]


# Shifts ------------------------------------------------------------------------------------------


def test_a_shift_adds_to_what_there_is_and_reset_begins_anew(field: Library) -> None:
    field.deployments.set_template("{site}/{camera}/...")
    once = field.deployments.shift("ridge/cam1", 3600)
    assert (once.before.deployment.shift, once.after.deployment.shift) == (0, 3600)
    assert (once.before.first, once.before.last) == (_at(0), _at(4000))
    assert (once.after.first, once.after.last) == (_at(3600), _at(7600))
    twice = field.deployments.shift("ridge/cam1", 3600)
    assert twice.before == once.after
    assert twice.after.first == _at(7200)
    anew = field.deployments.shift("ridge/cam1", -60, reset=True)
    assert (anew.after.deployment.shift, anew.after.first) == (-60, _at(-60))
    assert field.deployments.shift("ridge/cam1", 0, reset=True).after.first == _at(0)


def test_a_shift_moves_times_bursts_and_events_but_no_file(field: Library) -> None:
    field.deployments.set_template("{site}/{camera}/...")
    before = taken(field)
    rows = _by_file(field, before)
    field.deployments.shift("ridge/cam1", -86_400)
    after = taken(field)
    for name, row in rows.items():
        was, now = before.taken_at[row], after.taken_at[row]
        moved = -86_400 if name.startswith("ridge/cam1") else 0
        expected = was and datetime.fromisoformat(was) + timedelta(seconds=moved)
        assert now == (expected.isoformat() if expected else None)
    stored = field.store.photos.facts_of([before.image_ids[rows["ridge/cam1/DCIM/IMG_0.jpg"]]])
    assert next(iter(stored.values())).taken_at == _at(0)


def test_a_shift_of_what_is_not_there_or_too_far_is_refused(field: Library) -> None:
    field.deployments.set_template("{site}/{camera}/...")
    with pytest.raises(SettingsError) as caught:
        field.deployments.shift("ridge/cam", 60)
    assert "ridge/cam1" in caught.value.hint
    field.deployments.shift("ridge/cam1", 3_000_000_000)
    with pytest.raises(SettingsError, match="hundred years"):
        field.deployments.shift("ridge/cam1", 3_000_000_000)
    assert _summaries(field)["ridge/cam1"].deployment.shift == 3_000_000_000


_times = st.datetimes(min_value=datetime(1, 1, 1)).map(lambda t: t.replace(microsecond=0))  # noqa: DTZ001


@given(st.lists(st.tuples(st.none() | _times, st.integers(-(10**11), 10**11)), max_size=8))
def test_corrected_times_are_those_of_the_calendar(
    pairs: list[tuple[datetime | None, int]],
) -> None:
    found = correct_times([t.isoformat() if t else None for t, _ in pairs], [s for _, s in pairs])
    for (time, seconds), text in zip(pairs, found, strict=True):
        try:
            expected = (time + timedelta(seconds=seconds)).isoformat() if time else None
        except OverflowError:
            expected = None
        assert text == expected


# Tables ------------------------------------------------------------------------------------------


def test_a_table_tells_what_folders_cannot(field: Library, tmp_path: Path) -> None:
    field.deployments.set_template("{site}/{camera}/...")
    report = field.deployments.read_csv(
        _table(
            tmp_path,
            "deploymentID,latitude,longitude,deploymentStart,deploymentEnd,locationName,shift,bait",
            "ridge/cam1,47.5,-11.25,2024-05-01T12:00:10+02:00,2024-05-01,Ridge north,+1m,none",
            "R99,,,,,,,",
        )
    )
    assert (report.new, report.changed, report.same) == (("ridge/cam1", "R99"), (), 0)
    assert (report.without_images, report.unused) == (("R99",), ("bait",))
    assert report.not_in_table == ("lake/cam1", "ridge/cam2")
    found = _summaries(field)
    assert found["ridge/cam1"].deployment == Deployment(
        "ridge/cam1",
        "Ridge north",
        "cam1",
        47.5,
        -11.25,
        "2024-05-01T12:00:10",
        "2024-05-01T23:59:59",
        60,
    )
    assert found["ridge/cam1"].outside == 0, "the clock is put right before it is compared"
    assert field.deployments.shift("ridge/cam1", 0, reset=True).after.outside == 1
    assert (found["R99"].images, found["R99"].described) == (0, True)


def test_a_second_table_keeps_what_it_does_not_tell(field: Library, tmp_path: Path) -> None:
    field.deployments.read_csv(
        _table(tmp_path, "ID,latitude,longitude,shift", "cam1,1,2,60", "cam2,3,4,")
    )
    report = field.deployments.read_csv(
        _table(tmp_path, "id;location;latitude;longitude", "cam2;Lake;;")
    )
    assert (report.new, report.changed, report.same) == ((), ("cam2",), 0)
    assert field.store.deployments.all() == (
        Deployment("cam1", latitude=1.0, longitude=2.0, shift=60),
        Deployment("cam2", "Lake"),
    )


def test_a_folder_named_in_a_table_is_of_that_deployment(field: Library, tmp_path: Path) -> None:
    field.deployments.read_csv(_table(tmp_path, "id", "cam2", "lake"))
    counts = {name: summary.images for name, summary in _summaries(field).items()}
    assert counts == {"cam2": 2, "lake": 2}
    assert field.deployments.summary().without_deployment == 5


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["id,latitude,longitude", "a,91,0"], "line 2: latitude 91 is not within -90 and 90"),
        (["id,latitude,longitude", "a,1,-180.5"], "line 2: longitude -180.5 is not within"),
        (["id,latitude,longitude", "a,1e1,0"], "line 2: latitude '1e1' is no number"),
        (["id,latitude,longitude", "a,nan,0"], "line 2: latitude 'nan' is no number"),
        (["id,latitude,longitude", "a,1,"], "line 2: there is only one of latitude and longitude"),
        (["id,latitude", "a,1"], "line 2: there is only one of latitude and longitude"),
        (["id,start", "a,5/1/2024"], "line 2: start '5/1/2024' is no time such as 2024-05-01"),
        (["id,start", "a,2024-02-30"], "line 2: start '2024-02-30' is not in the calendar"),
        (["id,start,end", "a,2024-05-02,2024-05-01"], "line 2: it ends (2024-05-01T23:59:59)"),
        (["id,shift", "a,soon"], "line 2: shift 'soon' is no shift of a clock"),
        (["id,shift", "a,#NAME?"], "line 2: shift '#NAME?' is no shift"),
        (["id,camera", "a,x", "a,z"], "lines 2, 3: a is there 2 times"),
        (["id,camera", ",x"], "line 2: there is no id"),
        (["camera,place", "x,y"], "has no column deploymentID, deployment_id or ID; it has camera"),
        (["id,deploymentID", "a,b"], "two columns of one meaning: id and deploymentID"),
        (["id"], "holds no deployment"),
        (["id,latitude,longitude", "a,33,85,151"], "line 2: it has 4 cells, the header 3"),
        (["id,latitude,longitude", "b"], "line 2: it has 1 cells, the header 3"),
        (["id,camera", "id,camera"], "line 2: it is the header again"),
        (["id,camera", "NA,x"], "line 2: there is no id"),
        (["id,camera", 'a,"x', 'b,y"'], "line 2: the column camera holds several lines"),
    ],
)
def test_a_table_of_mistakes_is_refused_and_each_is_named_by_its_line(
    field: Library, tmp_path: Path, lines: list[str], said: str
) -> None:
    field.deployments.read_csv(_table(tmp_path, "id", "cam1"))
    with pytest.raises(SettingsError) as caught:
        field.deployments.read_csv(_table(tmp_path, *lines))
    assert said in caught.value.message
    assert field.store.deployments.all() == (Deployment("cam1"),)


def test_a_line_with_a_mistake_is_left_out_and_the_others_are_taken(
    field: Library, tmp_path: Path
) -> None:
    report = field.deployments.read_csv(
        _table(
            tmp_path,
            "id,latitude,longitude,start",
            "a,1,2,",
            "b,99,0,",
            "c,nan,0,soon",
            "d,1,2,",
            "a,3,4,",
            ",1,2,",
            "e,5,6,",
        )
    )
    assert report.new == ("d", "e")
    assert {one.line for one in report.left_out} == {2, 3, 4, 7}
    assert [one.line for one in report.left_out].count(4) == 2
    told = {one.line: one.why for one in report.left_out}
    assert told[2] == "lines 2, 6: a is there 2 times"
    assert told[3].startswith("latitude 99 is not within")
    assert [one.deployment_id for one in field.store.deployments.all()] == ["d", "e"]


@pytest.mark.parametrize("spelled", ["Ridge\\CAM1", "RIDGE/cam1", "./ridge/cam1/", "ridge\\cam1"])
@pytest.mark.parametrize("template", ["{site}/{camera}/...", None])
def test_an_id_is_that_of_its_folders_however_it_is_spelled(
    field: Library, tmp_path: Path, spelled: str, template: str | None
) -> None:
    field.deployments.set_template("{site}/{camera}/...")
    meant = _summaries(field)["ridge/cam1"].images
    field.deployments.set_template(template)
    report = field.deployments.read_csv(_table(tmp_path, "id,location", f"{spelled},Ridge north"))
    assert report.without_images == ()
    assert _summaries(field)[spelled].images == meant
    assert "ridge/cam1" not in _summaries(field)


def test_of_ids_that_differ_in_spelling_alone_none_is_taken_for_another(
    field: Library, tmp_path: Path
) -> None:
    report = field.deployments.read_csv(_table(tmp_path, "id", "Ridge/Cam1", "RIDGE/CAM1"))
    assert report.without_images == ("Ridge/Cam1", "RIDGE/CAM1")


def test_a_table_adds_to_what_is_known_but_does_not_contradict_it(
    field: Library, tmp_path: Path
) -> None:
    field.deployments.read_csv(_table(tmp_path, "id,latitude,longitude,start", "a,1,2,2024-05-02"))
    field.deployments.read_csv(_table(tmp_path, "id,latitude", "a,3"))
    told = (Deployment("a", latitude=3.0, longitude=2.0, start="2024-05-02T00:00:00"),)
    assert field.store.deployments.all() == told
    with pytest.raises(SettingsError, match=r"line 2: it ends .* before it starts"):
        field.deployments.read_csv(_table(tmp_path, "id,end", "a,2024-05-01"))
    with pytest.raises(SettingsError, match="only one of latitude and longitude"):
        field.deployments.read_csv(_table(tmp_path, "id,longitude", "a,"))
    assert field.store.deployments.all() == told


def test_every_mistake_is_named(field: Library, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        field.deployments.read_csv(
            _table(tmp_path, "id,latitude,longitude,start", "a,99,0,x", ",1,1,", "", "a,1,1,2024")
        )
    said = caught.value.message
    assert all(f"line {number}: " in said for number in (2, 3, 5))
    assert "lines 2, 5: a is there 2 times" in said
    assert "an id of its own" in caught.value.hint


def test_a_table_that_is_written_is_the_table_that_is_read(field: Library, tmp_path: Path) -> None:
    field.deployments.set_template("{site}/{camera}/...")
    to = tmp_path / "to fill in.csv"
    assert field.deployments.write_csv(to) == 3
    rows = list(csv.DictReader(to.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["deployment_id"] for row in rows] == ["lake/cam1", "ridge/cam1", "ridge/cam2"]
    assert {row["latitude"] + row["longitude"] + row["start"] + row["end"] for row in rows} == {""}
    assert (rows[1]["first_photo"], rows[1]["last_photo"]) == (_at(0), _at(4000))
    with pytest.raises(SettingsError, match="is there already"):
        field.deployments.write_csv(to)
    told = [
        Deployment("=1+1", "'quoted", "@x", -1.5, 2.25, _at(0), _at(60), -90),
        Deployment("ridge/cam1", 'Höhle; "tief"', shift=3600),
    ]
    field.store.deployments.write(told)
    field.deployments.write_csv(to, force=True)
    before = {name: summary.deployment for name, summary in _summaries(field).items()}
    report = field.deployments.read_csv(to)
    assert report.unused == ()
    assert {name: s.deployment for name, s in _summaries(field).items()} == before
    assert set(report.new) == {"lake/cam1", "ridge/cam2"}


def test_no_photo_and_nothing_else_is_written_over(field: Library, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there are no deployments yet"):
        field.deployments.write_csv(tmp_path / "x.csv")
    field.deployments.set_template("{site}/{camera}/...")
    photo = tmp_path / "photos" / "loose.jpg"
    before = photo.read_bytes()
    for to in (photo, tmp_path / "x.txt", field.store.path / "x.csv", tmp_path / "no" / "x.csv"):
        with pytest.raises(SettingsError):
            field.deployments.write_csv(to, force=True)
    assert photo.read_bytes() == before


# What comes later --------------------------------------------------------------------------------


def test_new_cards_change_no_description(field: Library, tmp_path: Path) -> None:
    field.deployments.set_template("{site}/{camera}/...")
    field.deployments.read_csv(_table(tmp_path, "id,latitude,longitude", "ridge/cam1,1,2"))
    field.deployments.shift("ridge/cam1", 3600)
    take(tmp_path / "photos" / "ridge" / "cam1" / "DCIM" / "IMG_9.jpg", 90, 9000)
    take(tmp_path / "photos" / "marsh" / "cam7" / "IMG_0.jpg", 91, 0)
    with Library.open(tmp_path) as again:
        again.ingest([tmp_path / "photos"], embedder="channel-mean")
        found = _summaries(again)
        assert found["ridge/cam1"].images == 5
        assert found["ridge/cam1"].last == _at(12_600)
        assert found["ridge/cam1"].deployment.latitude == 1
        assert found["marsh/cam7"].images == 1
        assert set(read_placement(again.store).described) == {"ridge/cam1"}


def test_photos_that_are_moved_stay_of_the_deployment_in_whose_folder_they_lay_first(
    field: Library, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    field.deployments.set_template("{site}/{camera}/...")
    field.deployments.shift("ridge/cam1", 3600)
    before = taken(field)
    assert field.store.former_folders.all() == {}
    (photos / "fox").mkdir()
    for i in range(4):
        (photos / "ridge" / "cam1" / "DCIM" / f"IMG_{i}.jpg").rename(photos / "fox" / f"{i}.jpg")
    (photos / "marsh" / "cam9").mkdir(parents=True)
    (photos / "ridge" / "cam2" / "IMG_0.jpg").rename(photos / "marsh" / "cam9" / "IMG_0.jpg")
    field.ingest([photos], embedder="channel-mean")
    rows = _by_file(field, after := taken(field))
    for i in range(4):
        row = rows[f"fox/{i}.jpg"]
        was = before.image_ids.index(after.image_ids[row])
        assert after.deployments[row] == "ridge/cam1"
        assert after.taken_at[row] == before.taken_at[was]
    assert after.deployments[rows["marsh/cam9/IMG_0.jpg"]] == "marsh/cam9", "where it lies counts"
    (photos / "fox").rename(photos / "vixen")
    field.ingest([photos], embedder="channel-mean")
    found = _summaries(field)
    assert {name: summary.images for name, summary in found.items()} == {
        "lake/cam1": 2, "marsh/cam9": 1, "ridge/cam1": 4, "ridge/cam2": 1,
    }  # fmt: skip


def test_what_programs_write_for_nothing_is_nothing(field: Library, tmp_path: Path) -> None:
    field.deployments.read_csv(
        _table(
            tmp_path,
            "id,latitude,longitude,start,end,shift,camera,",
            "a,\u221233.85,151.2,2024-05-01 8:30,2024-05-02T9:05:07,\u22121h,NA,",
            "b,NA,NA,NA,N/A,NULL,NA,,,",
        )
    )
    assert field.store.deployments.all() == (
        Deployment(
            "a",
            latitude=-33.85,
            longitude=151.2,
            start="2024-05-01T08:30:00",
            end="2024-05-02T09:05:07",
            shift=-3600,
        ),
        Deployment("b"),
    )


# Parts -------------------------------------------------------------------------------------------


@pytest.fixture
def long(tmp_path: Path) -> Iterator[Library]:
    """A camera that came back twice to one place, and a photo without a time."""
    for i, hours in enumerate((0, 1, 200, 201, 202, 900, None)):
        after = None if hours is None else 3600 * hours
        take(tmp_path / "photos" / "ridge" / f"IMG_{i}.jpg", i, after)
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([tmp_path / "photos"], embedder="channel-mean")
        library.deployments.read_csv(
            _table(
                tmp_path,
                "id,latitude,longitude,start,end,shift",
                "ridge,1,2,2024-04-01,2025-01-01,60",
            )
        )
        yield library


def _parts(library: Library) -> dict[str, tuple[int, str | None]]:
    return {name: (s.images, s.first) for name, s in _summaries(library).items()}


def test_a_deployment_is_split_at_gaps_and_its_parts_are_joined_again(long: Library) -> None:
    before = _parts(long)
    report = long.deployments.split("ridge", gap=5 * 86_400)
    assert [part.deployment.deployment_id for part in report.parts] == [
        "ridge",
        "ridge (2)",
        "ridge (3)",
    ]
    assert [part.images for part in report.parts] == [3, 3, 1]
    assert [part.without_time for part in report.parts] == [1, 0, 0]
    whole = Deployment("ridge", latitude=1.0, longitude=2.0, shift=60)
    assert long.store.deployments.all() == (
        replace(whole, start="2024-04-01T00:00:00"),
        replace(whole, deployment_id="ridge (2)"),
        replace(whole, deployment_id="ridge (3)", end="2025-01-01T23:59:59"),
    )
    long.deployments.remove(["ridge (2)"])
    assert {name: n for name, (n, _) in _parts(long).items()} == {"ridge": 6, "ridge (3)": 1}
    long.deployments.remove(["ridge (3)"])
    assert _parts(long) == before


def test_a_part_has_a_clock_of_its_own(long: Library) -> None:
    """The clock was set between two photos: the later ones alone are shifted."""
    long.deployments.split("ridge", at=_at(3600 * 201))
    later = _summaries(long)["ridge (2)"]
    assert (later.images, later.first) == (3, _at(3600 * 201 + 60))
    shifted = long.deployments.shift("ridge (2)", 3600)
    assert shifted.after.first == _at(3600 * 202 + 60)
    assert _summaries(long)["ridge"].last == _at(3600 * 200 + 60)
    again = long.deployments.split("ridge (2)", gap=86_400)
    assert [part.images for part in again.parts] == [2, 1]
    assert again.parts[1].deployment.deployment_id == "ridge (3)"
    assert again.parts[1].deployment.shift == 3660


def test_new_photos_come_to_the_part_of_their_time(long: Library, tmp_path: Path) -> None:
    long.deployments.split("ridge", gap=5 * 86_400)
    take(tmp_path / "photos" / "ridge" / "late.jpg", 50, 3600 * 203)
    long.ingest([tmp_path / "photos"])
    assert _summaries(long)["ridge (2)"].images == 4


def test_a_split_that_splits_nothing_is_refused(long: Library) -> None:
    before = long.store.deployments.all()
    for how in ({"gap": 10**8}, {"at": "2020-01-01"}, {"at": "2030-01-01T10:00"}):
        with pytest.raises(SettingsError, match="no such place to split it"):
            long.deployments.split("ridge", **how)
    for wrong in ({}, {"gap": 5, "at": "2024-05-01"}, {"at": "soon"}, {"gap": 0}):
        with pytest.raises(SettingsError):
            long.deployments.split("ridge", **wrong)
    with pytest.raises(SettingsError, match="no deployment 'pond'"):
        long.deployments.split("pond", gap=5)
    assert long.store.deployments.all() == before


def test_what_is_removed_was_described_and_is_not_split(long: Library) -> None:
    long.deployments.split("ridge", gap=5 * 86_400)
    before = long.store.deployments.all()
    with pytest.raises(SettingsError, match=r"ridge is split: ridge \(2\), ridge \(3\)"):
        long.deployments.remove(["ridge", "ridge (2)"][:1])
    with pytest.raises(SettingsError, match="no deployment 'pond' was described"):
        long.deployments.remove(["ridge (2)", "pond"])
    assert long.store.deployments.all() == before
    summary = long.deployments.remove(["ridge", "ridge (2)", "ridge (3)"])
    assert (summary.deployments, summary.without_deployment) == ((), 7)


@pytest.mark.parametrize(
    ("folders", "ingested", "template"),
    [
        (["Oak Hill May/DCIM/100RECNX", "Mill June/DCIM/100RECNX"], "each", "cards/{deployment}"),
        (["Oak Hill May", "Mill June"], "each", "cards/{deployment}"),
        (["Oak Hill May/DCIM/100RECNX", "Mill June/DCIM/101RECNX"], "all", "{deployment}"),
        (["ridge/cam1/DCIM/100RECNX", "lake/cam1"], "all", "{site}/{camera}"),
    ],
)
def test_the_proposed_template_tells_every_card_from_the_others(
    folders: list[str], ingested: str, template: str, tmp_path: Path
) -> None:
    cards = tmp_path / "cards"
    for place, folder in enumerate(folders):
        take(cards / folder / "IMG_0001.JPG", place)
    each = [cards / folder.split("/")[0] for folder in folders]
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest(each if ingested == "each" else [cards], embedder="channel-mean")
        proposed = library.deployments.likely_template()
        assert proposed.removeprefix(f"{tmp_path.as_posix()}/") == f"{template}/..."
        summary = library.deployments.set_template(proposed)
    assert [found.images for found in summary.deployments] == [1, 1]
    assert summary.without_deployment == 0
