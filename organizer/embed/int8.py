"""A network in eight-bit integers: what it computes is the same on every machine.

The weights are rounded for each output channel, and what a convolution reads is rounded in a range
that was seen once, on photos of all kinds, and is kept beside this module. What has been rounded
goes through torch as float32; OpenVINO recognises it, and computes it with the integer units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from organizer.embed.digest import what_is_wrong
from organizer.errors import WeightsError

_REVISION = "1"
"""Of how a network is rounded; another one gives other vectors."""

_MOST = 127
_STEPS = 255


@dataclass(frozen=True, slots=True)
class InputStatistics:
    """What the convolutions of a network read, as it was seen on many photos.

    Attributes:
        file: ``NAME.range`` (least and largest number) and ``NAME.mean`` (of each channel) for
            each convolution that is computed in integers, by its name in the network.
        sha256: Of the file: what made a library's vectors must not change unseen.
    """

    file: Path
    sha256: str

    @property
    def fingerprint(self) -> str:
        """What tells vectors of these statistics from others."""
        return f"int8.{_REVISION}.{self.sha256[:16]}"

    def read(self) -> Mapping[str, Any]:
        """The tensors of the file.

        Raises:
            WeightsError: It is damaged, or not the one that was released.
        """
        from safetensors.torch import load_file

        if wrong := what_is_wrong(self.file, sha256=self.sha256):
            raise WeightsError(
                f"the ranges that come with organizer are damaged: {wrong}",
                "install organizer again",
            )
        return load_file(self.file)


def quantised(network: Any, statistics: Mapping[str, Any]) -> Any:
    """Round the weights and the inputs of a network's convolutions; it is changed in place.

    Convolutions of which the statistics do not know stay as they are.

    Raises:
        KeyError: The statistics are another network's.
    """
    fold_normalisations(network)
    modules = dict(network.named_modules())
    for name in sorted({key.rpartition(".")[0] for key in statistics}):
        _round(modules[name], statistics[f"{name}.range"], statistics[f"{name}.mean"].float())
    return network


def statistics_file(network: str) -> Path:
    """Where the statistics of a network are, or would be."""
    return Path(__file__).with_name(f"{network}-int8.safetensors")


def convolutions(network: Any) -> Iterator[tuple[str, Any]]:
    """The convolutions of a network and their names, in the order of their definition."""
    import torch

    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            yield name, module


def fold_normalisations(network: Any) -> None:
    """Make each normalisation that follows a convolution a part of its weights and bias.

    It follows it in the order of definition, as in all networks of plain blocks.
    """
    import torch

    before = None
    for name, module in list(network.named_modules()):
        if isinstance(module, torch.nn.BatchNorm2d) and before is not None:
            _fold(before, module)
            # timm's normalisations have the activation in them.
            network.set_submodule(name, getattr(module, "act", torch.nn.Identity()))
        if isinstance(module, torch.nn.Conv2d | torch.nn.BatchNorm2d):
            before = module if isinstance(module, torch.nn.Conv2d) else None


def _fold(convolution: Any, norm: Any) -> None:
    import torch

    with torch.no_grad():
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        bias = 0 if convolution.bias is None else convolution.bias
        folded = convolution.weight * scale.view(-1, 1, 1, 1)
        convolution.weight = torch.nn.Parameter(folded)
        convolution.bias = torch.nn.Parameter(norm.bias + (bias - norm.running_mean) * scale)


def _round(convolution: Any, extent: Any, mean: Any) -> None:
    """Round a convolution's weights and, whenever it runs, what it reads.

    What rounding the weights changes in the mean of an output is taken from the bias (Nagel et al.
    2019, arXiv 1906.04721): without that the vectors are twice as far from those of float32.
    """
    import torch

    scale, zero = _grid(float(extent[0]), float(extent[1]))
    with torch.no_grad():
        weight = convolution.weight
        rounding = _RoundedWeight(weight)
        lost = (weight - rounding(weight)).sum((2, 3))
        inputs = mean.view(convolution.groups, -1)
        outputs = lost.view(convolution.groups, -1, inputs.shape[1])
        convolution.bias += torch.einsum("goi,gi->go", outputs, inputs).flatten()
    torch.nn.utils.parametrize.register_parametrization(convolution, "weight", rounding)
    convolution.register_forward_pre_hook(
        lambda _, given: torch.fake_quantize_per_tensor_affine(given[0], scale, zero, 0, _STEPS)
    )


def _grid(low: float, high: float) -> tuple[float, int]:
    """Step and place of zero, which has a number of its own: padding is exact."""
    low, high = min(low, 0.0), max(high, 1e-6)
    scale = (high - low) / _STEPS
    return scale, round(-low / scale)


def _RoundedWeight(weight: Any) -> Any:  # noqa: N802 - a class that needs torch
    import torch

    class RoundedWeight(torch.nn.Module):
        scale: torch.Tensor
        zero: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            most = weight.detach().abs().amax((1, 2, 3)).clamp_min(1e-9)
            self.register_buffer("scale", most / _MOST)
            self.register_buffer("zero", torch.zeros(len(most), dtype=torch.int32))

        def forward(self, values: Any) -> Any:
            return torch.fake_quantize_per_channel_affine(
                values, self.scale, self.zero, 0, -_MOST, _MOST
            )

    return RoundedWeight()
