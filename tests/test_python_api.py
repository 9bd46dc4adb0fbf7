"""organizer as a researcher uses it: ``import organizer`` and what hangs on a library."""

from __future__ import annotations

import ast
import inspect
import json
import os
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
