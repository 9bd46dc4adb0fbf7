"""organizer as a researcher uses it: ``import organizer`` and what hangs on a library."""

from __future__ import annotations

import ast
import inspect
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import organizer
from organizer.errors import ClusteringError, SettingsError, StoreError
from organizer.settings import Settings
from organizer.store import vectors as stored_vectors
from organizer.types import AssignmentState, Vectors
from tests.conftest import make_groups, make_photo

_HEAVY = {"numpy", "pyarrow", "lancedb", "torch", "sklearn", "pydantic", "PIL"}


class MeanColour:
    """An embedder of one's own: nothing is registered."""

    dim = 3

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        return np.asarray(image.reshape(-1, 3).mean(axis=0))

    def embed(self, batch: Sequence[NDArray[Any]]) -> Vectors:
        return np.asarray(batch, dtype=np.float32).reshape(len(batch), 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """24 photos in three folders: red, green, blue."""
    return make_groups(tmp_path / "photos")


# import organizer ---------------------------------------------------------------------------


def test_importing_organizer_imports_nothing_heavy() -> None:
    code = "import organizer, sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert _HEAVY.isdisjoint(json.loads(done.stdout))


def test_every_public_name_is_there_and_completes() -> None:
    for name in organizer.__all__:
        assert inspect.getdoc(getattr(organizer, name)), f"{name} says nothing of itself"
    assert set(organizer.__all__) <= set(dir(organizer))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        organizer.Nothing  # noqa: B018


def test_type_checkers_see_the_names_that_are_there() -> None:
    tree = ast.parse(Path(organizer.__file__).read_text(encoding="utf-8"))
    (guarded,) = (n for n in tree.body if isinstance(n, ast.If))
    seen = {
        (alias.asname, f"{node.module}")
        for node in guarded.body
        if isinstance(node, ast.ImportFrom) and node.module != "pathlib"
        for alias in node.names
    }
    assert seen == set(organizer._HOME.items())


# A session ----------------------------------------------------------------------------------


def test_a_session(folder: Path) -> None:
    with organizer.open(folder) as lib:
        assert list(lib.clusters) == []
        assert lib.ingest(folder, embedder="channel-mean").images == 24
        lib.recluster(k=3)
        assert [cluster.size for cluster in lib.clusters] == [8, 8, 8]
        first = next(iter(lib.clusters))
        assert first.medoid in {member.path for member in first.members()}
        lib.clusters[first.id].rename("Red fox")
        assert lib.clusters["Red fox"].id == first.id
        assert first.name is None, "a cluster is as it was when it was looked up"
        assert "Red fox" in lib.clusters
        assert 99 not in lib.clusters
        moved = next(c for c in lib.clusters if c.id != first.id).members()[0]
        lib.clusters["Red fox"].add(moved.path)
        assert lib.clusters["Red fox"].size == 9
        lib.undo()
        assert lib.clusters["Red fox"].size == 8
        hits = lib.search(folder / "red" / "000.jpg", limit=5)
        assert len(hits) == 5
        assert {hit.path.parent.name for hit in hits} == {"red"}
    assert (folder / ".organizer").is_dir()


def test_open_makes_a_library_only_where_it_is_asked_to(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        organizer.open(tmp_path, create=False)
    with pytest.raises(SettingsError, match="there is no folder"):
        organizer.open(tmp_path / "typo")
    assert list(tmp_path.iterdir()) == []
    with organizer.open(tmp_path, seed=7) as lib:
        assert lib.settings.seed == 7
    with organizer.open(tmp_path, create=False) as lib:
        assert len(lib.images) == 0
    with pytest.raises(SettingsError, match="seed"):
        organizer.open(tmp_path, seed=-1)


def test_a_cluster_that_is_not_there_is_named_with_those_that_are(folder: Path) -> None:
    with organizer.open(folder) as lib:
        lib.ingest(folder, embedder="channel-mean")
        with pytest.raises(ClusteringError, match="no clusters yet"):
            lib.clusters[1]
        lib.recluster(k=3)
        with pytest.raises(SettingsError, match="no cluster 99") as caught:
            lib.clusters[99]
        assert "1, 2, 3" in ", ".join(
            sorted(caught.value.hint.removeprefix("there are: ").split(", "))
        )


# Arrays and tables --------------------------------------------------------------------------


def test_embeddings_are_the_vectors_of_the_images(filled: organizer.Library) -> None:
    ids, vectors = filled.embeddings()
    assert vectors.dtype == np.float32
    assert vectors.shape == (24, 6)
    by_batches = list(filled.embedding_batches(batch_size=5))
    assert np.array_equal(np.concatenate([part for _, part in by_batches]), vectors)
    assert np.array_equal(np.concatenate([part for part, _ in by_batches]), ids)
    spec = filled.store.vectors.specs()[0]
    for image_id, vector in filled.store.vectors.read_some(spec, ids[:3].tolist()).items():
        assert np.array_equal(vectors[ids == image_id][0], vector)
    with pytest.raises(SettingsError, match="batch_size"):
        filled.embedding_batches(batch_size=0)
    with pytest.raises(SettingsError, match="no vectors"):
        filled.embeddings(embedder="hog")


def test_many_embeddings_are_mapped_from_a_file_and_read_only(filled: organizer.Library) -> None:
    spec = filled.store.vectors.specs()[0]
    ids, vectors = filled.store.vectors.read_mapped(spec, most=0)
    assert isinstance(vectors, np.memmap)
    assert np.array_equal(vectors, filled.embeddings()[1])
    assert np.array_equal(ids, filled.embeddings()[0])
    with pytest.raises(ValueError, match="read-only"):
        vectors[0] = 0
    assert stored_vectors._IN_MEMORY == 1 << 30


def test_assignments_say_where_every_image_is(filled: organizer.Library, photos: Path) -> None:
    with pytest.raises(ClusteringError):
        filled.assignments()
    filled.recluster(k=3)
    red = next(c for c in filled.clusters if c.members()[0].path.parent.name == "red")
    red.rename("Red ones")
    odd = make_photo(photos / "odd.jpg", 77, colour=(250, 250, 20))
    filled.ingest(odd)
    table = filled.assignments()
    assert table.schema.names == [
        "image_id", "path", "cluster_id", "cluster_name", "distance", "state",
    ]  # fmt: skip
    rows = table.to_pylist()
    assert [row["path"] for row in rows] == sorted(row["path"] for row in rows)
    of_red = [row for row in rows if row["cluster_id"] == red.id]
    assert {row["path"] for row in of_red} == {str(m.path) for m in red.members()}
    assert {row["cluster_name"] for row in of_red} == {"Red ones"}
    distances = {str(m.path): m.distance for m in red.members()}
    assert all(row["distance"] == pytest.approx(distances[row["path"]]) for row in of_red)
    (alone,) = (row for row in rows if row["cluster_id"] is None)
    assert alone["path"] == str(odd)
    assert alone["state"] == AssignmentState.UNSURE.value


def test_images_are_read_by_id_and_by_path(filled: organizer.Library, photos: Path) -> None:
    assert len(filled.images) == 24
    found = {image.path for image in filled.images}
    assert found == {
        photos / name / f"{i:03}.jpg" for name in ("red", "green", "blue") for i in range(8)
    }
    image = filled.images[photos / "red" / "000.jpg"]
    assert filled.images[image.id] == image
    assert (image.facts.width, image.facts.height) == (64, 48)
    (photos / "red" / "000.jpg").unlink()
    filled.ingest(photos)
    assert filled.images[image.id].is_missing
    with pytest.raises(SettingsError, match="no image"):
        filled.images["nothing"]
    table = filled.images.table()
    assert len(table) == 24
    assert set(table.schema.names) >= {"image_id", "taken_at", "camera", "width", "height"}


# Embedders and seeds ------------------------------------------------------------------------


def test_an_embedder_is_an_object_of_ones_own(folder: Path, tmp_path: Path) -> None:
    with organizer.open(folder) as lib:
        assert lib.ingest(folder, embedder=MeanColour()).embedded == 24
        report = lib.recluster(k=3)
        assert report.embedder.name == "MeanColour"
        assert {cluster.size for cluster in lib.clusters} == {8}
        assert lib.embeddings(embedder="MeanColour")[1].shape == (24, 3)
        assert len(lib.search(folder / "red" / "001.jpg", embedder="MeanColour", limit=2)) == 2
        outside = make_photo(tmp_path / "fox.jpg", 500, colour=(200, 40, 40))
        with pytest.raises(SettingsError, match="MeanColour is not installed") as caught:
            lib.search(outside)
        assert "embedder=" in caught.value.hint
        hits = lib.search(outside, embedder=MeanColour(), limit=8)
        assert {hit.path.parent.name for hit in hits} == {"red"}
        make_photo(folder / "red" / "new.jpg", 600, colour=(200, 40, 40))
        with pytest.raises(SettingsError, match="MeanColour is not installed"):
            lib.ingest(folder)
        assert lib.ingest(folder, embedder=MeanColour()).embedded == 1
        assert max(cluster.size for cluster in lib.clusters) == 9


def test_what_is_no_embedder_is_refused_before_anything_is_written(folder: Path) -> None:
    class Nameless:
        dim = 3

    class Hog(MeanColour):
        name = "hog"

    with organizer.open(folder) as lib:
        with pytest.raises(SettingsError, match="a Nameless is no embedder"):
            lib.ingest(folder, embedder=Nameless())  # type: ignore[arg-type]
        with pytest.raises(SettingsError, match="an embedder of the name hog is installed"):
            lib.ingest(folder, embedder=Hog())
        assert len(lib.images) == 0


def test_a_seed_is_that_of_the_settings_unless_one_is_given(filled: organizer.Library) -> None:
    def labels(**options: Any) -> list[int | None]:
        filled.recluster(k=5, dry_run=False, **options)
        return [row["cluster_id"] for row in filled.assignments().to_pylist()]

    assert labels() is not None
    assert filled.settings.seed == 0
    filled.recluster(k=5, seed=1)
    assert filled.settings.seed == 0, "a seed of one call changes no setting"
    with pytest.raises(SettingsError, match="seed"):
        filled.recluster(k=5, seed=-1)


# Notebooks ----------------------------------------------------------------------------------


def test_clusters_and_hits_show_pictures_in_a_notebook(
    filled: organizer.Library, photos: Path
) -> None:
    assert filled.clusters._repr_html_() == "<div>no clusters yet</div>"
    filled.recluster(k=3)
    cluster = next(iter(filled.clusters))
    cluster.rename("<b>Fox & hound</b>")
    for shown, pictures in (
        (filled.clusters._repr_html_(), 3),
        (filled.clusters[cluster.id]._repr_html_(), 8),
        (filled.search(photos / "red" / "000.jpg", limit=4)._repr_html_(), 4),
    ):
        assert shown.count("data:image/jpeg;base64,") == pictures
        assert "<b>Fox" not in shown
    assert "&lt;b&gt;Fox &amp; hound&lt;/b&gt;" in filled.clusters._repr_html_()
    assert (
        repr(filled.clusters[cluster.id])
        == f"<Cluster {cluster.id} '<b>Fox & hound</b>', 8 images>"
    )
    assert repr(filled.clusters) == "<Clusters: 3>"
    assert str(filled.store.path) in repr(filled)


def test_settings_of_a_library_are_those_it_was_opened_with(tmp_path: Path) -> None:
    with organizer.Library.open_or_create(str(tmp_path), Settings(seed=3)) as lib:
        assert lib.settings.seed == 3


# What cannot be ----------------------------------------------------------------------------


def test_a_wrong_argument_is_refused_by_name_and_leaves_no_trace(
    filled: organizer.Library, photos: Path
) -> None:
    for options, message in (
        ({"k": 3.5}, "k cannot be 3.5"),
        ({"k": "3"}, "k cannot be '3'"),
        ({"k": [2]}, "k cannot be"),
        ({"k": 1}, "k = 1 makes no clusters"),
        ({"k": (5, 2)}, "no range"),
        ({"k_method": "bogus"}, "k_method cannot be 'bogus'"),
        ({"seed": -1}, "seed cannot be -1"),
    ):
        with pytest.raises(SettingsError, match=message):
            filled.recluster(**options)
    with pytest.raises(SettingsError, match="limit cannot be 0"):
        filled.search(photos / "red" / "000.jpg", limit=0)
    assert not (filled.store.path / "writing").exists()
    filled.recluster(k=np.int64(3))  # type: ignore[arg-type]
    assert len(filled.clusters) == 3
    with pytest.raises(SettingsError, match="no cluster was named"):
        filled.corrections.merge([])
    with pytest.raises(SettingsError, match="images cannot be ''"):
        filled.clusters[1].add("")


def test_embedders_that_cannot_be_are_refused_before_the_library_is_held(folder: Path) -> None:
    class Spelled(MeanColour):
        name = "crops:hsv"

    with organizer.open(folder) as lib:
        for wrong, message in (
            (MeanColour, "MeanColour is a class"),
            (Spelled(), "cannot have the name 'crops:hsv'"),
            (object(), "a object is no embedder"),
        ):
            with pytest.raises(SettingsError, match=message):
                lib.ingest(folder, embedder=wrong)  # type: ignore[arg-type]
        assert not (lib.store.path / "writing").exists()
        lib.ingest(folder, embedder="channel-mean")
        with pytest.raises(SettingsError, match="no vectors of 'MeanColour'"):
            lib.search(folder / "red" / "000.jpg", embedder=MeanColour())
        lib.ingest(folder, embedder=MeanColour())
        assert lib.embeddings(embedder=MeanColour())[1].shape == (24, 3)
        assert lib.recluster(k=3, embedder=MeanColour()).embedder.name == "MeanColour"


def test_options_of_open_are_settings_and_a_half_made_library_is_completed(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no setting 'sead'"):
        organizer.open(tmp_path, sead=5)
    with pytest.raises(SettingsError, match="there is no setting 'library'"):
        organizer.open(tmp_path, library=tmp_path)
    with pytest.raises(StoreError, match="there is no library"):
        organizer.open(tmp_path, create=False)
    (tmp_path / ".organizer").mkdir()
    with organizer.open(tmp_path) as lib:
        assert len(lib.images) == 0


def test_what_is_in_a_collection_is_found_by_its_key_alone(
    filled: organizer.Library, photos: Path, tmp_path: Path
) -> None:
    filled.recluster(k=3)
    assert None not in filled.clusters
    assert [1] not in filled.clusters
    with pytest.raises(SettingsError, match="a cluster cannot be None"):
        filled.clusters[None]  # type: ignore[index]
    assert filled.clusters[np.int64(1)] == filled.clusters[1]  # type: ignore[index]
    assert len({filled.clusters[1], filled.clusters[1], filled.clusters[2]}) == 2
    image = filled.images[photos / "red" / "000.jpg"]
    assert image.id in filled.images
    assert photos / "red" / "000.jpg" in filled.images
    assert 3 not in filled.images
    (tmp_path / "link").symlink_to(photos, target_is_directory=True)
    assert filled.images[tmp_path / "link" / "red" / "000.jpg"] == image
    with pytest.raises(SettingsError, match="no image 3"):
        filled.images[3]  # type: ignore[index]
    assert list(filled.images) == [filled.images[found.id] for found in filled.images]


def test_paths_may_be_texts_everywhere(filled: organizer.Library, tmp_path: Path) -> None:
    filled.recluster(k=3)
    assert filled.exports.write("csv", str(tmp_path / "out.csv")).images == 24
    page = str(tmp_path / "report.html")
    assert filled.reports.write(html=page, map_method="none")[1] == (Path(page),)
    sorted_into = str(tmp_path / "sorted")
    assert filled.folders.arrange(organizer.ArrangeOptions(sorted_into)).done == 24
    assert not filled.folders.read_back(sorted_into).has_decisions


def test_what_is_streamed_outlives_a_write_of_the_same_process(filled: organizer.Library) -> None:
    filled.recluster(k=3)
    batches = filled.embedding_batches(batch_size=5)
    first = next(batches)
    for name in ("a", "b", "c"):
        filled.corrections.rename(1, name)
        filled.recluster(k=3)
    rest = list(batches)
    vectors = np.concatenate([part for _, part in (first, *rest)])
    assert np.array_equal(vectors, filled.embeddings()[1])


def test_a_closed_library_writes_nothing(tmp_path: Path, photos: Path) -> None:
    lib = organizer.open(tmp_path)
    lib.close()
    with pytest.raises(StoreError, match="was closed"):
        lib.ingest(photos, embedder="channel-mean")


def test_hits_go_through_pickle_and_slices(filled: organizer.Library, photos: Path) -> None:
    hits = filled.search(photos / "red" / "000.jpg", limit=4)
    assert pickle.loads(pickle.dumps(hits)) == list(hits)  # noqa: S301
    assert hits[:2]._repr_html_().count("data:image/jpeg") == 2
    assert hits[0] == next(iter(hits))
