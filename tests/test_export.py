"""Every format as it is written down, whatever the names, the metadata and the numbers are."""

from __future__ import annotations

import base64
import csv
import io
import json
import string
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from organizer.errors import SettingsError
from organizer.export import Csv, EmbeddingAtlas, FiftyOne, MegaDetectorJson, Parquet
from organizer.export.paths import relative
from organizer.export.spreadsheet import CSV_COLUMNS
from organizer.types import ExportBatch, ExportDetection, ExportInfo, PartSpec, label
from tests.batches import FOLDER, about, batch, looked_at, unclustered
from tests.conftest import make_photo

_MARK = b"\xef\xbb\xbf"
_RUNS = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001 - what a spreadsheet takes for a formula

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.text(
    "=+-@'\"\t\r\n,; aé🦊", min_size=1, max_size=8
)
singles = st.floats(allow_nan=False, allow_infinity=False, width=32)
doubles = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def images(draw: st.DrawFn) -> ExportBatch:
    """A batch of anything that a library can hold."""
    n = draw(st.integers(1, 4))

    def some(values: st.SearchStrategy[Any]) -> tuple[Any, ...]:
        return tuple(draw(st.lists(values, min_size=n, max_size=n)))

    perhaps = st.none() | texts
    moments = st.none() | st.datetimes().map(lambda moment: moment.replace(microsecond=0))
    return batch(
        n,
        paths=some(texts),
        folders=some(texts),
        files=some(texts),
        copies=some(st.lists(texts, max_size=3).map(tuple)),
        cluster_names=some(perhaps),
        candidate_names=some(perhaps),
        distances=some(st.none() | singles),
        margins=some(singles),
        cameras=some(perhaps),
        taken_at=some(moments.map(lambda moment: moment and moment.isoformat())),
        latitudes=some(st.none() | doubles),
        longitudes=some(st.none() | doubles),
        brightness=some(st.none() | singles),
    )


# CSV ------------------------------------------------------------------------------------------


def _csv(*batches: ExportBatch, info: ExportInfo | None = None) -> str:
    stream = io.BytesIO()
    Csv().write(batches, stream, about=info or about())
    return stream.getvalue().decode()


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _undo_text(cell: str) -> str:
    """The rule in the documentation of the format."""
    guarded = cell.startswith("'") and cell.lstrip("'").startswith(tuple(_RUNS))
    return cell[1:] if guarded else cell


@given(images())
def test_csv_gives_back_what_went_in(given_images: ExportBatch) -> None:
    rows = _rows(_csv(given_images))
    assert len(rows) == len(given_images)
    for i, row in enumerate(rows):
        assert row["path"].removeprefix("./") == given_images.paths[i].removeprefix("./")
        assert _undo_text(row["cluster"]) == (given_images.cluster_names[i] or "")
        assert _undo_text(row["camera"]) == (given_images.cameras[i] or "")
        assert json.loads(row["copies"] or "[]") == list(given_images.copies[i])
        assert row["taken_at"] == (given_images.taken_at[i] or "")
        for column, values in {
            "distance": given_images.distances,
            "margin": given_images.margins,
            "brightness": given_images.brightness,
        }.items():
            expected = values[i]
            assert (np.float32(row[column]) if row[column] else None) == expected
        assert (float(row["latitude"]) if row["latitude"] else None) == given_images.latitudes[i]


@given(images())
def test_no_cell_of_csv_is_a_formula(given_images: ExportBatch) -> None:
    for row in _rows(_csv(given_images)):
        for column, cell in row.items():
            if cell.startswith(tuple(_RUNS)):
                float(cell)  # a number may be negative
                assert column not in {"path", "cluster", "camera", "copies", "file", "folder"}


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("@SUM(1)", "'@SUM(1)"),
        ("'=1", "''=1"),
        ("'t Hof", "'t Hof"),
        ("3-toed sloth", "3-toed sloth"),
    ],
)
def test_a_name_that_a_spreadsheet_would_run_has_an_apostrophe(text: str, cell: str) -> None:
    assert _rows(_csv(batch(1, cluster_names=(text,))))[0]["cluster"] == cell


def test_a_path_that_a_spreadsheet_would_run_still_leads_to_its_file(tmp_path: Path) -> None:
    photo = make_photo(tmp_path / "=1+1.jpg")
    image = batch(1, paths=(str(photo),), files=("=1+1.jpg",))
    row = _rows(_csv(image, info=about(relative_to=tmp_path)))[0]
    assert (row["path"], row["file"]) == ("./=1+1.jpg", "./=1+1.jpg")
    assert (tmp_path / row["path"]).read_bytes() == photo.read_bytes()


