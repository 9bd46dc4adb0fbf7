"""Each export opened with the reader of the tool that it is for, where that is installed.

None of these tools is needed by organizer; without them the formats are held to their written rules
by the tests beside this one. To run these: pip install pandas megadetector fiftyone embedding-atlas
in an environment of their own.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from organizer.export import Csv, EmbeddingAtlas, FiftyOne, MegaDetectorJson, Parquet
from tests.batches import about, batch, looked_at, unclustered
from tests.conftest import make_photo

_ODD = ('/photos/a,b\n"c" fähe 🦊.jpg', "/photos/=1.jpg", "/photos/plain.jpg")


def _installed(name: str) -> Any:
    return pytest.importorskip(name, reason=f"NOT TESTED: {name} is not installed")


def test_pandas_reads_csv(tmp_path: Path) -> None:
    pandas = _installed("pandas")
    images = batch(3, paths=_ODD)
    Csv().export([images], tmp_path / "a.csv", about=about())
    frame = pandas.read_csv(tmp_path / "a.csv")
    assert list(frame["path"]) == list(_ODD), "the byte order mark is no part of the first name"
    assert list(frame["cluster_id"].astype("Int64").fillna(-1)) == [3, 7, -1]
    assert list(frame["distance"]) == [0.25, 0.125, 0.75]


def test_pandas_reads_parquet(tmp_path: Path) -> None:
    pandas = _installed("pandas")
    images = batch(3, dim=4, paths=_ODD)
    Parquet().export([images], tmp_path / "a.parquet", about=about(dim=4))
    frame = pandas.read_parquet(tmp_path / "a.parquet")
    assert list(frame["path"]) == list(_ODD)
    np.testing.assert_array_equal(np.stack(frame["vector"]), images.vectors)
    assert frame["taken_at"][0] == dt.datetime(2024, 5, 1, 6, 7, 8)  # noqa: DTZ001


def test_duckdb_reads_csv_and_parquet(tmp_path: Path) -> None:
    duckdb = _installed("duckdb")
    Csv().export([batch(3, paths=_ODD)], tmp_path / "a.csv", about=about())
    Parquet().export([batch(3, dim=4, paths=_ODD)], tmp_path / "a.parquet", about=about(dim=4))
    for file in ("a.csv", "a.parquet"):
        rows = duckdb.sql(f"SELECT path, cluster_id FROM '{tmp_path / file}'").fetchall()  # noqa: S608
        assert rows == list(zip(_ODD, (3, 7, None), strict=True))


def test_megadetector_validates_its_json(tmp_path: Path) -> None:
    validator = _installed("megadetector.postprocessing.validate_batch_results")
    photo = make_photo(tmp_path / "photos" / "fähe.jpg")
    images = batch(3, paths=(str(photo), str(photo), "/gone.jpg"), missing=(False, False, True))
    to = tmp_path / "md.json"
    info = about(common=tmp_path / "photos")
    seen = looked_at(3, paths=(str(photo),) * 3)
    for part, errors in ((images, 1), (batch(0), 0), (unclustered(0), 0), (seen, 0)):
        MegaDetectorJson().export([part], to, about=info)
        options = validator.ValidateBatchResultsOptions()
        results = validator.validate_batch_results(str(to), options)["validation_results"]
        assert (results["errors"], results["warnings"]) == ([], [])
        options.check_image_existence = True
        options.relative_path_base = json.loads(to.read_text())["info"]["organizer"]["base_folder"]
        found = validator.validate_batch_results(str(to), options)["validation_results"]
        assert len(found["errors"]) == errors, "only the one that is gone is not found"


def test_megadetector_loads_its_json_as_a_table(tmp_path: Path) -> None:
    loader = _installed("megadetector.postprocessing.load_api_results")
    MegaDetectorJson().export([batch(5)], tmp_path / "md.json", about=about())
    frame, other = loader.load_api_results(str(tmp_path / "md.json"))
    assert list(frame["file"]) == list(batch(5).files)
    assert other["classification_categories"] == {"3": "Red fox", "7": "cluster 7"}


def test_fiftyone_takes_the_folder_apart(tmp_path: Path) -> None:
    """What its importer reads, without the database that it then writes to."""
    fiftyone, odm = _installed("fiftyone"), _installed("fiftyone.core.odm")
    images = batch(3, dim=4)
    FiftyOne().export([images], tmp_path, about=about(dim=4))
    document = odm.DatasetDocument.from_dict(odm.import_document(str(tmp_path / "metadata.json")))
    fields = {item.name: item.to_field() for item in document.sample_fields}
    assert type(fields["vector"]).__name__ == "VectorField"
    samples, _ = odm.import_collection(str(tmp_path / "samples.json"), key="samples")
    read = [fiftyone.Sample.from_dict(sample) for sample in samples]
    assert [sample.filepath for sample in read] == list(images.paths)
    assert [sample.cluster.label for sample in read] == ["Red fox", "cluster 7", "unsure"]
    assert read[0].taken_at.isoformat()[:19] == "2024-05-01T06:07:08"
    assert read[2].location.point == [151.0, -33.25]
    assert read[0].metadata.width == 64
    assert images.vectors is not None
    np.testing.assert_array_equal(read[1].vector, images.vectors[1])


def test_embedding_atlas_finds_vectors_and_pictures(tmp_path: Path) -> None:
    projection, utils = (_installed(f"embedding_atlas.{name}") for name in ("projection", "utils"))
    nw = _installed("narwhals")
    photo = make_photo(tmp_path / "a.jpg")
    to = tmp_path / "atlas.parquet"
    images = batch(6, dim=4, paths=(str(photo),) * 6, pictures=(photo.read_bytes(),) * 6)
    EmbeddingAtlas().export([images], to, about=about(dim=4))
    frame = nw.from_native(utils.load_pandas_data(str(to)), eager_only=True)
    assert projection._infer_modality(frame["vector"]) == "vector"
    assert projection._infer_modality(frame["image"]) == "image"
    vectors = np.stack(projection._to_canonical_vector(frame["vector"]))
    np.testing.assert_array_equal(vectors, images.vectors)
    pictures = projection._to_canonical_binary(frame["image"])
    assert {projection._detect_mime_type(picture["bytes"]) for picture in pictures} == {
        "image/jpeg"
    }
