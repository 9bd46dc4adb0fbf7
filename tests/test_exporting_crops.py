"""Exports where crops were clustered: an image has the cluster of its surest crop."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from organizer.library import Library
from organizer.library.exports import ExportOptions
from organizer.library.images.crops import locate_photos
from organizer.settings import Settings
from organizer.types import NOISE, Detected, Detection, ImageDetections
from tests.scenes import SPECIES, Scenes, Thing, season

_CROPS = "crops:channel-mean"


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    return season(tmp_path_factory.mktemp("crops") / "photos", each=4)


@pytest.fixture(scope="module")
def cropped(scenes: Scenes) -> Iterator[Library]:
    """A season clustered by its crops; nothing changes it."""
    with Library.open_or_create(scenes.folder.parent, Settings()) as library:
        library.ingest([scenes.folder], embedder="channel-mean")
        library.detections.add(_said(library, scenes))
        library.recluster(k=3, embedder=_CROPS, reduce="none")
        yield library


def _said(library: Library, scenes: Scenes) -> list[ImageDetections]:
    found = []
    for path, things in scenes.things.items():
        image_id = library.store.photos.image_at(scenes.folder / path)
        assert image_id is not None
        boxes = tuple(_box(thing) for thing in things)
        outcome = Detected.FOUND if boxes else Detected.EMPTY
        found.append(ImageDetections(image_id, outcome, boxes, detector="eye"))
    return found


def _box(thing: Thing) -> Detection:
    x, y, width, height = thing.box
    category = "animal" if thing.what in SPECIES else thing.what
    return Detection(category, thing.confidence, x, y, width, height)


def _rows(library: Library, choice: ExportOptions | None = None) -> dict[str, dict[str, str]]:
    stream = io.BytesIO()
    library.exports.write("csv", stream, choice)
    rows = csv.DictReader(io.StringIO(stream.getvalue().decode(), newline=""))
    return {row["file"]: row for row in rows}


def test_an_image_is_in_the_cluster_of_its_surest_crop_and_people_are_left_out(
    cropped: Library, scenes: Scenes
) -> None:
    rows = _rows(cropped)
    assert set(rows) == {p for p in scenes.things if "person" not in p and "car" not in p}
    where = locate_photos(cropped.store, cropped.store.clusterings.current())
    for row in rows.values():
        cluster_id = where[row["image_id"]].cluster_id
        expected = "" if cluster_id in {None, NOISE} else str(cluster_id)
        assert row["cluster_id"] == expected, row["file"]
        assert bool(row["state"]) == (cluster_id is not None)
    by_species = {rows[f"brook/{name}0.jpg"]["cluster_id"] for name in SPECIES}
    assert len(by_species) == 3


def test_a_pair_is_in_the_export_of_either_cluster(cropped: Library) -> None:
    rows = _rows(cropped)
    for species in ("fox", "crow"):
        cluster = rows[f"brook/{species}0.jpg"]["cluster_id"]
        some = _rows(cropped, ExportOptions(clusters=[cluster]))
        assert "ridge/pair.jpg" in some
        assert "brook/heron0.jpg" not in some
        assert "brook/empty0.jpg" not in some


def test_each_box_has_the_cluster_of_its_crop(cropped: Library, tmp_path: Path) -> None:
    rows = _rows(cropped)
    cropped.exports.write("megadetector-json", tmp_path / "md.json")
    read = json.loads((tmp_path / "md.json").read_text())
    images = {image["file"]: image for image in read["images"]}
    crow, fox = images["ridge/pair.jpg"]["detections"]
    assert crow["conf"] > fox["conf"]
    for box, species in ((crow, "crow"), (fox, "fox")):
        ((cluster, confidence),) = box["classifications"]
        assert cluster == rows[f"brook/{species}0.jpg"]["cluster_id"]
        assert 0.5 < confidence <= 1
        assert read["detection_categories"][box["category"]] == "animal"
    assert images["brook/empty0.jpg"]["detections"] == []


def test_the_vector_of_an_image_is_that_of_the_crop_which_stands_for_it(
    cropped: Library, tmp_path: Path
) -> None:
    report = cropped.exports.write(
        "parquet", tmp_path / "v.parquet", ExportOptions(embedder=_CROPS)
    )
    rows = pq.read_table(tmp_path / "v.parquet").to_pylist()
    empties = sum("empty" in file for file in _rows(cropped))
    assert report.without_vector >= empties == 4
    where = locate_photos(cropped.store, cropped.store.clusterings.current())
    spec = next(s for s in cropped.store.vectors.specs() if s.name == _CROPS)
    for row in rows:
        crop = where[row["image_id"]].crops[0]
        stored = cropped.store.vectors.read_some(spec, [crop.crop_id])[crop.crop_id]
        np.testing.assert_array_equal(row["vector"], stored)
