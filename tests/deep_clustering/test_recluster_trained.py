"""Algorithms that train, in a library: decisions, the embedder that is saved, compare."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import normalized_mutual_info_score

import organizer
from organizer import registry
from organizer.embed.weights import imported_folder
from organizer.errors import LibraryBusyError, SettingsError, WeightsMissingError
from organizer.library import Library
from organizer.library.clustering.finished_training import FinishedTraining
from organizer.library.compare.recipes import find_recipe
from organizer.library.embedders import embedder_info
from organizer.settings import Settings
from organizer.types import Outcome
from tests.conftest import Run, make_photo
from tests.deep_clustering.shapes import SHAPES, write_shapes
from tests.deep_clustering.trainings import Watched
from tests.typed import in_this_process

EACH = 12
FWR = {"network": "efficientnet_lite0", "side": 48, "factor": 0.5, "epochs": 1}
DEC = {"pretrain_epochs": 4, "max_rounds": 3}


@pytest.fixture
def shapes(tmp_path: Path) -> Iterator[Library]:
    """A library of drawn shapes with vectors that hardly tell them apart."""
    folder = write_shapes(tmp_path / "photos", each=EACH)
    with Library.open_or_create(tmp_path, Settings(device="cpu")) as library:
        library.ingest([folder], embedder="hog")
        yield library


def _truth(library: Library) -> tuple[list[str], list[int]]:
    """The images, and the shape that each shows."""
    files = library.store.photos.files_of()
    ids = sorted(files)
    return ids, [SHAPES.index(files[i][0].file.parent.name) for i in ids]


def _labels(library: Library) -> list[int]:
    current = library.store.clusterings.current()
    assert current is not None
    members = library.store.clusterings.assignments(current.clustering_id)
    of = dict(zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True))
    return [of[i] for i in _truth(library)[0]]


def test_fwr_is_an_algorithm_of_recluster_like_any_other(shapes: Library) -> None:
    shapes.recluster(k=3)
    before = normalized_mutual_info_score(_truth(shapes)[1], _labels(shapes))
    report = shapes.recluster(k=3, algorithm="fwr", params=FWR)
    assert report.algorithm == "fwr: kmeans, then efficientnet_lite0 fine-tuned"
    after = normalized_mutual_info_score(_truth(shapes)[1], _labels(shapes))
    assert after > before
    assert report.embedder.name == "hog"
    assert not list((shapes.store.path / "trainings").iterdir())
    shapes.undo()
    assert normalized_mutual_info_score(_truth(shapes)[1], _labels(shapes)) == before


@pytest.mark.parametrize(("algorithm", "params"), [("fwr", FWR), ("dec", DEC), ("dcn", DEC)])
def test_names_and_decisions_hold(shapes: Library, algorithm: str, params: dict[str, Any]) -> None:
    shapes.recluster(k=3)
    ids, truth = _truth(shapes)
    discs = [i for i, shape in zip(ids, truth, strict=True) if shape == 0]
    shapes.corrections.new_cluster(discs[:3], name="Disc")
    named = next(cluster for cluster in shapes.clusters if cluster.name == "Disc")
    outcast = next(i for i, shape in zip(ids, truth, strict=True) if shape == 1)
    shapes.corrections.exclude([outcast], named.id)
    report = shapes.recluster(k=4, algorithm=algorithm, params=params)
    assert named.id in {cluster_id for cluster_id, _, _ in report.clusters}
    labels = dict(zip(ids, _labels(shapes), strict=True))
    assert {labels[i] for i in discs[:3]} == {named.id}
    assert labels[outcast] != named.id


@pytest.mark.parametrize(("algorithm", "params"), [("fwr", FWR), ("dec", DEC)])
def test_the_trained_network_is_an_embedder_for_the_photos_that_come(
    shapes: Library, tmp_path: Path, algorithm: str, params: dict[str, Any]
) -> None:
    shapes.recluster(k=3)
    named = next(iter(shapes.clusters))
    named.rename("First")
    report = shapes.recluster(k=3, algorithm=algorithm, params=params, save_embedder="shapes")
    assert report.embedder.name == "trained:shapes"
    assert report.embedder.version
    assert [cluster.name for cluster in shapes.clusters if cluster.id == named.id] == ["First"]
    status = shapes.status()
    assert status.embedder is not None
    assert status.embedder.name == "trained:shapes"

    grown = shapes.ingest([write_shapes(tmp_path / "photos", each=4, first=EACH)])
    assert grown.counts[Outcome.ADDED] == 3 * 4
    placed = [label for label in _labels(shapes) if label != -1]
    assert len(placed) > 3 * EACH  # most of them joined the clusters of before
    file = imported_folder() / "trained-shapes.safetensors"
    assert file.is_file()
    assert embedder_info("trained:shapes", shapes.settings).weights == "here"

    # The same vectors, whether they were made with the others or by themselves.
    spec = report.embedder
    ids, stored = shapes.store.vectors.read(spec)
    again = tmp_path / "again"
    with Library.open_or_create(again, Settings(device="cpu")) as other:
        other.ingest([tmp_path / "photos"], embedder="trained:shapes")
        other_ids, other_vectors = other.store.vectors.read(spec)
    order = [other_ids.index(i) for i in ids]
    assert np.allclose(stored, other_vectors[order], atol=2e-3)

    with pytest.raises(SettingsError, match="already"):
        shapes.recluster(k=3, algorithm=algorithm, params=params, save_embedder="shapes")
    file.rename(tmp_path / "moved.safetensors")
    with pytest.raises(WeightsMissingError, match="not on this machine"):
        shapes.ingest([write_shapes(tmp_path / "photos", each=1, first=90)])


def test_a_dry_run_stores_nothing(shapes: Library) -> None:
    shapes.recluster(k=3)
    before, revision = _labels(shapes), shapes.store.revision()
    report = shapes.recluster(k=3, algorithm="dec", params=DEC, save_embedder="never", dry_run=True)
    assert report.clustering_id is None
    assert (_labels(shapes), shapes.store.revision()) == (before, revision)
    assert not (imported_folder() / "trained-never.safetensors").exists()


class _Decides(Watched):
    """Moves an image once training has begun, as another program may."""

    def __init__(self, library: Library, image_id: str, to: int) -> None:
        super().__init__()
        self._library, self._image_id, self._to = library, image_id, to
        self._done = False

    def begin(self, task: str, total: int | None) -> None:
        super().begin(task, total)
        if "training features" in task and not self._done:
            self._done = True
            self._library.corrections.move([self._image_id], self._to)


def test_a_decision_that_was_made_while_it_trained_holds(shapes: Library) -> None:
    shapes.recluster(k=3)
    ids = _truth(shapes)[0]
    labels = dict(zip(ids, _labels(shapes), strict=True))
    moved = ids[0]
    other = next(label for label in labels.values() if label not in {labels[moved], -1})
    progress = _Decides(shapes, moved, other)
    shapes.recluster(k=3, algorithm="dec", params=DEC, progress=progress)
    assert dict(zip(ids, _labels(shapes), strict=True))[moved] == other
    assert progress.tasks.count("training features and clusters together") == 1


def test_an_interrupted_recluster_goes_on(shapes: Library) -> None:
    shapes.recluster(k=3)
    with pytest.raises(KeyboardInterrupt):
        shapes.recluster(k=3, algorithm="fwr", params=FWR, progress=Watched(3 * EACH + 1))
    assert list((shapes.store.path / "trainings").iterdir())
    progress = Watched()
    shapes.recluster(k=3, algorithm="fwr", params=FWR, progress=progress)
    assert any("going on after round" in note for note in progress.notes)
    assert not list((shapes.store.path / "trainings").iterdir())


def test_what_cannot_be_is_refused_before_anything_is_trained(shapes: Library) -> None:
    with pytest.raises(SettingsError, match="trains no network"):
        shapes.recluster(k=3, save_embedder="mine")
    with pytest.raises(SettingsError, match="cannot have the name"):
        shapes.recluster(k=3, algorithm="dec", save_embedder="../mine")
    with pytest.raises(SettingsError, match="has no shear"):
        shapes.recluster(k=3, algorithm="fwr", params={"shear": "1"})
    with pytest.raises(SettingsError, match="share cannot be"):
        shapes.recluster(k=3, algorithm="fwr", params={"share": "much"})
    for given in (4.5, True, None):
        with pytest.raises(SettingsError, match="pretrain-epochs"):
            shapes.recluster(k=3, algorithm="dec", params={"pretrain_epochs": given})
    with pytest.raises(SettingsError, match="share cannot be"):
        shapes.recluster(k=3, algorithm="fwr", params={"share": [0.1]})
    photos = shapes.roots()[0]
    photos.rename(photos.with_name("away"))
    with pytest.raises(SettingsError, match="none of the folders"):
        shapes.recluster(k=3, algorithm="dec", save_embedder="mine")
    with pytest.raises(SettingsError, match="kmeans has no share"):
        shapes.recluster(k=3, params={"share": "0.1"})
    with pytest.raises(SettingsError, match="more than the 36 different images"):
        shapes.recluster(k=500, algorithm="dec")


def test_the_command_takes_options_and_lists_them(shapes: Library, tmp_path: Path) -> None:
    del shapes
    typed: Run = partial(in_this_process, tmp_path)
    listed = typed("recluster", "--algorithm", "fwr", "--options")
    assert "--set share=0.2" in listed.out
    names = json.loads(typed("recluster", "--algorithm", "fwr", "--options", "--json").out)
    assert {"share", "factor", "network"} <= {option["name"] for option in names["options"]}
    words = [word for name, value in FWR.items() for word in ("--set", f"{name}={value}")]
    done = typed("recluster", "--algorithm", "fwr", "--k", "3", *words, "--save-embedder", "mine")
    assert done.code == 0, done.err
    assert "saved the embedder trained:mine" in done.err
    assert "trained:mine" in typed("status").out
    refused = typed("recluster", "--algorithm", "fwr", "--set", "colour=1")
    assert refused.code == 2
    assert "organizer recluster --algorithm fwr --options" in refused.err


def test_compare_runs_them_beside_the_others(shapes: Library) -> None:
    plan = organizer.parse_plan(
        embedders=["hog"], algorithms=["kmeans", "fwr"], k="3", repeats=1, reduce=["none"]
    )
    found = shapes.compare(plan, labels="folders").comparison
    scores = {cell.algorithm: cell.runs[0].scores for cell in found.cells}
    assert scores["fwr"]["nmi"] > scores["kmeans"]["nmi"]
    assert "davies_bouldin_ratio" in scores["fwr"]
    assert "davies_bouldin_ratio" not in scores["kmeans"]
    took = {cell.algorithm: (cell.rounds, cell.seconds) for cell in found.cells}
    assert took["kmeans"][0] is None
    assert (took["fwr"][0] or 0) >= 1
    assert (took["fwr"][1] or 0) > (took["kmeans"][1] or 0) > 0


def test_the_recipe_has_its_second_half_where_the_plugin_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = find_recipe("feature-weak-relevant")
    assert not recipe.lacking
    assert recipe.available() is recipe
    names = tuple(n for n in registry.part_names("organizer.clusterers") if "fwr" not in n)
    monkeypatch.setattr(registry, "part_names", lambda _: names)
    assert set(recipe.lacking.values()) == {"organizer-deep-clustering"}
    left = recipe.available().plan.grids
    assert {name for grid in left for name in grid.algorithms} == {"kmeans", "gmm"}


class _Stopped(Watched):
    """Ends the program, as Ctrl-C does, when photos are embedded with what was trained."""

    def begin(self, task: str, total: int | None) -> None:
        super().begin(task, total)
        if "saved the embedder" in " ".join(self.notes):
            raise KeyboardInterrupt


def test_what_was_saved_is_gone_on_with_whatever_was_decided_since(
    shapes: Library, tmp_path: Path
) -> None:
    shapes.recluster(k=3)
    ask: dict[str, Any] = {"k": 3, "algorithm": "dec", "params": DEC, "save_embedder": "mine"}
    with pytest.raises(KeyboardInterrupt):
        shapes.recluster(**ask, progress=_Stopped())
    ids = _truth(shapes)[0]
    labels = dict(zip(ids, _labels(shapes), strict=True))
    to = next(label for label in labels.values() if label not in {labels[ids[0]], -1})
    shapes.corrections.move([ids[0]], to)
    shapes.corrections.rename(to, "Mine")
    shapes.ingest([write_shapes(tmp_path / "photos", each=1, first=EACH)])

    progress = Watched()
    report = shapes.recluster(**ask, progress=progress)
    assert any("trained already" in note for note in progress.notes)
    assert not any("pretraining" in task for task in progress.tasks)
    assert report.embedder.name == "trained:mine"
    assert report.images == 3 * (EACH + 1)
    assert dict(zip(_truth(shapes)[0], _labels(shapes), strict=True))[ids[0]] == to
    assert not list((shapes.store.path / "trainings").iterdir())
    with pytest.raises(SettingsError, match="already"):
        shapes.recluster(**ask)


def test_an_embedder_that_was_written_when_it_was_killed_is_its_own(
    shapes: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask: dict[str, Any] = {"k": 3, "algorithm": "dec", "params": DEC, "save_embedder": "mine"}

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(FinishedTraining, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            shapes.recluster(**ask)
    assert (imported_folder() / "trained-mine.safetensors").exists()
    assert shapes.recluster(**ask).embedder.name == "trained:mine"


def test_a_dry_run_before_it_makes_no_name_its_own(shapes: Library) -> None:
    shapes.recluster(k=3, algorithm="dcn", params=DEC, save_embedder="mine")
    ask: dict[str, Any] = {"k": 3, "algorithm": "dec", "params": DEC, "embedder": "hog"}
    shapes.recluster(**ask, dry_run=True)
    progress = Watched()
    with pytest.raises(SettingsError, match="already"):
        shapes.recluster(**ask, save_embedder="mine", progress=progress)
    assert not any("pretraining" in task for task in progress.tasks)


def test_another_request_does_not_take_what_was_saved(shapes: Library) -> None:
    ask: dict[str, Any] = {"k": 3, "algorithm": "dec", "save_embedder": "mine"}
    with pytest.raises(KeyboardInterrupt):
        shapes.recluster(**ask, params=DEC, progress=_Stopped())
    with pytest.raises(SettingsError, match="already"):
        shapes.recluster(**ask, params={**DEC, "max_rounds": 1})


def test_a_name_that_the_library_has_vectors_of_is_not_taken_again(
    shapes: Library, tmp_path: Path
) -> None:
    ask: dict[str, Any] = {"k": 3, "algorithm": "dec", "params": DEC, "save_embedder": "mine"}
    shapes.recluster(k=3)
    shapes.recluster(**ask)
    file = imported_folder() / "trained-mine.safetensors"
    file.rename(tmp_path / "elsewhere.safetensors")
    shapes.undo()
    with pytest.raises(SettingsError, match="has vectors of another embedder trained:mine"):
        shapes.recluster(**ask, embedder="hog", seed=5)
    assert not file.exists()


def test_weights_in_a_folder_that_is_named_are_not_taken_for_those_that_are_saved(
    shapes: Library, tmp_path: Path
) -> None:
    ask: dict[str, Any] = {"k": 3, "algorithm": "dec", "params": DEC, "save_embedder": "mine"}
    shapes.recluster(**ask)
    weights = tmp_path / "weights"
    weights.mkdir()
    file = imported_folder() / "trained-mine.safetensors"
    file.rename(weights / file.name)
    with Library.open_or_create(tmp_path / "b", Settings(device="cpu", weights=weights)) as other:
        other.ingest(shapes.roots(), embedder="hog")
        with pytest.raises(SettingsError, match="already"):
            other.recluster(**ask)


def test_bursts_keep_what_was_trained_where_they_are_others_in_its_space(tmp_path: Path) -> None:
    """A burst is named after one of its images, and in the trained space after another one."""
    photos = tmp_path / "photos"
    colours = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40)]
    for kind, colour in enumerate(colours):
        for burst in range(3):
            for frame in range(3):
                name = f"2024010{kind + 1}_12{burst:02}{frame:02}.jpg"
                make_photo(photos / name, 100 * kind + 10 * burst + frame, colour=colour)
    with Library.open_or_create(tmp_path, Settings(device="cpu")) as library:
        library.ingest([photos], embedder="hsv", time_from_name="%Y%m%d_%H%M%S")
        report = library.recluster(
            k=4, bursts=True, algorithm="dec", params=DEC, save_embedder="bursts", reduce="none"
        )
        assert len(report.clusters) == 4
        files = library.store.photos.files_of()
        for cluster_id, _, _ in report.clusters:
            current = library.store.clusterings.current()
            assert current is not None
            members = library.store.clusterings.assignments(current.clustering_id)
            ids = members.image_ids[members.cluster_ids == cluster_id].tolist()
            assert len({files[i][0].file.name[:8] for i in ids}) == 1


def test_joined_vectors_are_trained_on(shapes: Library) -> None:
    shapes.ingest(shapes.roots(), embedder="hsv")
    report = shapes.recluster(k=3, algorithm="dec", params=DEC, embedder="hog+hsv")
    assert report.embedder.name == "hog+hsv"


class _Colours:
    """An embedder that is no part of any plugin."""

    name, dim = "colours", 3

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(image.mean(axis=(0, 1)) / 255, dtype=np.float32)

    def embed(self, batch: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        return np.stack(batch)


def test_an_embedder_that_could_not_be_used_is_refused_before_anything_is_trained(
    tmp_path: Path,
) -> None:
    folder = write_shapes(tmp_path / "photos", each=4)
    with Library.open_or_create(tmp_path, Settings(device="cpu")) as library:
        library.ingest([folder], embedder=_Colours())
        with pytest.raises(SettingsError, match="not installed"):
            library.recluster(k=3, algorithm="dec", params=DEC, save_embedder="mine")
        with pytest.raises(SettingsError, match="layers cannot be"):
            library.recluster(k=3, algorithm="dec", params={"layers": "16-1"})
        assert not (imported_folder() / "trained-mine.safetensors").exists()


def test_a_named_cluster_whose_photos_are_away_is_not_lost(shapes: Library, tmp_path: Path) -> None:
    more = write_shapes(tmp_path / "card", each=2, first=50)
    shapes.ingest([more])
    shapes.recluster(k=3)
    on_card = [
        i for i, files in shapes.store.photos.files_of().items() if "card" in str(files[0].file)
    ]
    shapes.corrections.new_cluster(on_card, name="Away")
    more.rename(tmp_path / "ejected")
    with pytest.raises(SettingsError, match="none of the photos of Away is here"):
        shapes.recluster(k=3, algorithm="dec", params=DEC, save_embedder="mine")
    assert not (imported_folder() / "trained-mine.safetensors").exists()


def test_one_training_at_a_time(shapes: Library) -> None:
    with (
        shapes.store.training(),
        pytest.raises(LibraryBusyError, match="another recluster trains"),
    ):
        shapes.recluster(k=3, algorithm="dec", params=DEC)
