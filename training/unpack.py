"""Restores a trainable network from packed weights, for training without a checkpoint.

Normalisations are estimated from activations on some photos, heads by regression on the teacher's
outputs for these.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from organizer.embed.mini import unpack_weights
from training.photos import Pack, slices
from training.student import NormalisedConv, Student, normalised
from training.teacher import Components, answers, classifier

_SIDE = 80
_AT_ONCE = 250
_RIDGE = 1e-3


@torch.no_grad()
def unpacked(
    file: Path, work: Path, weights: Path, *, size: float, rows: NDArray[np.int64]
) -> Student:
    """A network with the trunk of the packed one, and heads fitted to the teacher's outputs.

    Convolutions of `organizer.embed.mini.SHAPE` that the file lacks have no effect yet: their
    normalisation scales them by zero.

    Args:
        file: The packed weights.
        work: The working folder, with photos and the teacher's first outputs.
        weights: The teacher's weights.
        size: Root mean square of a convolution's weights. Before a normalisation only their
            direction matters, and a learning rate changes that of small ones more.
        rows: Rows of the photos to measure with.

    Raises:
        ValueError: The file has convolutions that `organizer.embed.mini.SHAPE` lacks.
    """
    student = Student().eval()
    state = unpack_weights(load_file(file))
    convolutions = {
        name: module
        for name, module in student.trunk.named_modules()
        if isinstance(module, NormalisedConv)
    }
    known = {f"stages.{name}.{part}" for name in convolutions for part in ("weight", "bias")}
    if more := state.keys() - known - {"embed.weight", "embed.bias"}:
        raise ValueError(f"{file} holds more than the network: {', '.join(sorted(more))}")
    for name, module in convolutions.items():
        _plain(module, state.get(f"stages.{name}.weight"), state.get(f"stages.{name}.bias"))
    with _measured(convolutions.values()) as seen:
        features = [student.features(pictures) for pictures in _pictures(work, rows)]
    for module in convolutions.values():
        _normalised(module, size, *seen[module])
    pooled, places = (torch.cat(each) for each in zip(*features, strict=True))
    _heads(student, pooled, places, rows, work, weights)
    return student


def _plain(module: NormalisedConv, weight: Any, bias: Any) -> None:
    """Set a module to the folded convolution; its normalisation only adds the bias."""
    norm: Any = module.norm
    if weight is None:
        norm.weight.zero_()
        return
    module.conv.weight.copy_(weight)
    norm.running_var.fill_(1 - norm.eps)
    norm.bias.copy_(bias)


@contextmanager
def _measured(modules: Any) -> Iterator[dict[NormalisedConv, list[Any]]]:
    """Sums and sums of squares of each channel after the convolutions, and the count of values."""
    seen: dict[NormalisedConv, list[Any]] = {}

    def hook(module: NormalisedConv) -> Any:
        def add(_: Any, given: Any) -> None:
            values = given[0].double()
            sums = [values.sum((0, 2, 3)), values.square().sum((0, 2, 3)), values[:, 0].numel()]
            before = seen.get(module, [0, 0, 0])
            seen[module] = [one + other for one, other in zip(before, sums, strict=True)]

        return module.norm.register_forward_pre_hook(add)

    hooks = [hook(module) for module in modules]
    try:
        yield seen
    finally:
        for each in hooks:
            each.remove()


def _normalised(module: NormalisedConv, size: float, total: Any, squares: Any, n: int) -> None:
    """The same convolution with the measured normalisation, and weights of a given size."""
    norm: Any = module.norm
    var = (squares / n - (total / n).square()).clamp_min(0).float()
    mean = (total / n).float()
    is_new = not norm.weight.any()
    rows = module.conv.weight.flatten(1)
    longer = size / rows.square().mean(1).sqrt().clamp_min(1e-12)
    if not is_new:
        norm.weight.copy_((var + norm.eps / longer.square()).sqrt())
        norm.bias.add_(mean)
    module.conv.weight.mul_(longer.view(-1, 1, 1, 1))
    norm.running_mean.copy_(mean * longer)
    norm.running_var.copy_(var * longer.square())


def _pictures(work: Path, rows: NDArray[np.int64]) -> Iterator[Any]:
    photos, boxes = Pack(work), answers(work)[0].boxes
    for some in slices(rows, _AT_ONCE):
        yield normalised(photos.crops(some, boxes[some], _SIDE), "cpu")


def _heads(
    student: Student,
    pooled: Any,
    places: Any,
    rows: NDArray[np.int64],
    work: Path,
    weights: Path,
) -> None:
    outputs, root = answers(work)[0], torch.from_numpy(np.sqrt(Components.load(work).std)).float()
    maps = torch.from_numpy(np.asarray(outputs.maps[rows], np.float32)) / root
    _regress(student.embed, pooled, maps.mean(1))
    side = round(maps.shape[1] ** 0.5)
    there = torch.nn.functional.adaptive_avg_pool2d(
        maps.transpose(1, 2).reshape(len(maps), -1, side, side), places.shape[2:]
    )
    _regress(student.place, _flat(places), _flat(there))
    if outputs.pooled is not None:
        weight, bias = classifier(weights)
        features = torch.from_numpy(np.asarray(outputs.pooled[rows], np.float32))
        _regress(student.classes, pooled, features @ weight.T + bias)


def _flat(values: Any) -> Any:
    return values.permute(0, 2, 3, 1).flatten(0, 2)


def _regress(layer: Any, given: Any, wanted: Any) -> None:
    """Set a linear layer by ridge regression of the targets on the inputs."""
    middle, wanted_middle = given.mean(0), wanted.mean(0)
    centred = (given - middle).double()
    gram = centred.T @ centred
    gram += _RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    weight = torch.linalg.solve(gram, centred.T @ (wanted - wanted_middle).double()).T.float()
    layer.weight.copy_(weight.view(layer.weight.shape))
    layer.bias.copy_(wanted_middle - weight @ middle)
