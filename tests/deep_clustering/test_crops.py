"""Algorithms that train, where crops are clustered: what lies in the boxes is what is learned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.settings import Settings
from organizer.types import Detected, Detection, ImageDetections
from tests.deep_clustering.shapes import SHAPES, SIDE, draw_shape
from tests.deep_clustering.trainings import Watched

EACH = 12
FWR = {"network": "efficientnet_lite0", "side": 48, "factor": 0.5, "epochs": 1}
DEC = {"pretrain_epochs": 4, "max_rounds": 3}


def _write_scenes(folder: Path, *, first: int = 0, each: int = EACH) -> Path:
    """Large photos with a shape in their middle, in a folder a shape."""
    for shape in SHAPES:
        (folder / shape).mkdir(parents=True, exist_ok=True)
        for seed in range(first, first + each):
            noise = np.random.default_rng([seed, 9]).integers(0, 256, (3 * SIDE, 3 * SIDE, 3))
            scene = Image.fromarray(noise.astype(np.uint8))
            scene.paste(draw_shape(shape, seed), (SIDE, SIDE))
            scene.save(folder / shape / f"{shape}{seed:03}.png")
    return folder


def _seen(library: Library) -> list[ImageDetections]:
    """A box in the middle of every photo."""
    box = Detection("animal", 0.9, 1 / 3, 1 / 3, 1 / 3, 1 / 3)
    return [
        ImageDetections(image_id, Detected.FOUND, (box,), detector="eye")
        for image_id in library.store.photos.files_of()
    ]


@pytest.fixture
def scenes(tmp_path: Path) -> Iterator[Library]:
    """A library that clusters crops."""
    with Library.open_or_create(tmp_path, Settings(device="cpu")) as library:
        library.ingest([_write_scenes(tmp_path / "photos")], embedder="hog")
        library.detections.add(_seen(library))
        library.recluster(k=3, embedder="crops:hog")
        yield library


@pytest.mark.parametrize(("algorithm", "params"), [("fwr", FWR), ("dec", DEC)])
def test_what_was_trained_on_crops_embeds_the_crops_that_come(
    scenes: Library, tmp_path: Path, algorithm: str, params: dict[str, Any]
) -> None:
    named = next(iter(scenes.clusters))
    named.rename("First")
    report = scenes.recluster(k=3, algorithm=algorithm, params=params, save_embedder="boxed")
    assert report.embedder.name == "crops:trained:boxed"
    assert report.images == 3 * EACH
    assert [cluster.name for cluster in scenes.clusters if cluster.id == named.id] == ["First"]

    # Photos are embedded as before, and the crops of those that come by what was trained.
    scenes.ingest([_write_scenes(tmp_path / "photos", first=EACH, each=2)])
    added = scenes.detections.add(_seen(scenes))
    assert added.embedder == report.embedder
    assert added.cropped.embedded == 3 * 2
    current = scenes.store.clusterings.current()
    assert current is not None
    assert len(scenes.store.clusterings.assignments(current.clustering_id)) == 3 * (EACH + 2)

    # A crop as it lies in its photo, and the same picture as a photo of its own.
    crop_ids, vectors = scenes.store.vectors.read(report.embedder)
    crops = scenes.store.detections.crops()
    files = scenes.store.photos.files_of()
    row = next(
        row
        for row, crop_id in enumerate(crop_ids)
        if files[crops[crop_id].image_id][0].file.name == "disc000.png"
    )
    alone = tmp_path / "alone"
    alone.mkdir()
    draw_shape("disc", 0).save(alone / "disc.png")
    with Library.open_or_create(alone, Settings(device="cpu")) as other:
        other.ingest([alone], embedder="trained:boxed")
        spec = other.store.vectors.specs()[0]
        vector = other.store.vectors.read(spec)[1][0]
    assert np.allclose(vectors[row], vector, atol=2e-3)


def test_crops_that_cannot_be_read_are_counted(scenes: Library, tmp_path: Path) -> None:
    (tmp_path / "photos" / "ring" / "ring000.png").unlink()
    progress = Watched()
    report = scenes.recluster(
        k=3, algorithm="dec", params=DEC, save_embedder="boxed", progress=progress
    )
    assert report.images == 3 * EACH - 1
    assert any("1 crop has no vector of crops:trained:boxed" in note for note in progress.notes)


def test_centred_vectors_are_saved_by_what_trains_on_pictures(scenes: Library) -> None:
    with pytest.raises(SettingsError, match="centred"):
        scenes.recluster(k=3, algorithm="dec", params=DEC, save_embedder="apart", center="night")
    report = scenes.recluster(
        k=3, algorithm="fwr", params=FWR, save_embedder="apart", center="night"
    )
    assert report.embedder.name == "crops:trained:apart"
    assert report.reducer.name == "none"
