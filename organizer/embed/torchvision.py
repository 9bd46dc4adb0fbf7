"""torchvision's ImageNet networks, cut at a layer whose output is known to describe a picture.

Unless a layer is named, that is what the last linear layer of the classifier sees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

from organizer.embed.network import (
    NetworkFactory,
    source_matches,
    source_mentions,
    unknown_name_error,
)
from organizer.embed.preprocess import Preprocessing
from organizer.embed.weights import (
    WeightsSource,
    mentions_cached_weights,
    read_state_dict,
    torch_cache,
    wrong_weights_error,
)
from organizer.errors import SettingsError

_LICENCE = "BSD-3-Clause, trained on ImageNet-1k"


@dataclass(frozen=True, slots=True)
class NetworkLayer:
    """A place in a network.

    Attributes:
        node: torchvision's name of it, see `get_graph_node_names`; empty for what the last linear
            layer sees.
        pool: Whether a feature map becomes its mean over the places, or all its values in a row.
    """

    node: str = ""
    pool: Literal["mean", "flatten"] = "mean"


@dataclass(frozen=True)
class TorchvisionNetwork(NetworkFactory):
    """A torchvision network by its name: the factory of its embedder.

    Attributes:
        model: torchvision's name of the model.
        weights: torchvision's name of the weights; its default ones where empty. Their
            preprocessing is used.
        url: Where torchvision has the weights; looked up in torchvision where empty.
        dim: Length of the embedding, 0 where it is not known before.
        spelling: The embedder's name.
        aliases: Short names of layers.
        layer: The layer that was chosen, a short name or a node; empty for the usual one.
    """

    model: str
    weights: str = ""
    url: str = ""
    dim: int = 0
    spelling: str = ""
    aliases: Mapping[str, NetworkLayer] = field(default_factory=dict)
    layer: str = ""
    licence: str = _LICENCE

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name in the registry."""
        spelling = self.spelling or self.model
        return f"{spelling}@{self.layer}" if self.layer else spelling

    def at(self, layer: str) -> Self:
        """The same network as far as another layer.

        Raises:
            SettingsError: It is no short name of this network's, and cannot be one of its nodes.
        """
        plain = "." not in layer and layer not in _MODULES
        if self.aliases and layer not in self.aliases and plain:
            raise unknown_name_error(
                f"layer of {self.model}", layer, self.aliases, listing=_listed(self)
            )
        usual = self.aliases.get(layer) == NetworkLayer()
        return replace(self, layer="" if usual else layer, dim=self.dim if usual else 0)

    @property
    def expected_source(self) -> WeightsSource:
        """See `NetworkFactory`."""
        stem = self.spelling.removeprefix("torchvision:").replace("/", "-") or self.model
        return WeightsSource(self.name, stem, url=self.url or _SITE)

    def may_be_cached(self) -> bool:
        """See `NetworkFactory`; torchvision's source names the files of a network's weights."""
        if self.url:
            return (torch_cache() / self.url.rpartition("/")[2]).is_file()
        heads = source_matches("torchvision", _head(self.model) + r": Optional\[\w+")
        kinds = [head.rpartition("[")[2] for head in heads]
        entries = [
            text
            for kind in kinds
            for text in source_matches("torchvision", rf"^class {kind}\((.*\n)+?(?=\S)")
        ]
        return not entries or any(mentions_cached_weights(text) for text in entries)

    def source(self) -> WeightsSource:
        """See `NetworkFactory`."""
        return replace(self.expected_source, url=self.url or self._weights().url)

    def preprocessing(self) -> Preprocessing:
        """See `NetworkFactory`."""
        preset = self._weights().transforms()
        (side,), (crop,) = preset.resize_size, preset.crop_size
        interpolation = preset.interpolation.value
        mean, std = tuple(preset.mean), tuple(preset.std)
        return Preprocessing(side, (crop, crop), mean, std, interpolation)

    def build(self, path: Path) -> Any:
        """See `NetworkFactory`."""
        state = read_state_dict(path, name=self.name)
        network = self._without_weights()
        self._load(network, state, path)
        if any(tensor.is_meta for tensor in [*network.parameters(), *network.buffers()]):
            network = self._cut()  # it has tensors that no weights file holds
            self._load(network, state, path)
        return network

    def _weights(self) -> Any:
        import torchvision

        if self.model not in torchvision_family.models():
            listing = "organizer models list torchvision"
            raise unknown_name_error(
                "torchvision network", self.model, torchvision_family.models(), listing=listing
            )
        known = torchvision.models.get_model_weights(self.model)
        if self.weights and self.weights not in known.__members__:
            raise unknown_name_error(
                f"set of weights for {self.model}", self.weights, known.__members__
            )
        return known[self.weights] if self.weights else known.DEFAULT

    def _without_weights(self) -> Any:
        """The cut network on no device: drawing random weights takes seconds."""
        import torch

        try:
            with torch.device("meta"):
                return self._cut()
        except NotImplementedError:  # RegNet computes its widths with tensors
            return self._cut()

    def _cut(self) -> Any:
        import torchvision
        from torchvision.models.feature_extraction import (
            create_feature_extractor,
            get_graph_node_names,
        )

        options = _build_options(self.model, self._weights().meta["min_size"])
        model = torchvision.models.get_model(self.model, weights=None, **options).eval()
        nodes = get_graph_node_names(model, suppress_diff_warning=True)[1]
        layer = self.aliases.get(self.layer, NetworkLayer(self.layer))
        node = layer.node or _before_the_last_linear(model, nodes)
        if not any(known == node or known.startswith(f"{node}.") for known in nodes):
            raise unknown_name_error(f"layer of {self.model}", node, [*self.aliases, *nodes])
        extractor = create_feature_extractor(
            model, {node: "vector"}, suppress_diff_warning=True
        ).eval()
        return _flat(extractor, layer.pool, known=frozenset(model.state_dict()))

    def _load(self, network: Any, state: Mapping[str, Any], path: Path) -> None:
        """Load what the cut network needs; a head that is cut away may be missing or another's."""
        # Besides its weights the cut network has what was computed while it was traced.
        own = {k: v for k, v in network.extractor.state_dict().items() if k in network.known}
        strange = sorted(set(state) - network.known)
        missing = [key for key in own if key not in state and not key.endswith("_tracked")]
        other = [k for k in own if k in state and own[k].shape != state[k].shape]
        if strange or missing or other:
            reason = (
                f"it lacks {missing[0]}"
                if missing
                else f"{other[0]} has another shape"
                if other
                else f"it has {strange[0]} besides"
            )
            raise wrong_weights_error(path, name=self.name, reason=reason)
        needed = {key: state[key] for key in own if key in state}
        network.extractor.load_state_dict(needed, strict=False, assign=True)


