"""What an export holds is what the library knows: which images, in which cluster, how far away."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import ExifTags, Image

from organizer.errors import ClusteringError, PluginError, SettingsError
from organizer.library import Library
from organizer.library.exports import ExportOptions, ExportReport, source
from organizer.library.exports.format_options import make_exporter
from organizer.library.images.placement import TEMPLATE_CHOICE
from organizer.library.images.thumbnails import make_thumbnails
from organizer.settings import Settings
from organizer.store import Store
from organizer.thumbnail import Thumbnail
from organizer.types import Box, Deployment, Detected, Detection, ImageDetections, crop_id
from tests.conftest import Site, make_photo


@pytest.fixture
def clustered(filled: Library) -> Library:
    """24 photos in three clusters, of which the red one has a name."""
    filled.recluster(k=3)
    red = next(s.cluster_id for s in filled.clusters.summaries() if "red" in str(s.medoid))
    filled.corrections.rename(red, "Red ones")
    return filled


def _rows(library: Library, choice: ExportOptions | None = None) -> list[dict[str, str]]:
    return _rows_and_report(library, choice)[0]


def _rows_and_report(
    library: Library, choice: ExportOptions | None = None
) -> tuple[list[dict[str, str]], ExportReport]:
    stream = io.BytesIO()
    report = library.exports.write("csv", stream, choice)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue().decode(), newline="")))
    assert report.images == len(rows)
    return rows, report


def _table(library: Library, to: Path, choice: ExportOptions, **options: Any) -> Any:
    report = library.exports.write("parquet", to, choice, **options)
    table = pq.read_table(to)
    assert report.images == len(table)
    return table


def test_every_image_is_in_the_export_with_its_cluster(clustered: Library) -> None:
    rows, report = _rows_and_report(clustered)
    members = {
        str(member.path): member
        for summary in clustered.clusters.summaries()
        for member in clustered.clusters.members(summary.cluster_id)
    }
    assert {row["path"] for row in rows} == set(members)
    assert report.clustered
    for row in rows:
        member = members[row["path"]]
        assert int(row["cluster_id"]) == member.cluster_id
        assert np.float32(row["distance"]) == np.float32(member.distance)
        assert row["cluster"] == (clustered.clusters.name_of(member.cluster_id) or "")
        assert row["state"] == member.state
        assert row["image_id"] == member.image_id
    assert {row["cluster"] for row in rows if "red" in row["path"]} == {"Red ones"}


def test_what_is_known_of_an_image_is_in_the_export(clustered: Library, photos: Path) -> None:
    for row in _rows(clustered):
        facts = clustered.store.photos.facts_of([row["image_id"]])[row["image_id"]]
        assert int(row["bytes"]) == facts.bytes == Path(row["path"]).stat().st_size
        assert (row["width"], row["height"], row["format"]) == ("64", "48", "JPEG")
        assert np.float32(row["brightness"]) == np.float32(facts.brightness)
        assert row["folder"] == str(photos)
        assert str(Path(row["folder"], row["file"])) == row["path"]
        assert (row["taken_at"], row["camera"], row["latitude"]) == ("", "", "")


def test_an_unsure_image_has_a_candidate(clustered: Library, photos: Path) -> None:
    odd = make_photo(photos / "odd.jpg", 77, colour=(250, 250, 20))
    clustered.ingest([odd])
    (member,) = clustered.clusters.unassigned()
    (row,) = _rows(clustered, ExportOptions(clusters=["unsure"]))
    assert (row["path"], row["state"], row["cluster_id"]) == (str(odd), "unsure", "")
    assert int(row["candidate_id"]) == member.candidate
    assert row["candidate"] == (clustered.clusters.name_of(member.candidate) or "")
    assert len(_rows(clustered)) == 25


def test_a_moved_image_is_decided(clustered: Library, photos: Path) -> None:
    blue = photos / "blue" / "000.jpg"
    red = next(s.cluster_id for s in clustered.clusters.summaries() if s.name == "Red ones")
    clustered.corrections.move([blue], red)
    row = next(row for row in _rows(clustered) if row["path"] == str(blue))
    assert (row["state"], row["cluster"]) == ("decided", "Red ones")


def test_a_representative_is_not_decided_also_after_the_next_clustering(
    clustered: Library,
) -> None:
    red = next(s.cluster_id for s in clustered.clusters.summaries() if s.name == "Red ones")
    other = next(s.cluster_id for s in clustered.clusters.summaries() if s.name is None)
    moved = clustered.clusters.members(other)[0]
    clustered.recluster(k=3)
    assert {row["state"] for row in _rows(clustered)} == {"auto"}
    clustered.corrections.move([moved.path], red)
    clustered.recluster(k=3)
    decided = [row["image_id"] for row in _rows(clustered) if row["state"] == "decided"]
    assert decided == [moved.image_id]


def test_an_export_can_be_limited_to_clusters_by_id_and_name(clustered: Library) -> None:
    ids = {s.name or str(s.cluster_id): s for s in clustered.clusters.summaries()}
    other = next(name for name in ids if name != "Red ones")
    for named in (["Red ones"], [other], ["Red ones", other], [int(other)]):
        wanted = {ids[str(name)].cluster_id for name in named}
        rows = _rows(clustered, ExportOptions(clusters=named))
        assert {int(row["cluster_id"]) for row in rows} == wanted
        assert len(rows) == sum(ids[str(name)].count for name in named)


@pytest.mark.parametrize("named", ["9999", "No such", "²"])
def test_a_cluster_that_is_none_is_refused(clustered: Library, named: str) -> None:
    with pytest.raises(SettingsError, match=r"there is no cluster|no cluster is called"):
        clustered.exports.write("csv", io.BytesIO(), ExportOptions(clusters=[named]))


def test_copies_are_listed_and_exported_once(clustered: Library, photos: Path) -> None:
    copy = photos / "zz copy.jpg"
    shutil.copy(photos / "red" / "000.jpg", copy)
    clustered.ingest([photos])
    rows = _rows(clustered)
    assert len(rows) == 24
    told = {row["path"]: row["copies"] for row in rows if row["copies"]}
    assert told == {str(photos / "red" / "000.jpg"): f'["{copy}"]'}


def test_an_image_whose_files_are_gone_comes_when_asked_for(
    clustered: Library, photos: Path
) -> None:
    shutil.copy(photos / "red" / "001.jpg", photos / "stays.jpg")
    clustered.ingest([photos])
    for gone in ("000.jpg", "001.jpg"):
        (photos / "red" / gone).unlink()
    clustered.ingest([photos])
    rows, report = _rows_and_report(clustered)
    assert (len(rows), report.missing) == (23, 1)
    assert {row["missing"] for row in rows} == {"no"}
    kept = next(row for row in rows if row["path"].endswith("stays.jpg"))
    assert kept["copies"] == "", "a path that is gone is no copy"
    rows, report = _rows_and_report(clustered, ExportOptions(include_missing=True))
    assert (len(rows), report.missing) == (24, 0)
    assert [row["path"] for row in rows if row["missing"] == "yes"] == [
        str(photos / "red" / "000.jpg")
    ]


def test_before_the_first_clustering_images_and_vectors_are_exported(
    filled: Library, tmp_path: Path
) -> None:
    rows, report = _rows_and_report(filled)
    assert len(rows) == 24
    assert not report.clustered
    assert {row["cluster_id"] + row["state"] + row["candidate_id"] for row in rows} == {""}
    table = _table(filled, tmp_path / "v.parquet", ExportOptions(vectors=True))
    assert table.schema.field("vector").type.list_size == 6
    with pytest.raises(ClusteringError):
        filled.exports.write("csv", io.BytesIO(), ExportOptions(clusters=["1"]))


def test_vectors_are_those_of_their_images(clustered: Library, tmp_path: Path) -> None:
    rows = _table(clustered, tmp_path / "v.parquet", ExportOptions(vectors=True)).to_pylist()
    spec = clustered.store.vectors.specs()[0]
    stored = clustered.store.vectors.read_some(spec, [row["image_id"] for row in rows])
    assert len(rows) == len(stored) == 24
    for row in rows:
        np.testing.assert_array_equal(row["vector"], stored[row["image_id"]])


def test_images_without_a_vector_of_the_embedder_are_left_out_and_counted(
    clustered: Library, photos: Path, tmp_path: Path
) -> None:
    clustered.ingest([photos / "red"], embedder="hsv")
    to = tmp_path / "hsv.parquet"
    report = clustered.exports.write("parquet", to, ExportOptions(embedder="hsv"))
    assert (report.images, report.without_vector) == (8, 16)
    assert report.embedder is not None
    assert report.embedder.name == "hsv"
    rows = pq.read_table(to).to_pylist()
    assert {Path(row["path"]).parent.name for row in rows} == {"red"}
    blue = next(s.cluster_id for s in clustered.clusters.summaries() if "blue" in str(s.medoid))
    with pytest.raises(SettingsError, match="none of these images has a vector"):
        clustered.exports.write(
            "parquet", tmp_path / "no.parquet", ExportOptions(embedder="hsv", clusters=[blue])
        )


def test_a_format_that_holds_no_vectors_says_which_does(clustered: Library) -> None:
    for choice in (ExportOptions(vectors=True), ExportOptions(embedder="channel-mean")):
        with pytest.raises(SettingsError, match="no vectors") as error:
            clustered.exports.write("csv", io.BytesIO(), choice)
        assert "parquet" in error.value.hint


def test_vectors_of_an_embedder_that_has_none_here_are_refused(clustered: Library) -> None:
    with pytest.raises(SettingsError, match="hog"):
        clustered.exports.write("parquet", None, ExportOptions(embedder="hog"))


def test_paths_are_relative_where_a_folder_is_named(clustered: Library, photos: Path) -> None:
    shown = {row["path"] for row in _rows(clustered, ExportOptions(relative_to=photos / "red"))}
    assert "000.jpg" in shown
    assert "../blue/000.jpg" in shown
    with pytest.raises(SettingsError, match="there is no folder"):
        clustered.exports.write("csv", io.BytesIO(), ExportOptions(relative_to=photos / "none"))


def test_several_ingested_folders_have_one_base(tmp_path: Path) -> None:
    one, other = tmp_path / "cards" / "a" / "x", tmp_path / "cards" / "b"
    make_photo(one / "1.jpg", 1)
    make_photo(other / "2.jpg", 2)
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([one, other], embedder="channel-mean")
        library.exports.write("megadetector-json", tmp_path / "md.json")
        assert {row["folder"] for row in _rows(library)} == {str(one), str(other)}
    read = json.loads((tmp_path / "md.json").read_text())
    assert read["info"]["organizer"]["base_folder"] == str(tmp_path / "cards")
    assert {image["file"] for image in read["images"]} == {"a/x/1.jpg", "b/2.jpg"}


def test_many_batches_are_one_export(
    clustered: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _table(clustered, tmp_path / "one.parquet", ExportOptions(vectors=True))
    monkeypatch.setattr(source, "ROWS", 5)
    parts = _table(clustered, tmp_path / "many.parquet", ExportOptions(vectors=True))
    assert parts.equals(whole)


@pytest.fixture
def fielded(tmp_path: Path) -> Iterator[Library]:
    """Two cameras, six photos a minute apart each; a third folder without times and deployment."""
    for camera, day in (("A", 1), ("B", 2)):
        for minute in range(6):
            file = make_photo(tmp_path / "field" / camera / f"{minute}.jpg", day * 10 + minute)
            exif = Image.Exif()
            exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = (
                f"2024:05:0{day} 10:{minute:02}:00"
            )
            with Image.open(file) as photo:
                photo.save(file, exif=exif)
    make_photo(tmp_path / "field" / "rest.jpg", 99)
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([tmp_path / "field"], embedder="channel-mean")
        library.store.choices.set(TEMPLATE_CHOICE, "{camera}")
        told = Deployment("A", None, None, 51.0, 13.0, "2024-04-01T00:00:00", None, shift=3600)
        library.store.deployments.write([told])
        yield library


def test_times_deployments_and_events_come_along(fielded: Library) -> None:
    rows = {Path(row["path"]).as_posix()[-8:]: row for row in _rows(fielded)}
    of_a = rows["/A/0.jpg"]
    assert (of_a["deployment"], of_a["taken_at"]) == ("A", "2024-05-01T11:00:00")
    assert of_a["clock_time"] == "2024-05-01T10:00:00"
    assert (rows["/B/0.jpg"]["deployment"], rows["/B/0.jpg"]["clock_time"]) == ("B", "")
    assert rows["rest.jpg"]["deployment"] + rows["rest.jpg"]["event"] == ""
    events = {row["deployment"]: row["event"] for row in rows.values()}
    assert len({row["event"] for row in rows.values()}) == 3
    assert events["A"] != events["B"]


def test_what_a_format_must_know_is_asked_for_or_left_out_and_counted(
    fielded: Library, site: Site, tmp_path: Path
) -> None:
    site.install(
        "needy-exporter",
        """
