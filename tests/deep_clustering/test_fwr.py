"""Feature-weak-relevant clustering on drawn shapes, with a real pretrained network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import normalized_mutual_info_score

from organizer.errors import ClusteringError, SettingsError
from organizer.training import TrainedClusters, TrainingImages
from organizer.types import Labels
from organizer_deep_clustering.boot import Boot, boot_labels
from organizer_deep_clustering.fine_tuning import FineTunedNetwork, NotFiniteError, Tuning, _room
from organizer_deep_clustering.fwr import Fwr, FwrGmm
from organizer_deep_clustering.pretrained import pretrained_network
from tests.deep_clustering.shape_trainings import EACH, shape_images, small_fwr
from tests.deep_clustering.shapes import HeldPictures, draw_shapes
from tests.deep_clustering.trainings import Watched


@pytest.fixture(scope="module")
def trained() -> TrainedClusters:
    return small_fwr().train(shape_images())


def test_the_network_improves_the_clusters_that_it_learned_from(trained: TrainedClusters) -> None:
    _, truth = draw_shapes(EACH)
    assert trained.first_labels is not None
    before = normalized_mutual_info_score(truth, trained.first_labels)
    after = normalized_mutual_info_score(truth, trained.labels)
    assert after > before + 0.1
    assert trained.features.shape == (3 * EACH, 1280)
    assert "efficientnet_lite0" in trained.algorithm


def test_reliable_sets_grow_until_nothing_is_left(trained: TrainedClusters) -> None:
    counts = [count for count, _ in trained.about["history"]]
    assert len(counts) == trained.rounds
    assert counts == sorted(set(counts))
    assert counts[-1] == 3 * EACH
    assert counts[0] == pytest.approx(0.2 * 3 * EACH, abs=2)


def test_a_round_limit_ends_it_with_what_the_network_says() -> None:
    ended = small_fwr(max_rounds=1, factor=0.0).train(shape_images())
    assert ended.rounds == 1
    assert ended.about["history"][0][0] < 3 * EACH


def test_one_seed_gives_one_result(trained: TrainedClusters) -> None:
    again = small_fwr().train(shape_images())
    assert again.labels.tolist() == trained.labels.tolist()
    assert np.array_equal(again.features, trained.features)
    assert (
        small_fwr(random_state=6).train(shape_images()).features.tolist()
        != trained.features.tolist()
    )


def test_an_interrupted_training_ends_as_an_uninterrupted_one(
    tmp_path: Path, trained: TrainedClusters
) -> None:
    whole, pictures = trained, 3 * EACH
    with pytest.raises(KeyboardInterrupt):
        small_fwr().train(shape_images(checkpoints=tmp_path / "t", progress=Watched(pictures + 2)))
    progress = Watched()
    again = small_fwr().train(shape_images(checkpoints=tmp_path / "t", progress=progress))
    assert "going on after round" in progress.notes[0]
    assert again.labels.tolist() == whole.labels.tolist()
    assert np.allclose(again.features, whole.features, atol=1e-5)
    assert again.about["history"] == whole.about["history"]


def test_decisions_hold_and_training_uses_them() -> None:
    _, truth = draw_shapes(EACH)
    decided = np.full(len(truth), -1, dtype=np.int64)
    swapped = [2, 0, 1]
    for row in (0, 1, EACH, EACH + 1, 2 * EACH, 2 * EACH + 1):
        decided[row] = swapped[truth[row]]
    wrong = 5  # a disc that a person called otherwise
    decided[wrong] = swapped[1]
    banned = np.array([[7, swapped[0]], [7, swapped[1]]])
    trained = small_fwr().train(shape_images(decided=decided, banned=banned, required=3))
    held = decided != -1
    assert trained.labels[held].tolist() == decided[held].tolist()
    assert trained.labels[7] == swapped[2]
    others = np.delete(np.arange(len(truth)), [wrong, 7])
    agree = np.array(swapped)[truth[others]] == trained.labels[others]
    assert agree.mean() > 0.7  # the clusters keep the numbers of the decisions


def test_it_learns_from_decisions_alone() -> None:
    _, truth = draw_shapes(EACH)
    images = shape_images(decided=truth.astype(np.int64), required=3)
    ended = small_fwr().train(images)
    assert ended.rounds == 1
    assert ended.labels.tolist() == truth.tolist()
    fresh = pretrained_network("efficientnet_lite0", side=48, weights=None).module.state_dict()
    assert any(
        not np.array_equal(tensor, fresh[name].numpy()) for name, tensor in ended.tensors.items()
    )


def test_pictures_that_are_gone_when_it_goes_on_are_not_learned_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, _ = draw_shapes(EACH)
    with pytest.raises(KeyboardInterrupt):
        small_fwr().train(shape_images(checkpoints=tmp_path / "t", progress=Watched(3 * EACH + 2)))
    learned: list[Labels] = []
    tune = FineTunedNetwork.tune

    def watched(self: FineTunedNetwork, rows: Labels, *others: Any, **options: Any) -> float:
        learned.append(rows[~self.readable[rows]])
        return tune(self, rows, *others, **options)

    monkeypatch.setattr(FineTunedNetwork, "tune", watched)
    gone = [None if row < EACH else picture for row, picture in enumerate(pictures)]
    again = shape_images(checkpoints=tmp_path / "t", pictures=HeldPictures(gone))
    small_fwr().train(again)
    assert learned
    assert not np.concatenate(learned).size


@pytest.mark.parametrize("boot", ["kmeans", "gmm"])
def test_first_clusters_keep_to_exclusions_where_clusters_are_empty(boot: Boot) -> None:
    points = np.repeat(np.eye(2, dtype=np.float32), 3, axis=0)
    banned = np.array([[1, number] for number in (0, 1)], dtype=np.int64)
    images = replace(shape_images(), points=points, decided=np.full(6, -1), banned=banned)
    labels = boot_labels(images, k=4, boot=boot, metric="cosine", seed=0)
    assert labels[1] not in {0, 1}


def test_a_mixture_is_not_begun_with_more_images_than_it_takes() -> None:
    many = np.zeros((50_001, 2), dtype=np.float32)
    images = TrainingImages.undecided(many, progress=Watched())
    with pytest.raises(ClusteringError, match="takes at most 50,000 images"):
        boot_labels(images, k=2, boot="gmm", metric="cosine", seed=0)


def test_a_mixture_may_begin() -> None:
    images = shape_images()
    trained = FwrGmm(n_clusters=3, network="efficientnet_lite0", side=48, factor=0.4).train(images)
    assert trained.algorithm.startswith("fwr: gmm")
    assert len(np.unique(trained.labels)) == 3


def test_pictures_that_cannot_be_read_keep_their_cluster() -> None:
    pictures, _ = draw_shapes(EACH)
    held: list[Any] = list(pictures)
    held[3] = held[20] = None
    progress = Watched()
    trained = small_fwr().train(shape_images(pictures=HeldPictures(held), progress=progress))
    assert trained.first_labels is not None
    for row in (3, 20):
        assert trained.labels[row] == trained.first_labels[row]
        assert not trained.features[row].any()
    assert progress.notes == ["2 pictures cannot be read: they keep the cluster of their vectors"]
    with pytest.raises(ClusteringError, match="no picture"):
        small_fwr().train(shape_images(pictures=HeldPictures([None] * len(pictures))))


def test_a_loss_that_is_no_number_ends_it_with_the_last_good_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    true_tune = FineTunedNetwork.tune
    rounds: list[int] = []

    def diverging(self: FineTunedNetwork, *words: Any, round_number: int, **more: Any) -> float:
        rounds.append(round_number)
        if round_number == 2:
            raise NotFiniteError
        return true_tune(self, *words, round_number=round_number, **more)

    monkeypatch.setattr(FineTunedNetwork, "tune", diverging)
    progress = Watched()
    trained = small_fwr().train(shape_images(progress=progress))
    assert rounds == [1, 2]
    assert trained.rounds == 1
    assert "round 2" in progress.notes[-1]
    monkeypatch.setattr(FineTunedNetwork, "tune", _always_diverging)
    with pytest.raises(ClusteringError, match="first round"):
        small_fwr().train(shape_images())


def test_a_kept_state_is_what_it_was_after_more_training() -> None:
    images = shape_images()
    network = FineTunedNetwork(
        pretrained_network("efficientnet_lite0", side=48, weights=None),
        k=3,
        trained=0.05,
        tuning=Tuning(epochs=1, least_steps=2),
        seed=0,
        device="cpu",
    )
    assert images.pictures is not None
    rows, labels = np.arange(3 * EACH), np.repeat(np.arange(3), EACH)
    network.read(images.pictures, len(rows), folder=None, progress=images.progress)
    network.tune(rows, labels, round_number=1, progress=images.progress)
    kept, features = network.state(), network.features()[0]
    before = {name: tensor.copy() for name, tensor in kept.items()}
    network.tune(rows, labels[::-1].copy(), round_number=2, progress=images.progress)
    assert not np.array_equal(network.features()[0], features)
    assert all(np.array_equal(kept[name], before[name]) for name in kept)
    network.restore(kept)
    assert np.array_equal(network.features()[0], features)


def test_a_gpu_with_too_little_memory_is_given_less_at_a_time(
    monkeypatch: pytest.MonkeyPatch, trained: TrainedClusters
) -> None:
    true_values = FineTunedNetwork._values
    sizes: list[int] = []

    def narrow(self: FineTunedNetwork, rows: Labels) -> Any:
        sizes.append(len(rows))
        if len(rows) > 16:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return true_values(self, rows)

    monkeypatch.setattr(FineTunedNetwork, "_values", narrow)
    progress = Watched()
    again = small_fwr().train(shape_images(progress=progress))
    assert max(sizes) > 16
    assert any("16 images a step" in note for note in progress.notes)
    assert any("batches have 16 images" in note for note in progress.notes)
    assert np.mean(again.labels == trained.labels) > 0.8


def _always_diverging(*_: Any, **__: Any) -> float:
    raise NotFiniteError


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"share": 0}, "share"),
        ({"share": 1.5}, "share"),
        ({"factor": -0.1}, "factor"),
        ({"trained": 0}, "trained"),
        ({"max_rounds": 0}, "max-rounds"),
        ({"side": 8}, "side"),
        ({"boot": "ward"}, "boot"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        Fwr(**options)


def test_networks_that_cannot_be_trained_are_refused() -> None:
    with pytest.raises(SettingsError, match="computes in integers"):
        small_fwr(network="efficientnet_lite0_int8").train(shape_images())
    with pytest.raises(SettingsError, match="not a network"):
        small_fwr(network="hog").train(shape_images())


def test_it_needs_pictures_and_as_many_images_as_clusters() -> None:
    with pytest.raises(ClusteringError, match="pictures"):
        small_fwr().train(shape_images(pictures=None))
    with pytest.raises(ClusteringError, match="pictures"):
        small_fwr().fit_predict(np.zeros((3, 2), dtype=np.float32))
    with pytest.raises(ClusteringError, match="cannot make 100 clusters"):
        small_fwr(n_clusters=100).train(shape_images())


@pytest.mark.parametrize("system", ["with", "without"])
def test_activations_in_a_file_have_their_room_on_the_disk(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with holes on a disk that is full by then ends a program without a word."""
    monkeypatch.setattr("organizer_deep_clustering.fine_tuning._LARGEST_IN_MEMORY", 0)
    monkeypatch.setattr("organizer_deep_clustering.fine_tuning._BLOCK", 1 << 12)
    if system == "without":
        monkeypatch.delattr("os.posix_fallocate", raising=False)
    made = _room((300, 100), np.dtype(np.float16), tmp_path / "training")
    assert not made.any()
    file = tmp_path / "training" / "activations.npy"
    assert file.stat().st_blocks * 512 >= file.stat().st_size > made.nbytes
