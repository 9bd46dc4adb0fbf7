"""torchvision's networks: the large ones, and all of a kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from organizer.embed import torchvision as ours
from organizer.embed.torchvision import TorchvisionNetwork, torchvision_family
from tests.networks import keep_something_of
from tests.torchvision_networks import (
    ALIKE,
    check_cut_before_classes,
    compare_by_long_name,
    compare_by_short_name,
    compare_layers_of_vgg,
)


@pytest.mark.parametrize(
    "network",
    [ours.vgg16, ours.vgg19, ours.resnet34, ours.resnet50, ours.resnet101, ours.mobilenet_v2],
    ids=lambda network: network.model,
)
def test_every_network_of_a_short_name_gives_what_torchvision_gives(
    network: TorchvisionNetwork, tmp_path: Path
) -> None:
    compare_by_short_name(network, tmp_path)


def test_the_layers_of_vgg_are_torchvision_s(tmp_path: Path) -> None:
    compare_layers_of_vgg(ours.vgg16, tmp_path, pool=16, pictures=2)


def test_a_large_network_by_its_long_name_is_torchvision_s(tmp_path: Path) -> None:
    compare_by_long_name("maxvit_t", tmp_path)


@pytest.mark.parametrize("name", sorted(ALIKE))
def test_every_network_is_cut_before_its_classes(name: str) -> None:
    check_cut_before_classes(name)


def test_what_is_cached_is_known_without_torchvision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "torch" / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "torch" / "hub" / "checkpoints" / "of-something-else.pth").touch()
    for network in map(torchvision_family, torchvision_family.models()):
        assert not network.may_be_cached(), network.name
        kept = keep_something_of(network.source())
        assert network.may_be_cached(), network.name
        kept.rename(kept.with_name("elsewhere"))