class TorchvisionFamily:
    """The family ``torchvision:NAME`` or ``torchvision:NAME/WEIGHTS``."""

    def __call__(self, model: str) -> TorchvisionNetwork:
        """The network of that name.

        Raises:
            SettingsError: torchvision has no such classification network, or no such weights.
        """
        name, _, weights = model.partition("/")
        known = _BY_NAME.get(name)
        if known is not None and weights in {"", known.weights}:
            return known
        aliases = _VGG if name.startswith("vgg") else {}
        network = TorchvisionNetwork(
            name, weights, spelling=f"torchvision:{model}", aliases=aliases
        )
        if weights or not source_mentions("torchvision", _head(name)):
            network.source()
        return network

    def models(self) -> list[str]:
        """The names of torchvision's classification networks."""
        import torchvision

        names: list[str] = torchvision.models.list_models(module=torchvision.models)
        return names


_VGG = {  # after the ReLU, as Keras' layers of these names
    "fc1": NetworkLayer("classifier.1"),
    "fc2": NetworkLayer(),
    "conv": NetworkLayer("avgpool", "flatten"),
    "gap": NetworkLayer("features", "mean"),
}
_ALEXNET = {
    "fc1": NetworkLayer("classifier.2"),
    "fc2": NetworkLayer(),
    "conv": NetworkLayer("avgpool", "flatten"),
    "gap": NetworkLayer("features", "mean"),
}
_MODULES = frozenset({"features", "avgpool", "flatten", "classifier"})
_SITE = "https://download.pytorch.org/models"


def _network(
    model: str, weights: str, file: str, dim: int, **aliases: NetworkLayer
) -> TorchvisionNetwork:
    return TorchvisionNetwork(model, weights, f"{_SITE}/{file}", dim, aliases=aliases)


