"""Vectors of a library when the weights on the machine change: nothing said by a person is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from organizer.errors import PluginError, SettingsError
from organizer.library import Library
from organizer.library.embedders import load_embedder
from organizer.settings import Settings
from organizer.types import EmbeddingBatch, PartSpec
from tests.conftest import Site, make_photo
from tests.test_ingest import Listening

EYES = "eyes"

_CODE = """
import numpy as np
from pathlib import Path

class Eyes:
    dim = 3

    def __init__(self):
        self.version = Path({file!r}).read_text()

    def prepare(self, image):
        return image.mean(axis=(0, 1))

    def embed(self, batch):
        return np.asarray(batch, dtype=np.float32) + float(self.version)
"""


@pytest.fixture
def upgraded(tmp_path: Path, site: Site) -> Callable[[], None]:
    """An installed embedder; call it, and its weights are others, as with a newer version."""
    file = tmp_path / "weights.txt"
    file.write_text("1")
    site.install("organizer-eyes", _CODE.format(file=str(file)), eyes="Eyes")

    def upgrade() -> None:
        file.write_text("2")

    return upgrade


def test_names_stay_when_an_embedder_brings_newer_weights(
    library: Library, photos: Path, upgraded: Callable[[], None]
) -> None:
    library.ingest([photos], embedder=EYES)
    library.recluster(k=4)
    largest = library.clusters.summaries()[0]
    library.corrections.rename(largest.cluster_id, "fox")
    upgraded()
    make_photo(photos / "later.jpg", 800)
    for name in (None, EYES):
        with pytest.raises(PluginError, match="made the vectors in this library") as caught:
            library.ingest([photos], embedder=name)
        assert f"organizer ingest --other-weights --embedder {EYES}" in caught.value.hint
    report = library.ingest([photos], other_weights=True)
    assert report.embedded == report.images == 25
    old, new = library.store.vectors.specs()
    assert (old.name, new.name) == (EYES, EYES)
    assert report.embedder == new != old
    assert library.store.vectors.count(old) == 24
    assert library.ingest([photos], other_weights=True).embedded == 0
    made = library.recluster(k=4, embedder=EYES)
    assert made.embedder == new
    assert made.images == 25
    (named,) = [cluster for cluster in library.clusters.summaries() if cluster.name]
    assert (named.cluster_id, named.name) == (largest.cluster_id, "fox")
    make_photo(photos / "last.jpg", 801)
    report = library.ingest([photos])
    assert (report.embedder, report.compared) == (new, 1)


def test_other_weights_are_nothing_to_a_new_library(
    library: Library, photos: Path, upgraded: Callable[[], None]
) -> None:
    del upgraded
    report = library.ingest([photos], other_weights=True, embedder=EYES)
    assert (report.embedder.name, report.embedded) == (EYES, 24)


def test_photos_without_vectors_of_the_embedder_are_reported(
    library: Library, photos: Path
) -> None:
    library.ingest([photos], embedder="hsv")
    library.ingest([photos / "red"], embedder="channel-mean")
    listening = Listening()
    library.recluster(k=2, embedder="channel-mean", progress=listening)
    (told,) = [note for note in listening.notes if "so no cluster" in note]
    assert told.startswith("16 images have no vectors of channel-mean")
    assert told.endswith("organizer ingest --embedder channel-mean")
    listening = Listening()
    library.recluster(k=2, embedder="hsv", progress=listening)
    assert not [note for note in listening.notes if "so no cluster" in note]


def test_an_embedder_that_came_with_organizer_once_names_what_takes_over(
    library: Library, photos: Path
) -> None:
    library.ingest([photos], embedder="hsv")
    old = PartSpec("organizer-mini", version="1-0000")
    ids, vectors = library.embeddings()
    library.store.vectors.append(old, EmbeddingBatch(tuple(ids), vectors))
    library.recluster(k=3, embedder="organizer-mini")
    make_photo(photos / "later.jpg", 900)
    with pytest.raises(SettingsError, match="does not come with organizer any more") as caught:
        library.ingest([photos])
    assert "organizer recluster --embedder efficientnet_lite2" in caught.value.hint
    assert "recluster --embedder crops:efficientnet_lite2" in caught.value.hint


def test_so_does_one_that_was_joined_with_another() -> None:
    with pytest.raises(SettingsError, match="does not come with organizer any more"):
        load_embedder(PartSpec("organizer-mini+hsv"), Settings())
