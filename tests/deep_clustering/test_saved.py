"""Networks that were trained, kept as embedders: what is read is what was trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from organizer import registry
from organizer.embed.weights import imported_folder
from organizer.errors import SettingsError, WeightsError
from organizer.training import TrainedClusters
from organizer.types import PartSpec
from organizer_deep_clustering.saved import trained_family
from tests.deep_clustering.shape_trainings import shape_images, small_fwr
from tests.deep_clustering.shapes import draw_shapes


@pytest.fixture(scope="module")
def trained() -> TrainedClusters:
    return small_fwr(max_rounds=1).train(shape_images())


def test_the_embedder_gives_the_features_of_the_training(trained: TrainedClusters) -> None:
    pictures, _ = draw_shapes(10)
    trained_family.save("shapes", trained)
    options = {"device": "cpu", "precision": "float32"}
    spec, part = registry.create_part(
        "organizer.embedders", PartSpec("trained:shapes"), options=options
    )
    assert spec.version
    vectors = part.embed([part.prepare(picture) for picture in pictures])
    # Activations before the trained half were held in half precision.
    similar = (vectors * trained.features).sum(axis=1) / (
        np.linalg.norm(vectors, axis=1) * np.linalg.norm(trained.features, axis=1)
    )
    assert similar.min() > 0.999
    assert "shapes" in trained_family.models()


def test_another_network_never_takes_a_name(trained: TrainedClusters) -> None:
    file = trained_family.save("shapes", trained)
    before = file.read_bytes()
    assert trained_family.save("shapes", trained) == file
    other = small_fwr(max_rounds=1, random_state=9).train(shape_images())
    with pytest.raises(SettingsError, match="another embedder"):
        trained_family.save("shapes", other)
    assert file.read_bytes() == before
    with pytest.raises(SettingsError, match="cannot have the name"):
        trained_family.save("../shapes", trained)


def test_it_is_brought_to_another_machine_as_a_file(
    trained: TrainedClusters, tmp_path: Path
) -> None:
    file = trained_family.save("shapes", trained)
    carried = file.rename(tmp_path / "carried.safetensors")
    factory = trained_family("shapes")
    assert factory.describe().weights == "missing"
    assert factory.import_weights(carried) == imported_folder() / file.name
    assert factory.describe().weights == "here"
    assert factory.describe().dim == 1280


def test_damaged_and_foreign_files_are_refused(trained: TrainedClusters, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    foreign = tmp_path / "foreign.safetensors"
    save_file({"a": np.zeros(2, dtype=np.float32)}, foreign)
    with pytest.raises(WeightsError, match="no trained embedder"):
        trained_family("shapes").import_weights(foreign)
    file = trained_family.save("shapes", trained)
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(WeightsError, match="cannot be read"):
        registry.create_part("organizer.embedders", PartSpec("trained:shapes"))