vgg16 = _network("vgg16", "IMAGENET1K_V1", "vgg16-397923af.pth", 4096, **_VGG)
vgg19 = _network("vgg19", "IMAGENET1K_V1", "vgg19-dcbb9e9d.pth", 4096, **_VGG)
alexnet = _network("alexnet", "IMAGENET1K_V1", "alexnet-owt-7be5be79.pth", 4096, **_ALEXNET)
resnet18 = _network("resnet18", "IMAGENET1K_V1", "resnet18-f37072fd.pth", 512)
resnet34 = _network("resnet34", "IMAGENET1K_V1", "resnet34-b627a593.pth", 512)
resnet50 = _network("resnet50", "IMAGENET1K_V2", "resnet50-11ad3fa6.pth", 2048)
resnet101 = _network("resnet101", "IMAGENET1K_V2", "resnet101-cd907fc2.pth", 2048)
inception_v3 = _network("inception_v3", "IMAGENET1K_V1", "inception_v3_google-0cc3c7bd.pth", 2048)
mobilenet_v2 = _network("mobilenet_v2", "IMAGENET1K_V2", "mobilenet_v2-7ebf99e0.pth", 1280)
efficientnet_b0 = _network(
    "efficientnet_b0", "IMAGENET1K_V1", "efficientnet_b0_rwightman-7f5810bc.pth", 1280
)
convnext_tiny = _network("convnext_tiny", "IMAGENET1K_V1", "convnext_tiny-983f1562.pth", 768)
vit_b_16 = _network("vit_b_16", "IMAGENET1K_V1", "vit_b_16-c867db91.pth", 768)

_BY_NAME = {
    network.model: network
    for network in (
        vgg16, vgg19, alexnet, resnet18, resnet34, resnet50, resnet101, inception_v3,
        mobilenet_v2, efficientnet_b0, convnext_tiny, vit_b_16,
    )
}  # fmt: skip

torchvision_family = TorchvisionFamily()


def _head(model: str) -> str:
    """Where torchvision's source begins to build a network that has weights."""
    return rf"^def {re.escape(model)}\(\s*\*, weights"


def _listed(network: TorchvisionNetwork) -> str:
    return f"there are: {', '.join(network.aliases)}, and the names of its nodes"


def _build_options(model: str, least: tuple[int, int]) -> dict[str, Any]:
    """What torchvision's builders set themselves when they are given weights.

    Args:
        model: torchvision's name.
        least: Height and width below which the weights are not meant to be used.
    """
    if model in {"inception_v3", "googlenet"}:  # trained on inputs of another normalisation
        return {"transform_input": True, "aux_logits": True, "init_weights": False}
    if model.startswith("vit_"):
        return {"image_size": least[0]}
    return {"input_size": least} if model.startswith("maxvit") else {}


def _before_the_last_linear(model: Any, nodes: list[str]) -> str:
    """The node whose output the classifier's last layer turns into classes."""
    import torch

    kinds = (torch.nn.Linear, torch.nn.Conv2d)
    weighted = [(name, kind) for kind in kinds for name, module in model.named_modules()
                if isinstance(module, kind)]  # fmt: skip
    for kind in kinds:  # SqueezeNet's classifier is a convolution
        last = [nodes.index(name) for name, of in weighted if of is kind and name in nodes]
        if last:
            return nodes[max(last) - 1]
    raise SettingsError("the network has no layer of classes", "name a layer: NAME@LAYER")


def _flat(extractor: Any, pool: str, *, known: frozenset[str]) -> Any:
    """The extractor with one vector a picture; `known` are the names of the uncut network."""
    import torch

    class Pooling(torch.nn.Module):
        # A module without parts, so that the network around it can be traced.
        def forward(self, values: Any) -> Any:
            if pool == "mean" and values.dim() == 4:
                values = values.mean((2, 3))
            if pool == "mean" and values.dim() == 3:  # a transformer's tokens
                values = values.mean(1)
            return values.flatten(1)

    class Flat(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.extractor = extractor
            self.pooling = Pooling()
            self.known = known

        def forward(self, pictures: Any) -> Any:
            return self.pooling(self.extractor(pictures)["vector"])

    return Flat()
