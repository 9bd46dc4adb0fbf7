"""The student: the network of `organizer.embed.mini`, with the parts that only training needs."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from organizer.embed.mini import DIM, PREPROCESSING, SHAPE, MiniShape, mini_stages

_FEW = 6


class NormalisedConv(nn.Module):
    """A convolution and the normalisation that is folded into it after training."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, values: Any) -> Any:
        """As the folded convolution, with the statistics of the batch."""
        few = values.device.type == "cpu" and values.shape[2] <= _FEW
        return self.norm(as_product(self.conv, values) if few else self.conv(values))


def as_product(conv: nn.Conv2d, values: Any) -> Any:
    """A 3 x 3 convolution with a padding of one and no bias, as one matrix product.

    On small maps, a processor's convolutions take several times as long.
    """
    stride = conv.stride[0]
    n, channels, height, width = values.shape
    high, wide = (height - 1) // stride + 1, (width - 1) // stride + 1
    padded = functional.pad(values.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    around = [
        padded[:, down : down + height : stride, across : across + width : stride]
        for down in range(3)
        for across in range(3)
    ]
    patches = torch.stack(around, 3).reshape(n * high * wide, 9 * channels)
    weight = conv.weight.permute(0, 2, 3, 1).reshape(conv.out_channels, -1)
    return functional.linear(patches, weight).view(n, high, wide, -1).permute(0, 3, 1, 2)


class Student(nn.Module):
    """Trunk and heads; only the trunk and `embed` are kept.

    Attributes:
        trunk: Stages of convolutions, see `organizer.embed.mini.mini_stages`.
        embed: From the pooled features to the vector.
        place: From the features of the last stage but one to the teacher's vector of each cell.
        classes: From the pooled features to the teacher's classes.
    """

    def __init__(self, shape: MiniShape = SHAPE, *, n_classes: int = 1000) -> None:
        super().__init__()
        self.trunk = nn.ModuleList(mini_stages(shape, NormalisedConv))
        widths = shape.widths
        self.embed = nn.Linear(widths[-1], DIM)
        self.place = nn.Conv2d(widths[-2], DIM, 1)
        self.classes = nn.Linear(widths[-1], n_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, pictures: Any) -> tuple[Any, Any, Any]:
        """``(n, 3, h, w)`` to vectors ``(n, dim)``, those of cells, and logits of classes."""
        pooled, before = self.features(pictures)
        return self.embed(pooled), self.place(before), self.classes(pooled)

    def vectors(self, pictures: Any) -> Any:
        """``(n, 3, h, w)`` to ``(n, dim)``."""
        return self.embed(self.features(pictures)[0])

    def features(self, pictures: Any) -> tuple[Any, Any]:
        """Pooled features ``(n, width)``, and those ``(n, width, h, w)`` of the previous stage."""
        before = values = pictures
        for stage in self.trunk:
            before, values = values, stage(values)
        return values.float().mean((2, 3)), before


def normalised(pixels: NDArray[np.uint8], device: str) -> Any:
    """The network's input: ``(n, 3, side, side)`` float32 of ``(n, side, side, 3)``."""
    values = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(each, device=device).view(3, 1, 1)
                 for each in (PREPROCESSING.mean, PREPROCESSING.std))  # fmt: skip
    return ((values - mean) / std).contiguous(memory_format=torch.channels_last)


class Average:
    """The exponential moving average of a network over its steps."""

    def __init__(self, network: nn.Module, *, keep: float) -> None:
        self.network = copy.deepcopy(network).eval()
        self._keep = keep
        pairs = list(zip(self.network.state_dict().values(),
                         network.state_dict().values(), strict=True))  # fmt: skip
        self._counts = [pair for pair in pairs if not pair[0].is_floating_point()]
        floats = [pair for pair in pairs if pair[0].is_floating_point()]
        self._floats = [mean for mean, _ in floats], [now for _, now in floats]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Update the average by the network after a step."""
        keep = min(self._keep, (step + 1) / (step + 10))
        torch._foreach_lerp_(*self._floats, 1 - keep)
        for mean, now in self._counts:
            mean.copy_(now)


def cosine_loss(ours: Any, theirs: Any, dim: int = 1) -> Any:
    """The mean of one minus the cosine."""
    return 1 - functional.cosine_similarity(ours.float(), theirs, dim=dim).mean()


def neighbour_loss(ours: Any, theirs: Any, *, temperature: float) -> Any:
    """The difference of neighbours within the batch to the teacher's.

    The Kullback-Leibler divergence of the softmax over a row's cosines to the others
    (Fang et al. 2021, SEED, arXiv 2101.04731, with the batch as the queue).
    """
    ours, theirs = functional.normalize(ours.float()), functional.normalize(theirs)
    own = torch.eye(len(ours), dtype=torch.bool, device=ours.device)
    mine = (ours @ ours.T / temperature).masked_fill(own, -1e4)
    target = (theirs @ theirs.T / temperature).masked_fill(own, -1e4)
    return functional.kl_div(
        mine.log_softmax(1), target.log_softmax(1), log_target=True, reduction="batchmean"
    )