def test_a_csv_file_is_marked_as_utf_8_and_a_pipe_is_not(tmp_path: Path) -> None:
    to = tmp_path / "a.csv"
    assert Csv().export([batch(2), batch(3, seed=1)], to, about=about()) == 5
    marked = to.read_bytes()
    assert marked.startswith(_MARK + b"path,")
    assert marked.removeprefix(_MARK).decode() == _csv(batch(2), batch(3, seed=1))


def test_csv_has_its_columns_also_where_there_is_nothing() -> None:
    assert _csv() == ",".join([*CSV_COLUMNS, "extra.moon_phase", "extra.temperature"]) + "\r\n"
    rows = _rows(_csv(unclustered()))
    assert {row["cluster_id"] + row["state"] + row["distance"] for row in rows} == {""}


def test_an_unsure_image_has_a_candidate_and_no_cluster() -> None:
    row = _rows(_csv(batch(3)))[2]
    assert (row["cluster_id"], row["cluster"], row["state"]) == ("", "", "unsure")
    assert (row["candidate_id"], row["candidate"]) == ("3", "Red fox")


def test_csv_tells_when_where_and_in_which_light() -> None:
    first, second, third = _rows(_csv(batch(3)))
    assert (first["taken_at"], first["clock_time"]) == (
        "2024-05-01T06:07:08",
        "2024-05-01T05:07:08",
    )
    assert [row["deployment"] for row in (first, second, third)] == ["A1", "", "B 2"]
    assert [row["event"] + row["burst"] for row in (first, second, third)] == ["00", "", "37"]
    assert [row["infrared"] for row in (first, second, third)] == ["no", "", "yes"]
    assert [row["extra.temperature"] for row in (first, second, third)] == ["21", "", "-3.5"]
    assert [row["extra.moon_phase"] for row in (first, second, third)] == ["full", "", ""]
    odd = batch(1, extras=({"moon_phase": "=1+1"},), deployments=("@x",))
    row = _rows(_csv(odd))[0]
    assert (row["extra.moon_phase"], row["deployment"]) == ("'=1+1", "'@x")


# Parquet --------------------------------------------------------------------------------------


def _table(path: Path, *batches: ExportBatch, info: ExportInfo) -> pa.Table:
    written = Parquet().export(batches, path, about=info)
    table = pq.read_table(path)
    assert written == len(table)
    return table


@settings(max_examples=40)
@given(images())
def test_parquet_gives_back_what_went_in(
    tmp_path_factory: pytest.TempPathFactory, given_images: ExportBatch
) -> None:
    path = tmp_path_factory.getbasetemp() / "laws.parquet"
    rows = _table(path, given_images, info=about()).to_pydict()
    for column, values in {
        "path": given_images.paths,
        "folder": given_images.folders,
        "file": given_images.files,
        "cluster_id": given_images.cluster_ids,
        "cluster": given_images.cluster_names,
        "camera": given_images.cameras,
        "distance": given_images.distances,
        "latitude": given_images.latitudes,
        "longitude": given_images.longitudes,
        "brightness": given_images.brightness,
        "image_id": given_images.image_ids,
    }.items():
        assert rows[column] == list(values), column
    assert [tuple(paths) for paths in rows["copies"]] == list(given_images.copies)
    moments = [moment and moment.isoformat() for moment in rows["taken_at"]]
    assert moments == list(given_images.taken_at)


def test_parquet_tells_when_where_and_in_which_light(tmp_path: Path) -> None:
    table = _table(tmp_path / "a.parquet", batch(3), info=about())
    rows = table.to_pydict()
    assert rows["deployment"] == ["A1", None, "B 2"]
    assert (rows["event"], rows["burst"]) == ([0, None, 3], [0, None, 7])
    assert rows["infrared"] == [False, None, True]
    assert rows["extra.temperature"] == [21.0, None, -3.5]
    assert rows["extra.moon_phase"] == ["full", None, None]
    assert [time and time.isoformat() for time in rows["clock_time"]] == [
        "2024-05-01T05:07:08",
        None,
        None,
    ]
    mixed = batch(2, extras=({"code": 7}, {"code": "A7"}))
    texts = _table(tmp_path / "b.parquet", mixed, info=about(extras={"code": False})).to_pydict()
    assert texts["extra.code"] == ["7", "A7"]


