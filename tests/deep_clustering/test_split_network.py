"""A network in two halves computes what it computed whole, whichever network it is."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from organizer_deep_clustering.split_network import split_network

SHARES = (0.1, 0.3, 0.6)


def _made(name: str) -> Any:
    if name.startswith("timm:"):
        import timm

        return timm.create_model(name.removeprefix("timm:"), num_classes=0)
    import torchvision

    return torchvision.models.get_model(name, weights=None)


@pytest.mark.parametrize(
    "name",
    [
        "alexnet",
        "mobilenet_v2",
        "resnet18",
        "timm:tf_efficientnet_lite0",
        "timm:vit_tiny_patch16_224",
    ],
)
def test_both_halves_are_the_whole(name: str) -> None:
    torch.manual_seed(0)
    network = _made(name).eval()
    side = 224 if "vit" in name else 64
    pictures = torch.rand(2, 3, side, side)
    with torch.no_grad():
        whole = network(pictures)
    frozen = []
    for share in SHARES:
        halves = split_network(network, trained=share)
        with torch.no_grad():
            assert torch.allclose(halves.back(halves.front(pictures)), whole, atol=1e-5)
        assert halves.is_cut == ("vit" not in name)  # a transformer looks at its shapes
        frozen.append(halves.frozen)
    assert frozen == sorted(frozen, reverse=True)
    assert 0 < frozen[0] < 1


def test_training_the_back_changes_the_network_that_was_cut_and_not_its_front() -> None:
    torch.manual_seed(0)
    network = _made("resnet18").eval()
    halves = split_network(network, trained=0.2)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    optimiser = torch.optim.SGD(list(halves.back.parameters()), lr=0.1)
    with torch.no_grad():
        values = halves.front(torch.rand(2, 3, 64, 64))
    halves.back(values).square().mean().backward()
    optimiser.step()
    after = network.state_dict()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed
    assert {name.split(".")[0] for name in changed} <= {"layer4", "fc"}
    assert all(not parameter.requires_grad for parameter in halves.front.parameters())


def test_a_network_that_cannot_be_cut_is_frozen_in_place() -> None:
    class Odd(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)

        def forward(self, values: Any) -> Any:
            values = self.first(values)
            return self.last(values) if values.sum() > 0 else values

    halves = split_network(Odd(), trained=0.5)
    assert not halves.is_cut
    assert halves.frozen == 0.5
    values = torch.ones(1, 3)
    assert torch.equal(halves.front(values), values)
    trained = {n for n, p in halves.whole.named_parameters() if p.requires_grad}
    assert trained == {"last.weight", "last.bias"}
    assert split_network(Odd(), trained=1).frozen == 0


def test_a_layer_is_trained_however_small_the_share() -> None:
    """The share is of a network's layers, of which AlexNet has eight."""
    torch.manual_seed(0)
    for name in ("alexnet", "timm:vit_tiny_patch16_224"):
        halves = split_network(_made(name), trained=0.001)
        trained = [p for p in halves.whole.parameters() if p.requires_grad]
        assert trained
        assert 0 < halves.frozen < 1