from organizer.types import VectorUse

class Needy:
    suffix, file_name, vectors = ".txt", "needy.txt", VectorUse.NEVER
    needs = frozenset({"taken_at", "deployments"})

    def export(self, batches, to, *, about):
        assert set(about.deployments) == {"A", "B"}, about.deployments
        assert about.deployments["A"].latitude == 51 and about.deployments["B"].latitude is None
        lines = [t for batch in batches for t in batch.taken_at]
        numbers = {e for e in about.events}
        assert all(about.events[n][0] <= about.events[n][1] for n in numbers)
        to.write_text("\\n".join(lines))
        return len(lines)
""",
        group="organizer.exporters",
        needy="Needy",
    )
    with pytest.raises(SettingsError, match="1 without a deployment") as error:
        fielded.exports.write("needy", tmp_path / "needy.txt")
    assert "--leave-out-incomplete" in error.value.hint
    choice = ExportOptions(leave_out_incomplete=True)
    report = fielded.exports.write("needy", tmp_path / "needy.txt", choice)
    assert (report.images, report.incomplete) == (12, {"deployment": 1})


def test_a_format_that_needs_what_cannot_be_asked_for_is_its_authors_fault(
    fielded: Library, site: Site, tmp_path: Path
) -> None:
    site.install(
        "greedy-exporter",
        """
