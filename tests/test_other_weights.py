"""Vectors of a library when the weights on the machine change: nothing said by a person is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file

from organizer.embed import mini as module
from organizer.embed.digest import file_digest
from organizer.embed.mini import Mini
from organizer.embed.torchvision import mobilenet_v2
from organizer.errors import PluginError
from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import make_photo
from tests.test_ingest import Listening

MINI = "organizer-mini"


@pytest.fixture
def upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Call it, and the package has other weights of organizer-mini, as a newer one would."""

    def upgrade() -> None:
        state = load_file(module.WEIGHTS)
        state["embed.bias"] += 0.05 * torch.randn(256, generator=torch.manual_seed(0))
        file = tmp_path / "newer.safetensors"
        save_file(state, file)
        monkeypatch.setattr(module, "mini", Mini(file, sha256=file_digest(file)))

    return upgrade


@pytest.fixture
def default_weights(tmp_path: Path) -> Path:
    """A folder with what passes for weights of the default embedder."""
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.manual_seed(0)
    torch.save(
        torchvision.models.mobilenet_v2(weights=None).state_dict(), folder / "mobilenet_v2.pth"
    )
    return folder


def test_names_stay_when_the_package_brings_newer_weights(
    library: Library, photos: Path, upgraded: object
) -> None:
    library.ingest([photos])
    library.recluster(k=4)
    largest = library.clusters.summaries()[0]
    library.corrections.rename(largest.cluster_id, "fox")
    upgraded()  # type: ignore[operator]
    make_photo(photos / "later.jpg", 800)
    for name in (None, MINI):
        with pytest.raises(PluginError, match="made the vectors in this library") as caught:
            library.ingest([photos], embedder=name)
        assert f"organizer ingest --other-weights --embedder {MINI}" in caught.value.hint
    report = library.ingest([photos], other_weights=True)
    assert report.embedded == report.images == 25
    old, new = library.store.vectors.specs()
    assert (old.name, new.name) == (MINI, MINI)
    assert report.embedder == new != old
    assert library.store.vectors.count(old) == 24
    assert library.ingest([photos], other_weights=True).embedded == 0
    made = library.recluster(k=4, embedder=MINI)
    assert made.embedder == new
    assert made.images == 25
    (named,) = [cluster for cluster in library.clusters.summaries() if cluster.name]
    assert (named.cluster_id, named.name) == (largest.cluster_id, "fox")
    make_photo(photos / "last.jpg", 801)
    report = library.ingest([photos])
    assert (report.embedder, report.compared) == (new, 1)


def test_other_weights_are_nothing_to_a_new_library(library: Library, photos: Path) -> None:
    report = library.ingest([photos], other_weights=True)
    assert (report.embedder.name, report.embedded) == (MINI, 24)


def test_photos_without_vectors_of_the_embedder_are_reported(
    library: Library, photos: Path
) -> None:
    library.ingest([photos], embedder="hsv")
    library.ingest([photos / "red"], embedder="channel-mean")
    listening = Listening()
    library.recluster(k=2, embedder="channel-mean", progress=listening)
    (told,) = [note for note in listening.notes if "in no cluster" in note]
    assert told.startswith("16 images have no vectors of channel-mean")
    assert told.endswith("organizer ingest --embedder channel-mean")
    listening = Listening()
    library.recluster(k=2, embedder="hsv", progress=listening)
    assert not [note for note in listening.notes if "in no cluster" in note]


def test_the_better_network_is_suggested_once_it_is_here(
    tmp_path: Path, library: Library, photos: Path, default_weights: Path
) -> None:
    library.ingest([photos / "red"])
    library.close()
    listening = Listening()
    with Library.open(tmp_path, Settings(weights=default_weights)) as later:
        assert later.ingest([photos], progress=listening).embedder.name == MINI
        make_photo(photos / "later.jpg", 900)
        later.ingest([photos], embedder=MINI, progress=listening)
    (told,) = [note for note in listening.notes if "mobilenet_v2" in note]
    assert "organizer ingest --embedder mobilenet_v2, then organizer recluster" in told


def test_a_damaged_file_in_a_cache_is_reported_and_the_included_network_used(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    cached = tmp_path / "torch/hub/checkpoints" / mobilenet_v2.url.rsplit("/", 1)[-1]
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"half of it")
    listening = Listening()
    assert library.ingest([photos], progress=listening).embedder.name == MINI
    (told,) = [note for note in listening.notes if "using organizer-mini" in note]
    assert f"{cached} are damaged" in told
    assert f"delete {cached}" in told
