"""What DEC and DCN have in common: seeds, kills, decisions, bad input."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from benchmarks.labelled import accuracy
from organizer.cluster.kmeans import KMeans
from organizer.errors import ClusteringError, PluginError, SettingsError
from organizer.protocols import Clusterer
from organizer.training import TrainableClusterer, TrainingImages
from organizer_deep_clustering.autoencoder import Autoencoder
from organizer_deep_clustering.dcn import Dcn
from organizer_deep_clustering.dec import Dec
from organizer_deep_clustering.devices import torch_device
from organizer_deep_clustering.fwr import Fwr
from tests.deep_clustering.trainings import MAKERS, Watched, blobs, images

both = pytest.mark.parametrize("name", sorted(MAKERS))


@both
def test_it_is_a_clusterer_that_trains(name: str) -> None:
    made = MAKERS[name]()
    assert isinstance(made, Clusterer)
    assert isinstance(made, TrainableClusterer)
    assert not made.needs_pictures
    assert made.embedder_family == "trained"


@both
def test_it_finds_groups_as_well_as_kmeans(name: str) -> None:
    points, truth = blobs()
    found = accuracy(truth, MAKERS[name]().fit_predict(points))
    plain = accuracy(truth, KMeans(n_clusters=3).fit_predict(points))
    assert found >= plain - 0.02
    assert found > 0.9


@both
def test_the_same_seed_gives_the_same_labels_and_features(name: str) -> None:
    points, _ = blobs(spread=0.5)
    first = MAKERS[name](random_state=4).train(images(points))
    second = MAKERS[name](random_state=4).train(images(points.copy()))
    np.testing.assert_array_equal(first.labels, second.labels)
    np.testing.assert_array_equal(first.features, second.features)
    other = MAKERS[name](random_state=5).train(images(points))
    assert not np.array_equal(first.features, other.features)


@both
@pytest.mark.parametrize("stop_at", [5, 12, 14, 16, 18])
def test_a_killed_training_ends_as_one_that_was_not(
    name: str, stop_at: int, tmp_path: Path
) -> None:
    points, _ = blobs(spread=0.6)
    whole = MAKERS[name](tol=-1).train(images(points))
    kept = images(points, progress=Watched(stop_at), checkpoints=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        MAKERS[name](tol=-1).train(kept)
    again = Watched()
    resumed = MAKERS[name](tol=-1).train(images(points, progress=again, checkpoints=tmp_path))
    np.testing.assert_array_equal(resumed.labels, whole.labels)
    np.testing.assert_array_equal(resumed.features, whole.features)
    assert resumed.rounds == whole.rounds == 6
    assert not again.notes


@both
def test_layers_by_themselves_go_on_after_a_kill_too(name: str, tmp_path: Path) -> None:
    points, _ = blobs()
    options: dict[str, Any] = {"layer_epochs": 11, "pretrain_epochs": 4, "max_rounds": 2}
    whole = MAKERS[name](**options).train(images(points))
    kept = images(points, progress=Watched(13), checkpoints=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        MAKERS[name](**options).train(kept)
    resumed = MAKERS[name](**options).train(images(points, checkpoints=tmp_path))
    np.testing.assert_array_equal(resumed.features, whole.features)


@both
def test_a_training_that_is_done_is_not_done_again(name: str, tmp_path: Path) -> None:
    points, _ = blobs()
    first = MAKERS[name]().train(images(points, checkpoints=tmp_path))
    watched = Watched()
    second = MAKERS[name]().train(images(points, checkpoints=tmp_path, progress=watched))
    np.testing.assert_array_equal(first.labels, second.labels)
    assert watched.tasks == ["training features and clusters together"]


@both
def test_a_checkpoint_of_other_images_is_not_used(name: str, tmp_path: Path) -> None:
    points, _ = blobs()
    MAKERS[name]().train(images(points, checkpoints=tmp_path))
    watched = Watched()
    other, _ = blobs(seed=8)
    found = MAKERS[name]().train(images(other, checkpoints=tmp_path, progress=watched))
    np.testing.assert_array_equal(found.labels, MAKERS[name]().fit_predict(other))
    assert "another training" in watched.notes[0]


@both
def test_decided_images_keep_their_cluster_against_all_odds(name: str) -> None:
    points, truth = blobs()
    # Rows 0, 3 and 6 are of one direction, and were put into three clusters.
    decided = {0: 2, 3: 0, 6: 1}
    found = MAKERS[name]().train(images(points, decided=decided))
    assert {row: int(found.labels[row]) for row in decided} == decided
    assert set(found.labels.tolist()) <= {0, 1, 2}
    assert len(truth) == len(found.labels)


@both
def test_clusters_keep_the_numbers_that_decisions_gave_them(name: str) -> None:
    points, truth = blobs()
    numbers = {0: 2, 1: 0, 2: 1}
    decided = {row: numbers[int(truth[row])] for row in range(30)}
    found = MAKERS[name]().train(images(points, decided=decided))
    wanted = np.array([numbers[int(kind)] for kind in truth])
    assert float(np.mean(found.labels == wanted)) > 0.9


@both
def test_no_image_comes_to_where_it_is_banned_from(name: str) -> None:
    points, truth = blobs()
    decided = {0: 0, 1: 1, 2: 2}
    rows = np.flatnonzero(truth == 0)[1:21]
    banned = [(int(row), 0) for row in rows] + [(int(rows[0]), 1)]
    found = MAKERS[name]().train(images(points, decided=decided, banned=banned))
    assert not (found.labels[rows] == 0).any()
    assert found.labels[rows[0]] == 2


@both
def test_decisions_that_contradict_each_other_are_refused(name: str) -> None:
    points, _ = blobs()
    with pytest.raises(ClusteringError):
        MAKERS[name]().train(images(points, decided={0: 0}, banned=[(0, 0)]))


@both
def test_fewer_images_than_clusters_are_refused_with_what_to_do(name: str) -> None:
    points, _ = blobs(2)
    with pytest.raises(ClusteringError) as caught:
        MAKERS[name]().fit_predict(points)
    assert caught.value.message == "2 images cannot make 3 clusters"
    assert caught.value.hint == "ask for 2 clusters at most"


@both
def test_a_number_that_is_none_is_refused_before_any_training(name: str) -> None:
    points, _ = blobs()
    points[7, 2] = np.nan
    watched = Watched()
    with pytest.raises(ClusteringError, match="no number"):
        MAKERS[name]().train(images(points, progress=watched))
    assert not watched.tasks


@both
def test_images_that_cannot_be_distinguished_are_one_cluster(name: str) -> None:
    points = np.ones((30, 5), dtype=np.float32)
    labels = MAKERS[name]().fit_predict(points)
    assert len(np.unique(labels)) == 1
    assert 0 <= labels[0] < 3


@both
def test_images_that_are_the_same_keep_apart_by_decision(name: str) -> None:
    points = np.ones((30, 5), dtype=np.float32)
    found = MAKERS[name]().train(images(points, decided={0: 0, 1: 1, 2: 2}))
    assert found.labels[:3].tolist() == [0, 1, 2]


@both
@pytest.mark.parametrize("n", [3, 5])
def test_as_many_images_as_clusters_and_a_few_more(name: str, n: int) -> None:
    points, _ = blobs(n)
    labels = MAKERS[name]().fit_predict(points)
    assert labels.shape == (n,)
    assert labels.dtype == np.int64


@both
def test_a_cluster_of_one_image_is_kept(name: str) -> None:
    points, _ = blobs(60, spread=0.1)
    points[0] = -points[0]
    found = MAKERS[name](n_clusters=4).train(images(points, decided={0: 0}))
    assert found.labels[0] == 0


@both
def test_a_pretraining_that_diverges_is_told_and_gives_labels(name: str) -> None:
    points, _ = blobs()
    watched = Watched()
    made = MAKERS[name](pretrain_learning_rate=1e30)
    found = made.train(images(points, progress=watched))
    assert any("pretraining has diverged in epoch 1 " in note for note in watched.notes)
    assert found.labels.shape == (120,)
    assert np.isfinite(found.features).all()


@both
def test_a_training_that_diverges_keeps_the_last_good_state(name: str, tmp_path: Path) -> None:
    points, truth = blobs()
    watched = Watched()
    made = MAKERS[name](learning_rate=1e30)
    found = made.train(images(points, progress=watched, checkpoints=tmp_path))
    assert any("training has diverged in round" in note for note in watched.notes)
    assert np.isfinite(found.features).all()
    if found.rounds == 0:
        assert accuracy(truth, found.labels) > 0.9
    again = made.train(images(points, checkpoints=tmp_path))
    np.testing.assert_array_equal(again.labels, found.labels)


@both
def test_less_memory_than_a_batch_needs_makes_batches_smaller(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    points, truth = blobs()
    watched = Watched()
    plain = Autoencoder.encode

    def scarce(self: Autoencoder, given: torch.Tensor, **options: Any) -> torch.Tensor:
        if len(given) > 16:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(self, given, **options)

    monkeypatch.setattr(Autoencoder, "encode", scarce)
    labels = MAKERS[name]().train(images(points, progress=watched)).labels
    assert accuracy(truth, labels) > 0.9
    assert watched.notes[0] == "the memory of the GPU is used up: batches have 20 images now"


@both
def test_no_memory_at_all_is_an_error_with_what_to_do(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    points, _ = blobs(30)

    def none(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Autoencoder, "encode", none)
    with pytest.raises(ClusteringError, match="used up by one image") as caught:
        MAKERS[name]().fit_predict(points)
    assert "--device cpu" in caught.value.hint


def test_a_device_that_is_not_there_is_refused() -> None:
    assert torch_device("auto") in {"cpu", "cuda", "mps"}
    with pytest.raises(PluginError, match="no device 'tpu'"):
        torch_device("tpu")


@both
@pytest.mark.parametrize(
    "option",
    [
        {"layers": "500-none"},
        {"layers": ()},
        {"layers": (5, 0)},
        {"learning_rate": 0},
        {"batch_size": 0},
        {"pretrain_epochs": -1},
        {"noise": 1.0},
    ],
)
def test_an_option_that_cannot_be_is_refused(name: str, option: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        MAKERS[name](**option)
    assert next(iter(option)).replace("_", "-") in caught.value.message


@both
def test_layers_are_taken_as_they_are_typed(name: str) -> None:
    points, _ = blobs(30)
    given = images(points)
    typed = MAKERS[name](layers="16-12-3").train(given)
    np.testing.assert_array_equal(typed.features, MAKERS[name]().train(given).features)


@pytest.mark.parametrize("factory", [Dec, Dcn, Fwr])
def test_options_are_told_with_their_defaults(factory: type[Dec | Dcn | Fwr]) -> None:
    parameters = inspect.signature(factory).parameters
    for option, told in factory.options.items():
        default = parameters[option.replace("-", "_")].default
        if option == "layers":
            default = "-".join(map(str, default))
        if option == "boot":
            default = Fwr.first_clusters
        assert told.example == (default if isinstance(default, str) else f"{default:g}")


@both
def test_half_precision_and_read_only_points_are_taken(name: str) -> None:
    points, _ = blobs()
    half: NDArray[Any] = points.astype(np.float16)
    half.flags.writeable = False
    assert MAKERS[name]().fit_predict(half).shape == (120,)


@both
def test_progress_counts_all_epochs_and_rounds(name: str) -> None:
    points, _ = blobs()
    watched = Watched()
    given: TrainingImages = images(points, progress=watched)
    found = MAKERS[name](layer_epochs=2, pretrain_epochs=5).train(given)
    assert watched.tasks == [
        "pretraining layer 1 of 3",
        "pretraining layer 2 of 3",
        "pretraining layer 3 of 3",
        "pretraining the autoencoder",
        "training features and clusters together",
    ]
    assert watched.steps == 3 * 2 + 5 + found.rounds
