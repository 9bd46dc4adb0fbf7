"""A stacked autoencoder: fully connected layers that reconstruct points from a few features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from organizer.types import Vectors
from organizer_deep_clustering.devices import Batches, DevicePoints

if TYPE_CHECKING:
    import torch

PUBLISHED = (500, 500, 2000, 10)
"""Widths of the encoder's layers behind the input, of DEC and of DCN on MNIST."""


class Autoencoder:
    """An encoder and its mirror image, rectified linear between the layers.

    Features and reconstructions are not rectified (Xie et al. 2016, section 3.3). Weights begin
    uniform within the inverse root of a layer's inputs, biases at zero.

    Args:
        widths: Of the input, of the layers, and of the features.
        seed: Of the first weights.
        device: As torch names it.
    """

    def __init__(self, widths: Sequence[int], *, seed: int, device: str) -> None:
        draw = np.random.default_rng([seed, 0])
        self.widths, self.device = tuple(widths), device
        pairs = list(pairwise(widths))
        self.encoder = [_layer(draw, wide, narrow, device) for wide, narrow in pairs]
        self.decoder = [_layer(draw, narrow, wide, device) for wide, narrow in reversed(pairs)]

    def encode(self, points: torch.Tensor, *, layers: int | None = None) -> torch.Tensor:
        """``(b, d)`` points to ``(b, features)``, or to what only some layers make of them."""
        import torch

        last = len(self.encoder) - 1
        for number, (weight, bias) in enumerate(self.encoder[:layers]):
            points = torch.nn.functional.linear(points, weight, bias)
            points = points if number == last else points.relu()
        return points

    def decode(self, features: torch.Tensor) -> torch.Tensor:
        """``(b, features)`` to ``(b, d)``."""
        import torch

        last = len(self.decoder) - 1
        for number, (weight, bias) in enumerate(self.decoder):
            features = torch.nn.functional.linear(features, weight, bias)
            features = features if number == last else features.relu()
        return features

    def features(self, points: DevicePoints, batches: Batches) -> Vectors:
        """``(n, features)`` float32 of all points."""
        import torch

        made = np.empty((len(points), self.widths[-1]), dtype=np.float32)

        def step(rows: slice) -> None:
            with torch.no_grad():
                made[rows] = self.encode(points(rows)).cpu().numpy()

        batches.slices(len(points), step)
        return made

    def parameters(self, *, decoder: bool = True) -> list[torch.Tensor]:
        """All that is trained, of the encoder first."""
        return [tensor for name, tensor in self._named() if decoder or name.startswith("encoder")]

    def is_finite(self) -> bool:
        """Whether all parameters are numbers."""
        return all(bool(tensor.isfinite().all()) for tensor in self.parameters())

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """A copy of all parameters by their names, as PyTorch shapes them."""
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in self._named()}

    def restore(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Take parameters back; other names are passed over."""
        import torch

        with torch.no_grad():
            for name, tensor in self._named():
                tensor.copy_(torch.from_numpy(np.array(tensors[name], dtype=np.float32)))

    def _named(self) -> Iterator[tuple[str, torch.Tensor]]:
        for half, layers in (("encoder", self.encoder), ("decoder", self.decoder)):
            for number, (weight, bias) in enumerate(layers):
                yield f"{half}.{number}.weight", weight
                yield f"{half}.{number}.bias", bias


def _layer(
    draw: np.random.Generator, inputs: int, outputs: int, device: str
) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    bound = 1 / np.sqrt(inputs)
    weight = draw.uniform(-bound, bound, (outputs, inputs)).astype(np.float32)
    return (
        torch.from_numpy(weight).to(device).requires_grad_(),
        torch.zeros(outputs, device=device, requires_grad=True),
    )
