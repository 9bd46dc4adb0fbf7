"""Several embedders as one: joined from stored vectors, whitened part by part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from organizer.cluster.incremental import unit_rows
from organizer.errors import ClusteringError, SettingsError
from organizer.library import Library
from organizer.reduce import smooth
from organizer.types import PartSpec, Vectors
from tests.conftest import Site, make_photo
from tests.test_ingest import Listening

_NETWORK = """
import numpy as np

class Network:
    dim = {dim}
    version = "w{dim}"

    def prepare(self, image):
        return image.mean(axis=(0, 1))

    def embed(self, batch):
        draw = np.random.default_rng({dim})
        return (np.asarray(batch) @ draw.normal(size=(3, {dim}))).astype(np.float32)
"""


@pytest.fixture
def networks(site: Site) -> str:
    """Two installed embedders that have weights, as one."""
    for dim in (4, 6):
        site.install(f"organizer-net{dim}", _NETWORK.format(dim=dim), **{f"net{dim}": "Network"})
    return "net4+net6"


def test_stored_vectors_are_joined_as_if_both_had_embedded_the_photos(
    library: Library, photos: Path, networks: str, tmp_path: Path
) -> None:
    for name in ("net4", "net6"):
        library.ingest([photos], embedder=name)
    listening = Listening()
    made = library.recluster(k=3, embedder=networks, progress=listening)
    assert made.embedder == PartSpec(networks, version="w4+w6")
    assert dict(made.reducer.params)["parts"] == [4, 6]
    assert f"joined the vectors of {networks} for 24 images" in listening.notes
    ids, joined = library.embeddings(embedder=networks)
    with Library.open_or_create(tmp_path / "other") as other:
        other.ingest([photos], embedder=networks)
        theirs = dict(zip(*other.embeddings(), strict=True))
    np.testing.assert_allclose(joined, [theirs[i] for i in ids], atol=2e-3)


def test_later_photos_are_embedded_by_both(library: Library, photos: Path, networks: str) -> None:
    for name in ("net4", "net6"):
        library.ingest([photos], embedder=name)
    library.recluster(k=3, embedder=networks)
    largest = library.clusters.summaries()[0]
    library.corrections.rename(largest.cluster_id, "fox")
    make_photo(photos / "later.jpg", 800, colour=(200, 40, 40))
    report = library.ingest([photos])
    assert (report.embedder.name, report.embedded, report.compared) == (networks, 1, 1)
    again = library.recluster(k=3)
    assert again.images == 25
    assert "fox" in {name for _, name, _ in again.clusters}


def test_photos_that_one_of_them_lacks_are_left_out(
    library: Library, photos: Path, networks: str
) -> None:
    library.ingest([photos], embedder="net4")
    library.ingest([photos / "red", photos / "blue"], embedder="net6")
    listening = Listening()
    assert library.recluster(k=2, embedder=networks, progress=listening).images == 16
    assert any("8 images have no vectors of net4+net6" in note for note in listening.notes)
    library.ingest([photos], embedder="net6")
    assert library.recluster(k=3, embedder=networks).images == 24


def test_a_recluster_that_is_refused_or_dry_joins_nothing(
    library: Library, photos: Path, networks: str
) -> None:
    for name in ("net4", "net6"):
        library.ingest([photos], embedder=name)
    with pytest.raises(SettingsError, match="no vectors of 'net4\\+net6'"):
        library.recluster(k=3, embedder=networks, dry_run=True)
    with pytest.raises((ClusteringError, SettingsError)):
        library.recluster(k=1_000, embedder=networks)
    assert [spec.name for spec in library.store.vectors.specs()] == ["net4", "net6"]


def test_without_vectors_of_a_part_the_ingest_is_named(
    library: Library, photos: Path, networks: str
) -> None:
    library.ingest([photos], embedder="net4")
    with pytest.raises(SettingsError, match="no vectors") as caught:
        library.recluster(k=3, embedder=networks)
    assert caught.value.hint == f"organizer ingest FOLDER --embedder {networks}"


def test_handcrafted_features_are_not_parts(library: Library, photos: Path) -> None:
    library.ingest([photos], embedder="channel-mean+hsv")
    assert "parts" not in library.recluster(k=3).reducer.params


# --- the space ------------------------------------------------------------------------------------


def _two_views(n: int, *, loud: float) -> tuple[Vectors, NDArray[np.int64]]:
    """Vectors of two parts: one has noise alone, and much of it; the other tells four kinds."""
    draw = np.random.default_rng(0)
    labels = np.arange(n) % 4
    noise = draw.normal(size=(n, 30)) * np.r_[np.full(3, loud), np.ones(27)]
    kinds = np.eye(4)[labels] @ draw.normal(size=(4, 30)) + 0.35 * draw.normal(size=(n, 30))
    parts = [unit_rows(part.astype(np.float32)) for part in (noise, kinds)]
    return np.concatenate(parts, axis=1), labels


def test_the_length_of_a_part_decides_nothing() -> None:
    vectors, _ = _two_views(200, loud=2)
    weaker = vectors * np.repeat(np.array([1, 0.01], dtype=np.float32), 30)

    def alike(given: Vectors, parts: list[int]) -> Vectors:
        points = smooth(parts=parts).fit_transform(given)
        return points @ points.T

    np.testing.assert_allclose(alike(weaker, [30, 30]), alike(vectors, [30, 30]), atol=2e-3)
    assert not np.allclose(alike(weaker, []), alike(vectors, []), atol=0.1)


@pytest.mark.parametrize("n", [3, 20, 200])
def test_a_stored_space_of_parts_places_as_the_fitted_one(n: int) -> None:
    vectors, _ = _two_views(n, loud=2)
    fitted = smooth(parts=[30, 30])
    points = fitted.fit_transform(vectors)
    again = smooth(parts=[30, 30])
    again.restore(fitted.state())
    np.testing.assert_array_equal(again.transform(vectors), fitted.transform(vectors))
    np.testing.assert_allclose(points, again.transform(vectors), atol=1e-6)


def test_one_part_is_the_whole() -> None:
    vectors, _ = _two_views(100, loud=2)
    np.testing.assert_array_equal(
        smooth(parts=[60]).fit_transform(vectors), smooth().fit_transform(vectors)
    )