def test_vectors_are_a_fixed_size_list_of_single_precision(tmp_path: Path) -> None:
    parts = [batch(5, dim=8, seed=seed) for seed in range(3)]
    table = _table(tmp_path / "v.parquet", *parts, info=about(dim=8))
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 8)
    stored = table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, 8)
    np.testing.assert_array_equal(stored, np.concatenate([part.vectors for part in parts]))


def test_row_groups_are_large_and_their_memory_is_bounded(tmp_path: Path) -> None:
    assert _row_groups(tmp_path, [batch(4_000)] * 20) == [68_000, 12_000]
    assert _row_groups(tmp_path, [batch(500, dim=16_384)] * 3, dim=16_384) == [1_500]
    assert _row_groups(tmp_path, [batch(600, dim=16_384)] * 3, dim=16_384) == [1_200, 600]


def _row_groups(tmp_path: Path, batches: list[ExportBatch], *, dim: int = 0) -> list[int]:
    to = tmp_path / "groups.parquet"
    Parquet().export(batches, to, about=about(dim=dim))
    groups = pq.ParquetFile(to).metadata
    return [groups.row_group(i).num_rows for i in range(groups.num_row_groups)]


def test_parquet_tells_what_made_it(tmp_path: Path) -> None:
    table = _table(tmp_path / "a.parquet", batch(2, dim=4), info=about(dim=4))
    origin = json.loads(table.schema.metadata[b"organizer"])
    assert origin["embedder"]["name"] == "hog"
    assert origin["clusters"] == {"3": "Red fox", "7": None}
    assert origin["clustering_id"] == 2


# MegaDetector ---------------------------------------------------------------------------------


def _megadetector(tmp_path: Path, *batches: ExportBatch, info: ExportInfo | None = None) -> Any:
    to = tmp_path / "md.json"
    written = MegaDetectorJson().export(batches, to, about=info or about())
    read = json.loads(to.read_text(encoding="utf-8"))
    assert written == len(read["images"])
    return read


def test_megadetector_json_keeps_the_rules_of_format_1_6(tmp_path: Path) -> None:
    read = _megadetector(tmp_path, batch(4), batch(2, seed=1), looked_at(3, seed=2))
    assert read["info"]["format_version"] == "1.6"
    assert set(read) == {"info", "detection_categories", "classification_categories", "images"}
    for kind in ("detection_categories", "classification_categories"):
        assert all(key.isdecimal() and name.strip() for key, name in read[kind].items())
    assert read["detection_categories"]["1"] == "animal"
    for image in read["images"]:
        assert not image["file"].startswith("/")
        for detection in image["detections"] or ():
            assert detection["category"] in read["detection_categories"]
            assert isinstance(detection["conf"], float)
            assert len(detection["bbox"]) == 4
            scores = [score for _, score in detection.get("classifications", [])]
            assert scores == sorted(scores, reverse=True)
            assert all(0 <= score <= 1 for score in scores)
            names = [key for key, _ in detection.get("classifications", [])]
            assert set(names) <= set(read["classification_categories"])


def test_a_cluster_hangs_on_the_whole_image_and_claims_no_animal(tmp_path: Path) -> None:
    read = _megadetector(tmp_path, batch(3))
    decided, automatic, unassigned = read["images"]
    for image in read["images"]:
        (detection,) = image["detections"]
        name = read["detection_categories"][detection["category"]]
        assert name == "whole_image_classification"
        assert detection["bbox"] == [0.0, 0.0, 1.0, 1.0]
    assert decided["detections"][0]["classifications"] == [["3", 1.0]]
    assert automatic["detections"][0]["classifications"] == [["7", 0.875]]
    assert "classifications" not in unassigned["detections"][0]
    assert unassigned["organizer"]["candidate_name"] == "Red fox"
    assert read["classification_categories"] == {"3": "Red fox", "7": "cluster 7"}


def test_megadetector_paths_are_relative_to_the_folder_that_it_names(tmp_path: Path) -> None:
    read = _megadetector(tmp_path, batch(1, paths=("/photos/a b/c.jpg",)))
    assert read["info"]["organizer"]["base_folder"] == FOLDER
    assert read["images"][0]["file"] == "a b/c.jpg"
    outside = _megadetector(
        tmp_path, batch(1, paths=("/photos/c.jpg",)), info=about(relative_to=Path("/other/x"))
    )
    assert outside["images"][0]["file"] == "../../photos/c.jpg"


