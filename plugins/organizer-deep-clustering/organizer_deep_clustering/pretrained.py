"""Pretrained networks to begin with: those that organizer embeds with, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from organizer import registry
from organizer.embed.network import NetworkFactory
from organizer.embed.preprocess import Preprocessing
from organizer.embed.weights import fetch_weights
from organizer.errors import SettingsError

_EMBEDDERS = "organizer.embedders"


@dataclass(frozen=True, slots=True)
class PretrainedNetwork:
    """A network with its weights.

    Attributes:
        name: The name of its embedder.
        module: The torch module: ``(n, 3, h, w)`` float32 to ``(n, dim)``.
        preprocessing: How pictures are prepared and normalised.
    """

    name: str
    module: Any
    preprocessing: Preprocessing


def network_factory(name: str) -> NetworkFactory:
    """The factory of a network that can be trained.

    Raises:
        SettingsError: There is no embedder of that name, or it is not one network in floats.
    """
    factory: object = registry.part_factory(_EMBEDDERS, name)
    if not isinstance(factory, NetworkFactory):
        raise SettingsError(
            f"{name} is not a network that can be trained",
            "a network of torchvision, timm or organizer, such as mobilenet_v2",
        )
    if factory.statistics is not None:
        plain = name.removesuffix("_int8")
        raise SettingsError(f"{name} computes in integers", f"train {plain} instead")
    return factory


def pretrained_network(name: str, *, side: int, weights: Path | None) -> PretrainedNetwork:
    """Load a network.

    Args:
        name: The name of its embedder: ``mobilenet_v2``, ``timm:resnet18.a1_in1k``.
        side: Pixels of the square that it is given; 0 for the one of its weights.
        weights: Where weights may be, as in the settings.

    Raises:
        SettingsError: See `network_factory`.
        WeightsMissingError: Its weights are not here.
    """
    factory = network_factory(name)
    file = fetch_weights(factory.source(), given=weights)
    preprocessing = scaled_preprocessing(factory.preprocessing(), side)
    return PretrainedNetwork(name, factory.build(file.path), preprocessing)


def scaled_preprocessing(preprocessing: Preprocessing, side: int) -> Preprocessing:
    """The same for squares of another size; 0 leaves it as it is."""
    height, width = preprocessing.crop
    if not side or (height, width) == (side, side):
        return preprocessing
    resized = preprocessing.side
    share = side / height
    scaled = (
        round(resized * share)
        if isinstance(resized, int)
        else (round(resized[0] * share), round(resized[1] * side / width))
    )
    return replace(preprocessing, side=scaled, crop=(side, side))


def network_state(module: Any) -> Mapping[str, Any]:
    """The tensors of a network as its factory reads them from a file of weights."""
    known = getattr(module, "known", None)
    if known is None:
        return dict(module.state_dict())
    state = module.extractor.state_dict()
    return {name: tensor for name, tensor in state.items() if name in known}
