"""Feature-weak-relevant clustering on drawn shapes, with a real pretrained network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

from organizer.errors import ClusteringError, SettingsError
from organizer.training import TrainingImages
from organizer_deep_clustering.fine_tuning import FineTunedNetwork, NotFiniteError
from organizer_deep_clustering.fwr import Fwr, FwrGmm
from tests.deep_clustering.shapes import HeldPictures, draw_shapes
from tests.deep_clustering.trainings import Watched

EACH = 14


def _fwr(**options: Any) -> Fwr:
    small = {"n_clusters": 3, "network": "efficientnet_lite0", "side": 64, "factor": 0.3}
    return Fwr(**{**small, **options})


def _images(**changes: Any) -> TrainingImages:
    """Shapes, and points that tell them apart in two of three cases."""
    pictures, truth = draw_shapes(EACH)
    draw = np.random.default_rng(0)
    points = np.eye(3)[truth] + draw.normal(0, 0.55, (len(truth), 3))
    given = TrainingImages(
        points=points.astype(np.float32),
        decided=np.full(len(truth), -1, dtype=np.int64),
        banned=np.empty((0, 2), dtype=np.int64),
        required=0,
        progress=Watched(),
        pictures=HeldPictures(list(pictures)),
        device="cpu",
    )
    return replace(given, **changes)


def test_the_network_improves_the_clusters_that_it_learned_from() -> None:
    images = _images()
    _, truth = draw_shapes(EACH)
    trained = _fwr().train(images)
    assert trained.first_labels is not None
    before = normalized_mutual_info_score(truth, trained.first_labels)
    after = normalized_mutual_info_score(truth, trained.labels)
    assert after > before + 0.1
    assert trained.features.shape == (3 * EACH, 1280)
    assert "efficientnet_lite0" in trained.algorithm


def test_reliable_sets_grow_until_nothing_is_left() -> None:
    trained = _fwr().train(_images())
    counts = [count for count, _ in trained.about["history"]]
    assert len(counts) == trained.rounds
    assert counts == sorted(set(counts))
    assert counts[-1] == 3 * EACH
    assert counts[0] == pytest.approx(0.2 * 3 * EACH, abs=2)


def test_a_round_limit_ends_it_with_what_the_network_says() -> None:
    trained = _fwr(max_rounds=1, factor=0.0).train(_images())
    assert trained.rounds == 1
    assert trained.about["history"][0][0] < 3 * EACH


def test_one_seed_gives_one_result() -> None:
    first, second = (_fwr(random_state=5).train(_images()) for _ in range(2))
    assert first.labels.tolist() == second.labels.tolist()
    assert np.array_equal(first.features, second.features)
    assert _fwr(random_state=6).train(_images()).features.tolist() != first.features.tolist()


def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = _fwr().train(_images())
    pictures = 3 * EACH
    with pytest.raises(KeyboardInterrupt):
        _fwr().train(_images(checkpoints=tmp_path / "t", progress=Watched(pictures + 2)))
    progress = Watched()
    again = _fwr().train(_images(checkpoints=tmp_path / "t", progress=progress))
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
    trained = _fwr().train(_images(decided=decided, banned=banned, required=3))
    held = decided != -1
    assert trained.labels[held].tolist() == decided[held].tolist()
    assert trained.labels[7] == swapped[2]
    others = np.delete(np.arange(len(truth)), [wrong, 7])
    agree = np.array(swapped)[truth[others]] == trained.labels[others]
    assert agree.mean() > 0.7  # the clusters keep the numbers of the decisions


def test_a_mixture_may_begin() -> None:
    images = _images()
    trained = FwrGmm(n_clusters=3, network="efficientnet_lite0", side=64, factor=0.4).train(images)
    assert trained.algorithm.startswith("fwr: gmm")
    assert len(np.unique(trained.labels)) == 3


def test_pictures_that_cannot_be_read_keep_their_cluster() -> None:
    pictures, _ = draw_shapes(EACH)
    held: list[Any] = list(pictures)
    held[3] = held[20] = None
    progress = Watched()
    trained = _fwr().train(_images(pictures=HeldPictures(held), progress=progress))
    assert trained.first_labels is not None
    for row in (3, 20):
        assert trained.labels[row] == trained.first_labels[row]
        assert not trained.features[row].any()
    assert progress.notes == ["2 pictures cannot be read: they keep the cluster of their vectors"]
    with pytest.raises(ClusteringError, match="no picture"):
        _fwr().train(_images(pictures=HeldPictures([None] * len(pictures))))


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
    trained = _fwr().train(_images(progress=progress))
    assert rounds == [1, 2]
    assert trained.rounds == 1
    assert "round 2" in progress.notes[-1]
    monkeypatch.setattr(FineTunedNetwork, "tune", _always_diverging)
    with pytest.raises(ClusteringError, match="first round"):
        _fwr().train(_images())


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
        _fwr(network="efficientnet_lite0_int8").train(_images())
    with pytest.raises(SettingsError, match="not a network"):
        _fwr(network="hog").train(_images())


def test_it_needs_pictures_and_as_many_images_as_clusters() -> None:
    with pytest.raises(ClusteringError, match="pictures"):
        _fwr().train(_images(pictures=None))
    with pytest.raises(ClusteringError, match="pictures"):
        _fwr().fit_predict(np.zeros((3, 2), dtype=np.float32))
    with pytest.raises(ClusteringError, match="cannot make 100 clusters"):
        _fwr(n_clusters=100).train(_images())
