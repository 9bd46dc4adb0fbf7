"""The network that learns: that of `organizer.embed.mini`, with what only learning needs."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from organizer.embed.mini import DIM, SHAPE, Shape, stages


class NormalisedConv(nn.Module):
    """A convolution and the normalisation that is folded into it once it has learnt."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, values: Any) -> Any:
        """As the folded convolution, with the statistics of the batch."""
        return self.norm(self.conv(values))


class Student(nn.Module):
    """Trunk and heads; only the trunk and `embed` are kept.

    Attributes:
        trunk: Stages of convolutions, see `organizer.embed.mini.stages`.
        embed: From the pooled features to the vector.
        place: From the features of the last stage but one to the teacher's vector of each place.
        classes: From the pooled features to the teacher's classes.
    """

    def __init__(self, shape: Shape = SHAPE, *, n_classes: int = 1000) -> None:
        super().__init__()
        self.trunk = nn.ModuleList(stages(shape, NormalisedConv))
        widths = shape.widths
        self.embed = nn.Linear(widths[-1], DIM)
        self.place = nn.Conv2d(widths[-2], DIM, 1)
        self.classes = nn.Linear(widths[-1], n_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, pictures: Any) -> tuple[Any, Any, Any]:
        """``(n, 3, h, w)`` to vectors ``(n, dim)``, those of places, and logits of classes."""
        values = pictures
        before = values
        for stage in self.trunk:
            before, values = values, stage(values)
        pooled = values.float().mean((2, 3))
        return self.embed(pooled), self.place(before), self.classes(pooled)

    def vectors(self, pictures: Any) -> Any:
        """``(n, 3, h, w)`` to ``(n, dim)``."""
        values = pictures
        for stage in self.trunk:
            values = stage(values)
        return self.embed(values.float().mean((2, 3)))


class Average:
    """The exponential average of a network over its steps: better than any one of them."""

    def __init__(self, network: nn.Module, *, keep: float) -> None:
        self.network = copy.deepcopy(network).eval()
        self._keep = keep
        self._pairs = list(zip(self.network.state_dict().values(),
                               network.state_dict().values(), strict=True))  # fmt: skip

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the network as it is after a step."""
        keep = min(self._keep, (step + 1) / (step + 10))
        for mean, now in self._pairs:
            if mean.is_floating_point():
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)


def cosine_loss(ours: Any, theirs: Any, dim: int = 1) -> Any:
    """One less the cosine, averaged."""
    return 1 - functional.cosine_similarity(ours.float(), theirs, dim=dim).mean()


def neighbour_loss(ours: Any, theirs: Any, *, temperature: float) -> Any:
    """How far the neighbours within the batch are others than the teacher's.

    The Kullback-Leibler divergence of the softmax over a row's cosines to the others
    (Fang et al. 2021, SEED, arXiv 2101.04731, with the batch for the queue).
    """
    ours, theirs = functional.normalize(ours.float()), functional.normalize(theirs)
    own = torch.eye(len(ours), dtype=torch.bool, device=ours.device)
    mine = (ours @ ours.T / temperature).masked_fill(own, -1e4)
    told = (theirs @ theirs.T / temperature).masked_fill(own, -1e4)
    return functional.kl_div(
        mine.log_softmax(1), told.log_softmax(1), log_target=True, reduction="batchmean"
    )