from organizer.types import VectorUse

class Greedy:
    suffix, file_name, vectors = ".txt", "greedy.txt", VectorUse.NEVER
    needs = frozenset({"latitudes"})

    def export(self, batches, to, *, about):
        raise AssertionError
""",
        group="organizer.exporters",
        greedy="Greedy",
    )
    with pytest.raises(PluginError, match="needs latitudes"):
        fielded.exports.write("greedy", tmp_path / "greedy.txt")


def test_people_are_left_out_and_counted_unless_they_are_asked_for(fielded: Library) -> None:
    ids = fielded.store.photos.columns("image_id")["image_id"].tolist()
    person = Detection("person", 0.9, 0.1, 0.1, 0.2, 0.2)
    animal = Detection("animal", 0.9, 0.1, 0.1, 0.2, 0.2)
    faint = Detection("person", 0.1, 0.1, 0.1, 0.2, 0.2)
    said = [
        ImageDetections(ids[0], Detected.FOUND, (person, animal), detector="MD"),
        ImageDetections(ids[1], Detected.FOUND, (animal, faint), detector="MD"),
        ImageDetections(ids[2], Detected.EMPTY, detector="MD"),
        ImageDetections(ids[3], Detected.FAILED, failure="inference failure", detector="MD"),
    ]
    fielded.store.detections.write(said)
    rows, report = _rows_and_report(fielded)
    assert (report.people, len(rows)) == (1, 12)
    assert ids[0] not in {row["image_id"] for row in rows}
    fielded.store.photos.with_people = True
    rows, report = _rows_and_report(fielded)
    assert (report.people, len(rows)) == (0, 13)


def test_what_a_detector_said_is_in_the_json_of_megadetector(
    fielded: Library, tmp_path: Path
) -> None:
    ids = fielded.store.photos.columns("image_id")["image_id"].tolist()
    box = Box(0.125, 0.25, 0.5, 0.5)
    animal = Detection("animal", 0.75, 0.125, 0.25, 0.5, 0.5, crop_id(ids[1], box))
    said = [
        ImageDetections(ids[1], Detected.FOUND, (animal,), detector="MD v5a"),
        ImageDetections(ids[2], Detected.EMPTY, detector="MD v5a"),
        ImageDetections(ids[3], Detected.FAILED, failure="inference failure", detector="MD v5a"),
    ]
    fielded.store.detections.write(said)
    fielded.exports.write("megadetector-json", tmp_path / "md.json")
    read = json.loads((tmp_path / "md.json").read_text())
    assert read["info"]["detector"] == "MD v5a"
    by_id = {image["organizer"]["image_id"]: image for image in read["images"]}
    (seen,) = by_id[ids[1]]["detections"]
    assert (seen["bbox"], seen["conf"], seen["category"]) == ([0.125, 0.25, 0.5, 0.5], 0.75, "1")
    assert by_id[ids[2]]["detections"] == []
    assert by_id[ids[3]]["detections"] is None
    assert by_id[ids[3]]["failure"] == "inference failure"
    assert by_id[ids[0]]["detections"][0]["category"] == "4"


def test_options_are_refused_or_become_what_they_are_declared_to_be() -> None:
    assert make_exporter("embedding-atlas", {"thumbnails": "12"}).picture_side == 12  # type: ignore[attr-defined]
    with pytest.raises(SettingsError, match="thumbnails cannot be 'x'"):
        make_exporter("embedding-atlas", {"thumbnails": "x"})
    with pytest.raises(SettingsError, match="csv has no colour"):
        make_exporter("csv", {"colour": "red"})


def test_an_empty_library_gives_an_empty_export(library: Library) -> None:
    rows, report = _rows_and_report(library)
    assert (rows, report.images, report.clustered) == ([], 0, False)


def test_a_file_whose_name_is_no_text_is_a_problem_and_in_no_export(
    clustered: Library, photos: Path
) -> None:
    undecodable = Path(os.fsdecode(os.fsencode(photos) + b"/caf\xe9"))
    try:
        shutil.copy(make_photo(photos / "cafe.jpg", 91), f"{undecodable}.jpg")
    except OSError:
        pytest.skip("NOT TESTED: this file system takes only Unicode names")
    clustered.ingest([photos])
    assert len(clustered.problems()) == 1
    assert len(_rows(clustered)) == 25
    undecodable.mkdir()
    with pytest.raises(SettingsError, match="relative to"):
        clustered.exports.write("csv", io.BytesIO(), ExportOptions(relative_to=undecodable))


def test_an_export_never_lands_on_a_photo_or_in_the_library(
    clustered: Library, photos: Path
) -> None:
    photo = photos / "red" / "000.jpg"
    before = photo.read_bytes()
    inside = clustered.store.path / "x.csv"
    for to, what in ((photo, "is a photo"), (inside, "inside the library")):
        with pytest.raises(SettingsError, match=what):
            clustered.exports.write("csv", to, force=True)
    assert photo.read_bytes() == before
    assert not inside.exists()


def test_a_plugin_adds_a_format(clustered: Library, site: Site, tmp_path: Path) -> None:
    site.install(
        "names-exporter",
        """
