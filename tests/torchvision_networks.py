"""torchvision's networks with random weights, to compare ours with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image

from organizer.embed.torchvision import TorchvisionNetwork, torchvision_family
from tests.networks import enliven, far, noise

# The last layer of each kind of network, which gives the classes.
HEADS = {
    "densenet121": "classifier",
    "efficientnet_v2_s": "classifier.1",
    "googlenet": "fc",
    "maxvit_t": "classifier.5",
    "mobilenet_v3_small": "classifier.3",
    "regnet_y_400mf": "fc",
    "resnext50_32x4d": "fc",
    "shufflenet_v2_x0_5": "fc",
    "squeezenet1_0": "classifier.1",
    "swin_t": "head",
    "swin_v2_t": "head",
    "vgg11_bn": "classifier.6",
    "vit_l_16": "heads.head",
    "wide_resnet50_2": "fc",
}
# Of a kind with another one above, and larger, or compared number by number: tests/soak has them.
ALIKE = {"efficientnet_v2_s", "resnext50_32x4d", "swin_v2_t", "wide_resnet50_2"}


class Theirs:
    """torchvision's own network with random weights, and the folder in which these lie."""

    def __init__(self, network: TorchvisionNetwork, folder: Path) -> None:
        torch.manual_seed(7)
        chosen = torchvision.models.get_model_weights(network.model)[network.weights]
        self.name, self.folder = network.model, folder
        self.preset: Any = chosen.transforms()
        self.model: Any = torchvision.models.get_model(
            network.model, weights=None, **_as_with_weights(network.model)
        )
        enliven(self.model, self.preset.crop_size[0])
        torch.save(self.model.state_dict(), folder / f"{network.model}.pth")

    def features(self, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """What torchvision's own last linear layer is given, one picture at a time."""
        *_, last = (m for m in self.model.modules() if isinstance(m, torch.nn.Linear))
        return self.at(last, pictures, given=True)

    def at(
        self, module: Any, pictures: list[NDArray[np.uint8]], *, given: bool = False
    ) -> NDArray[np.float32]:
        """What a module gives, or is given, in torchvision's own forward pass."""
        kept: list[Any] = []
        hook = module.register_forward_hook(
            lambda _, inputs, output: kept.append(inputs[0] if given else output)
        )
        with torch.inference_mode():
            for picture in pictures:
                self.model(self.preset(Image.fromarray(picture))[None])
        hook.remove()
        features: NDArray[np.float32] = torch.cat(kept).clone().numpy()
        return features


def _as_with_weights(model: str) -> dict[str, Any]:
    """What torchvision's builders set when they are given weights."""
    inception = {"transform_input": True, "aux_logits": True, "init_weights": True}
    if model == "maxvit_t":
        return {"input_size": (224, 224)}
    return inception if model == "inception_v3" else {}


def eager(network: TorchvisionNetwork, weights: Path, theirs: Theirs, pictures: list[Any]) -> Any:
    """What our cut network makes of pictures as torchvision's preset has them."""
    with torch.inference_mode():
        pixels = torch.stack([theirs.preset(Image.fromarray(picture)) for picture in pictures])
        return network.build(weights).eval()(pixels).numpy()


def compare_by_short_name(network: TorchvisionNetwork, folder: Path) -> None:
    """Our network gives what torchvision's own last layer is given."""
    known = Theirs(network, folder)
    pictures = [noise(seed, 300, 400) for seed in range(2)]
    expected = known.features(pictures)
    got = eager(network, folder / f"{network.model}.pth", known, pictures)
    assert got.shape == (2, network.dim)
    assert far(got, expected) < 1e-5


def compare_by_long_name(name: str, folder: Path) -> None:
    """The same for a network that is named as torchvision names it."""
    network = torchvision_family(name)
    chosen = torchvision.models.get_model_weights(name).DEFAULT
    known = Theirs(TorchvisionNetwork(name, chosen.name), folder)
    picture = noise(0, 300, 400)
    got = eager(network, folder / f"{name}.pth", known, [picture])
    assert far(got, known.features([picture])) < 1e-5


def compare_layers_of_vgg(
    network: TorchvisionNetwork, folder: Path, *, pool: int, pictures: int
) -> None:
    """Each layer that has a short name, and a pooling by its own name, is torchvision's."""
    known = Theirs(network, folder)
    shown = [noise(seed, 300, 400) for seed in range(pictures)]
    file, model = folder / f"{network.model}.pth", known.model
    expected = {
        "fc1": known.at(model.classifier[1], shown),
        "fc2": known.at(model.classifier[4], shown),
        "conv": known.at(model.avgpool, shown).reshape(pictures, -1),
        "gap": known.at(model.features, shown).mean(axis=(2, 3)),
        f"features.{pool}": known.at(model.features[pool], shown).mean(axis=(2, 3)),
    }
    assert [v.shape[1] for v in expected.values()] == [4096, 4096, 25088, 512, 256]
    for layer, vectors in expected.items():
        assert far(eager(network.at(layer), file, known, shown), vectors) < 1e-5, layer


def check_cut_before_classes(name: str) -> None:
    """The network is cut just before the layer that gives the classes."""
    network = torchvision_family(name)
    model = network._without_weights()
    cut = {key.rpartition(".")[0] for key in model.known - set(model.extractor.state_dict())}
    traced = ("aux", "blocks")  # training's second head, and tables that are constants in a trace
    assert {key for key in cut if not key.startswith(traced)} == {HEADS[name]}
    assert network.preprocessing().min_side > 0
