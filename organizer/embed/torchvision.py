"""torchvision's ImageNet networks, cut at the layer whose output is known to describe a picture.

The preprocessing is the one that torchvision keeps with the weights: resize, crop, normalise.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from organizer.embed.weights import fetch, locate, read_state_dict
from organizer.errors import PluginError, WeightsError
from organizer.protocols import EmbedderInfo
from organizer.settings import available_cores
from organizer.types import Vectors

_WIDEST = 16
"""A picture of a larger aspect ratio is cropped to this one before it is resized: the centre crop
takes nothing from further out, and a strip of 60,000 x 4 pixels would fill the memory."""

_AT_ONCE = 4
"""Pictures in one forward pass on a processor. The activations of more do not stay with the
allocator: the system clears new pages for every layer, at the cost of half the time."""


class TorchvisionEmbedder:
    """A network as far as one of its layers.

    Attributes:
        dim: Length of a vector.
        min_side: What the shorter side is resized to.
        version: Hash of the weights and of the revision of this code.
        device: Where it runs: "cpu", "cuda" or "mps".
    """

    def __init__(self, network: Network, *, weights: Path | None, device: str) -> None:
        file = fetch(network.name, network.url, given=weights)
        # Only now: where there are no weights, nobody waits for torch to be told so.
        import torch
        import torchvision

        preset = torchvision.models.get_weight(network.weights).transforms()
        self.dim = network.dim
        self.min_side = int(preset.resize_size[0])
        self.version = f"1-{file.digest}"
        self.device = _device(device)
        self._crop = int(preset.crop_size[0])
        self._mean = torch.tensor(preset.mean, device=self.device).view(3, 1, 1)
        self._std = torch.tensor(preset.std, device=self.device).view(3, 1, 1)
        self._layer = _up_to(network, file.path).to(self.device)
        self._pool = _one_core_each() if self.device == "cpu" else None

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resize the shorter side, crop the centre: ``(crop, crop, 3)`` uint8."""
        picture = Image.fromarray(_not_too_wide(image))
        width, height = _resized(picture.width, picture.height, self.min_side)
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
        left, top = round((width - self._crop) / 2), round((height - self._crop) / 2)
        return np.asarray(picture.crop((left, top, left + self._crop, top + self._crop)))

    def embed(self, batch: Sequence[NDArray[Any]]) -> Vectors:
        """``(n, dim)`` float32, on the device that the embedder was made for."""
        if not batch:
            return np.empty((0, self.dim), dtype=np.float32)
        if self._pool is None:
            return self._forward(batch)
        parts = [batch[i : i + _AT_ONCE] for i in range(0, len(batch), _AT_ONCE)]
        return np.concatenate(list(self._pool.map(self._forward, parts)))

    def _forward(self, batch: Sequence[NDArray[Any]]) -> Vectors:
        import torch

        with torch.inference_mode():
            # Channels stay last in memory: that is how the pictures come, and convolutions on a
            # processor are faster for it.
            pixels = torch.from_numpy(np.stack(batch)).to(self.device).permute(0, 3, 1, 2)
            values = self._layer((pixels.float() / 255 - self._mean) / self._std)["vector"]
            vectors: Vectors = values.flatten(1).float().cpu().numpy()
        return vectors


@dataclass(frozen=True, slots=True)
class Network:
    """A torchvision network by its name: the factory of its embedder.

    Attributes:
        name: torchvision's name of the model.
        layer: The node whose output is the embedding.
        dim: Length of that output.
        weights: torchvision's name of the weights; their preprocessing is used.
        url: Where torchvision has the weights.
    """

    name: str
    layer: str
    dim: int
    weights: str
    url: str

    def __call__(self, *, weights: Path | None = None, device: str = "auto") -> TorchvisionEmbedder:
        """The embedder with the weights that are found."""
        return TorchvisionEmbedder(self, weights=weights, device=device)

    def describe(self, *, weights: Path | None = None) -> EmbedderInfo:
        """Whether the weights are here; nothing is loaded or fetched."""
        try:
            path = locate(self.name, self.url, given=weights)
            state, location = ("here", str(path)) if path else ("downloadable", self.url)
        except WeightsError as error:
            state, location = "missing", error.message
        return EmbedderInfo(
            self.name, self.dim, state, location, "BSD-3-Clause, trained on ImageNet-1k"
        )


mobilenet_v2 = Network(
    name="mobilenet_v2",
    layer="flatten",
    dim=1280,
    weights="MobileNet_V2_Weights.IMAGENET1K_V2",
    url="https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth",
)
resnet50 = Network(
    name="resnet50",
    layer="flatten",
    dim=2048,
    weights="ResNet50_Weights.IMAGENET1K_V2",
    url="https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
)
vgg16 = Network(  # the second fully connected layer after its ReLU, as Keras' "fc2"
    name="vgg16",
    layer="classifier.4",
    dim=4096,
    weights="VGG16_Weights.IMAGENET1K_V1",
    url="https://download.pytorch.org/models/vgg16-397923af.pth",
)


def _up_to(network: Network, path: Path) -> Any:
    """The network with its weights, up to and with its layer."""
    import torch
    import torchvision
    from torchvision.models.feature_extraction import create_feature_extractor

    with torch.device("meta"):  # random weights would be drawn for seconds and thrown away
        model = torchvision.models.get_model(network.name, weights=None)
    state = read_state_dict(path, name=network.name)
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise WeightsError(
            f"{path} does not hold the weights of {network.name}: names or shapes differ",
            f"give the state dict of torchvision's {network.name}",
        ) from error
    model = model.float().eval().to(memory_format=torch.channels_last)
    return create_feature_extractor(model, {network.layer: "vector"}).eval()


def _one_core_each() -> ThreadPoolExecutor:
    """Threads that each run whole forward passes on one core.

    One pass spread over all cores waits for its slowest part at every layer, and decoding runs on
    the same cores: passes side by side never wait.
    """
    import torch

    return ThreadPoolExecutor(
        available_cores(), "embed", initializer=torch.set_num_threads, initargs=(1,)
    )


def _device(wanted: str) -> str:
    import torch

    here = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if wanted == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if here[name])
    if not here[wanted]:
        raise PluginError(
            f"there is no device {wanted!r} on this machine", "use --device auto or --device cpu"
        )
    return wanted


def _resized(width: int, height: int, side: int) -> tuple[int, int]:
    """Torchvision's rule: the shorter side becomes `side`, the longer one is rounded down."""
    if width <= height:
        return side, int(side * height / width)
    return int(side * width / height), side


def _not_too_wide(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    longest = _WIDEST * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    if not top and not left:
        return image
    return np.ascontiguousarray(image[top : top + longest, left : left + longest])