from organizer.types import VectorUse

class Names:
    suffix, file_name, vectors = ".txt", "names.txt", VectorUse.NEVER

    def export(self, batches, to, *, about):
        lines = [f for batch in batches for f in batch.files]
        to.write_text("\\n".join(lines))
        return len(lines)
""",
        group="organizer.exporters",
        names="Names",
    )
    report = clustered.exports.write("names", tmp_path / "names.txt")
    assert report.images == len((tmp_path / "names.txt").read_text().split("\n")) == 24
    with pytest.raises(SettingsError, match="pipe"):
        clustered.exports.write("names", io.BytesIO())


def test_the_pictures_of_an_export_are_of_the_images_whose_rows_they_are_in(
    clustered: Library, photos: Path, tmp_path: Path
) -> None:
    """A file that has changed since shows another photo, which is no picture of the image."""
    tall = Image.new("RGB", (90, 300), (200, 10, 10))
    tall.save(photos / "tall.png")
    clustered.ingest([photos])
    shutil.copy(photos / "green" / "000.jpg", photos / "red" / "000.jpg")
    (photos / "red" / "001.jpg").unlink()
    clustered.exports.write("embedding-atlas", tmp_path / "atlas.parquet")
    rows = pq.read_table(tmp_path / "atlas.parquet").to_pylist()
    by_file = {str(Path(row["path"]).relative_to(photos)): row["image"] for row in rows}
    assert {file for file, image in by_file.items() if image is None} == {
        "red/000.jpg",
        "red/001.jpg",
    }
    sizes = {}
    for file, image in by_file.items():
        if image is not None:
            assert image["path"] == str(photos / file)
            with Image.open(io.BytesIO(image["bytes"])) as shown:
                assert shown.format == "JPEG"
                sizes[file] = shown.size
                colour = np.asarray(shown).mean(axis=(0, 1))
            bright = {"red": 0, "green": 1, "blue": 2, "tall.png": 0}[file.partition("/")[0]]
            assert colour.argmax() == bright, file
    assert sizes["tall.png"] == (29, 96)
    assert sizes["blue/000.jpg"] == (64, 48)


def test_pictures_are_made_batch_by_batch_and_only_where_they_are_wanted(
    clustered: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    made = make_thumbnails

    def counted(store: Store, wanted: Sequence[str], **options: Any) -> dict[str, Thumbnail]:
        asked.append(len(wanted))
        return made(store, wanted, **options)

    monkeypatch.setattr(source, "make_thumbnails", counted)
    monkeypatch.setattr(source, "ROWS", 10)
    clustered.exports.write("embedding-atlas", tmp_path / "with.parquet")
    assert asked == [10, 10, 4]
    clustered.exports.write("embedding-atlas", tmp_path / "none.parquet", params={"thumbnails": 0})
    clustered.exports.write("parquet", tmp_path / "plain.parquet")
    assert asked == [10, 10, 4]