def test_a_missing_file_is_a_failure_for_megadetector(tmp_path: Path) -> None:
    read = _megadetector(tmp_path, batch(2, missing=(True, False)))
    gone, there = read["images"]
    assert (gone["detections"], gone["failure"]) == (None, "image access failure")
    assert "failure" not in there
    assert (there["width"], there["height"]) == (48, 64)


def test_times_for_megadetector_are_as_exif_writes_them(tmp_path: Path) -> None:
    assert _megadetector(tmp_path, batch(1))["images"][0]["datetime"] == "2024:05:01 06:07:08"


def test_a_detectors_boxes_carry_the_clusters_of_their_crops(tmp_path: Path) -> None:
    read = _megadetector(tmp_path, looked_at(3), info=about(detectors=("MDv5a",)))
    seen, failed, empty = read["images"]
    kinds = read["detection_categories"]
    assert read["info"]["detector"] == "MDv5a"
    assert [kinds[one["category"]] for one in seen["detections"]] == ["animal", "animal", "vehicle"]
    assert [one["conf"] for one in seen["detections"]] == [0.9, 0.5, 0.1]
    assert seen["detections"][0]["bbox"] == [0.1, 0.2, 0.3, 0.4]
    assert [one.get("classifications") for one in seen["detections"]] == [
        [["3", 1.0]],
        [["7", 0.5]],
        None,
    ]
    assert (failed["detections"], failed["failure"]) == (None, "image access failure")
    assert empty["detections"] == []
    assert "failure" not in empty


def test_a_whole_image_that_a_person_put_somewhere_claims_no_animal(tmp_path: Path) -> None:
    whole = ExportDetection("animal", 1.0, 0.0, 0.0, 1.0, 1.0, 3, "Red fox", decided=True)
    read = _megadetector(tmp_path, looked_at(1, detections=((whole,),)))
    (detection,) = read["images"][0]["detections"]
    kind = read["detection_categories"][detection["category"]]
    assert (kind, detection["classifications"]) == ("whole_image_classification", [["3", 1.0]])


def test_boxes_of_a_clustering_of_whole_images_leave_the_image_its_cluster(tmp_path: Path) -> None:
    box = ExportDetection("Tier", 0.25, 0.0, 0.0, 0.5, 0.5)
    read = _megadetector(
        tmp_path, looked_at(3, detections=((box,), (box,), ()), failures=(None,) * 3)
    )
    kinds = read["detection_categories"]
    assert len(set(kinds.values())) == len(kinds) == 5
    for image, cluster in zip(read["images"], ("3", "7"), strict=False):
        boxed, whole = image["detections"]
        assert kinds[boxed["category"]] == "Tier"
        assert kinds[whole["category"]] == "whole_image_classification"
        assert whole["classifications"][0][0] == cluster
    assert read["images"][2]["detections"] == []


@settings(max_examples=25)
@given(images())
def test_any_names_are_json(
    tmp_path_factory: pytest.TempPathFactory, given_images: ExportBatch
) -> None:
    folder = tmp_path_factory.getbasetemp()
    read = _megadetector(folder, given_images)
    found = [image["organizer"].get("cluster_name") for image in read["images"]]
    assert found == list(given_images.cluster_names)
    to = folder / "any-names"
    to.mkdir(exist_ok=True)
    FiftyOne().export([given_images], to, about=about())
    samples = json.loads((to / "samples.json").read_text(encoding="utf-8"))["samples"]
    assert [sample["filepath"] for sample in samples] == list(given_images.paths)


# FiftyOne -------------------------------------------------------------------------------------


def _fiftyone(to: Path, *batches: ExportBatch, info: ExportInfo) -> tuple[Any, list[Any]]:
    to.mkdir()
    written = FiftyOne().export(batches, to, about=info)
    assert {file.name for file in to.iterdir()} == FiftyOne.holds
    metadata = json.loads((to / "metadata.json").read_text(encoding="utf-8"))
    samples = json.loads((to / "samples.json").read_text(encoding="utf-8"))["samples"]
    assert written == len(samples)
    return metadata, samples


def test_fiftyone_declares_every_field_that_a_sample_has(tmp_path: Path) -> None:
    metadata, samples = _fiftyone(tmp_path / "fo", batch(3, dim=4), info=about(dim=4))
    declared = {item["db_field"]: item for item in metadata["sample_fields"]}
    for sample in samples:
        # FiftyOne itself sets the two times and the data set of a sample.
        of_itself = {"created_at", "last_modified_at", "_dataset_id"}
        assert set(sample) == set(declared) - of_itself
    for name in ("metadata", "cluster", "location"):
        inside = {item["db_field"] for item in declared[name]["fields"]}
        for sample in samples:
            assert set(sample[name] or {}) - {"_cls"} <= inside


