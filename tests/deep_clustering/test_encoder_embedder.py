"""A trained encoder as an embedder of pictures."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from organizer.embed.handcrafted import raw
from organizer.errors import SettingsError, WeightsError
from organizer.library.clustering.space import ClusterSpace
from organizer.protocols import Embedder
from organizer.training import TrainedClusters, TrainingSpace
from organizer.types import PartSpec
from organizer_deep_clustering.encoder_embedder import encoder_embedder
from tests.deep_clustering.trainings import MAKERS, images


def _pictures(n: int = 60) -> list[NDArray[np.uint8]]:
    """Patches of three colours, noisy."""
    draw = np.random.default_rng(2)
    colours = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200]])
    noise = draw.integers(-40, 41, (n, 32, 32, 3))
    return list(np.clip(colours[np.arange(n) % 3][:, None, None] + noise, 0, 255).astype(np.uint8))


def _trained(name: str, reducer: PartSpec) -> tuple[TrainedClusters, list[NDArray[np.uint8]]]:
    pictures = _pictures()
    embedder = raw()
    vectors = embedder.embed([embedder.prepare(picture) for picture in pictures])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    space, points = ClusterSpace.fit(reducer, vectors, seed=0)
    about = TrainingSpace(PartSpec("raw", {}, embedder.version), reducer, space.state())
    return MAKERS[name]().train(images(points, space=about)), pictures


@pytest.mark.parametrize("name", sorted(MAKERS))
@pytest.mark.parametrize(
    "reducer", [PartSpec("none"), PartSpec("pca", {"n_components": 6}), PartSpec("smooth")]
)
def test_its_vectors_are_the_features_of_the_training(name: str, reducer: PartSpec) -> None:
    trained, pictures = _trained(name, reducer)
    about: dict[str, Any] = json.loads(json.dumps(dict(trained.about)))
    made = encoder_embedder(about, trained.tensors, version="7", device="cpu")
    assert isinstance(made, Embedder)
    assert made.dim == trained.features.shape[1] == 3
    assert made.min_side == 32
    assert made.version == "7"
    vectors = made.embed([made.prepare(picture) for picture in pictures])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, trained.features, atol=1e-3)
    assert made.embed([]).shape == (0, 3)


def test_a_picture_in_which_nothing_is_found_stays_one() -> None:
    trained, pictures = _trained("dec", PartSpec("none"))
    made = encoder_embedder(trained.about, trained.tensors)
    black = np.zeros((40, 50, 3), dtype=np.uint8)
    vectors = made.embed([made.prepare(black), made.prepare(pictures[0])])
    assert not vectors[0].any()
    assert vectors[1].any()


def test_a_base_embedder_of_another_version_is_refused() -> None:
    trained, _ = _trained("dec", PartSpec("none"))
    about: dict[str, Any] = json.loads(json.dumps(dict(trained.about)))
    about["space"]["embedder"]["version"] = "other"
    with pytest.raises(Exception, match="version 1 here"):
        encoder_embedder(about, trained.tensors)


def test_what_is_no_encoder_is_refused() -> None:
    trained, _ = _trained("dec", PartSpec("none"))
    with pytest.raises(WeightsError, match="not those of a trained encoder"):
        encoder_embedder({"kind": "network"}, trained.tensors)
    lacking = {name: it for name, it in trained.tensors.items() if name != "encoder.1.bias"}
    with pytest.raises(WeightsError, match=r"encoder\.1\.bias"):
        encoder_embedder(trained.about, lacking)


def test_centred_vectors_are_refused_with_what_to_do() -> None:
    trained, _ = _trained("dec", PartSpec("none"))
    about: dict[str, Any] = json.loads(json.dumps(dict(trained.about)))
    about["space"]["reducer"]["params"]["center"] = "camera"
    with pytest.raises(SettingsError, match="centred by camera"):
        encoder_embedder(about, trained.tensors)


def test_without_a_space_nothing_is_kept() -> None:
    points = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    trained = MAKERS["dec"]().train(images(points))
    assert not trained.about
    assert not trained.tensors