def test_a_fiftyone_sample_has_cluster_place_time_and_vector(tmp_path: Path) -> None:
    given_images = batch(3, dim=4)
    _, samples = _fiftyone(tmp_path / "fo", given_images, info=about(dim=4))
    assert [sample["cluster"]["label"] for sample in samples] == ["Red fox", "cluster 7", "unsure"]
    assert [sample["_id"]["$oid"] for sample in samples] == [i[:24] for i in given_images.image_ids]
    assert samples[0]["taken_at"] == {"$date": "2024-05-01T06:07:08Z"}
    assert samples[2]["location"]["point"]["coordinates"] == [151.0, -33.25]
    assert samples[1]["location"] is None
    deflated = base64.b64decode(samples[1]["vector"]["$binary"]["base64"])
    vector = np.load(io.BytesIO(zlib.decompress(deflated)), allow_pickle=False)
    assert given_images.vectors is not None
    np.testing.assert_array_equal(vector, given_images.vectors[1])
    assert vector.dtype == np.float32


def test_before_a_clustering_fiftyone_has_no_labels(tmp_path: Path) -> None:
    info = about(clusters={}, clustering_id=None)
    metadata, samples = _fiftyone(tmp_path / "fo", unclustered(), info=info)
    assert {sample["cluster"] for sample in samples} == {None}
    assert metadata["classes"] == {"cluster": []}


# Embedding Atlas ------------------------------------------------------------------------------


def test_embedding_atlas_has_pictures_and_a_cluster_for_every_image(tmp_path: Path) -> None:
    to = tmp_path / "atlas.parquet"
    images = batch(3, dim=4, pictures=(b"a jpeg", b"another", None))
    assert EmbeddingAtlas().export([images], to, about=about(dim=4)) == 3
    rows = pq.read_table(to).to_pylist()
    assert [row["cluster"] for row in rows] == ["Red fox", "cluster 7", "unsure"]
    assert [row["image"] for row in rows] == [
        {"bytes": b"a jpeg", "path": images.paths[0]},
        {"bytes": b"another", "path": images.paths[1]},
        None,
    ]


def test_embedding_atlas_without_pictures_is_the_parquet_export(tmp_path: Path) -> None:
    ours, plain = tmp_path / "atlas.parquet", tmp_path / "plain.parquet"
    EmbeddingAtlas(thumbnails=0).export([batch(3, dim=4)], ours, about=about(dim=4))
    Parquet().export([batch(3, dim=4)], plain, about=about(dim=4))
    without = ["cluster"]
    assert pq.read_table(ours).drop(without) == pq.read_table(plain).drop(without)


def test_the_command_that_opens_the_atlas_names_what_is_there() -> None:
    to = Path("/a b/x.parquet")
    full = EmbeddingAtlas().opened_with(to, about=about(dim=4))
    assert full == 'embedding-atlas "/a b/x.parquet" --vector vector --image image'
    assert "--disable-projection" in EmbeddingAtlas(thumbnails=0).opened_with(to, about=about())


@pytest.mark.parametrize("side", [-1, 1025])
def test_pictures_of_an_absurd_size_are_refused(side: int) -> None:
    with pytest.raises(SettingsError, match=str(side)):
        EmbeddingAtlas(thumbnails=side)


# What they share ------------------------------------------------------------------------------


@given(
    st.lists(st.text(string.ascii_letters + " .", min_size=1, max_size=5), min_size=1, max_size=4),
    st.integers(0, 4),
)
def test_a_relative_path_leads_back(parts: list[str], depth: int) -> None:
    parts = [part for part in parts if part not in {".", ".."}] or ["a"]
    path = Path("/", *parts)
    folder = Path("/", *parts[: min(depth, len(parts) - 1)])
    (shown,) = relative([str(path)], folder)
    assert folder / shown == path
    assert ".." not in Path(shown).parts


def test_a_cluster_has_always_a_word() -> None:
    assert [label(3, "Fox"), label(3, None), label(None, None)] == ["Fox", "cluster 3", "unsure"]


def test_columns_of_different_length_are_no_batch() -> None:
    with pytest.raises(ValueError, match="3 images, 2 paths"):
        batch(3, paths=("/a", "/b"))
    with pytest.raises(ValueError, match="vectors of"):
        about(embedder=PartSpec("hog"), dim=0)
