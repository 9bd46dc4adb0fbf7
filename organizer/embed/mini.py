"""The network that comes with organizer: learned features where no weights can be had.

It was taught to give what a larger network gives, see MODEL_CARD-mini.md and training/mini.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from organizer.embed.digest import file_digest
from organizer.embed.engine import engine_for
from organizer.embed.network import NetworkEmbedder
from organizer.embed.network_source import NetworkSource
from organizer.embed.preprocess import Preprocessing
from organizer.embed.weights import reading_weights, wrong_weights_error
from organizer.errors import WeightsError
from organizer.protocols import EmbedderInfo

NAME = "organizer-mini"
DIM = 256
MINI_SIDE = 96
"""Pixels of the square that it takes."""

PREPROCESSING = Preprocessing(
    MINI_SIDE, (MINI_SIDE, MINI_SIDE), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
)

WEIGHTS = Path(__file__).with_name(f"{NAME}.safetensors")
SHA256 = "4efbe92789fd4a1c4c212defe0f63405b972ba995d7d67dcd5bb61a550ed10f8"
"""Of the weights file: what made a library's vectors must not change unseen."""

_REVISION = "1"
"""Of what turns a picture into a vector; another one is another embedder."""


@dataclass(frozen=True, slots=True)
class MiniShape:
    """Of a network of plain convolutions.

    Attributes:
        widths: Channels of each stage; a stage has half the resolution of the one before.
        depths: Residual convolutions of each stage, after the one that halves.
    """

    widths: tuple[int, ...]
    depths: tuple[int, ...]


SHAPE = MiniShape((32, 64, 128, 256, 448), (0, 1, 2, 4, 2))


def mini_stages(shape: MiniShape, convolution: Callable[[int, int, int], Any]) -> list[Any]:
    """The stages of a network: a convolution that halves the resolution, then residual ones.

    Args:
        shape: Their widths and depths.
        convolution: Makes a 3 x 3 convolution of so many input and output channels and that stride.
    """
    from torch import nn

    class Stage(nn.Module):
        def __init__(self, inputs: int, width: int, depth: int) -> None:
            super().__init__()
            self.down = convolution(inputs, width, 2)
            self.same = nn.ModuleList(convolution(width, width, 1) for _ in range(depth))

        def forward(self, values: Any) -> Any:
            values = nn.functional.relu(self.down(values))
            for same in self.same:
                values = nn.functional.relu(values + same(values))
            return values

    inputs = (3, *shape.widths[:-1])
    return [Stage(*each) for each in zip(inputs, shape.widths, shape.depths, strict=True)]


def mini_network(shape: MiniShape = SHAPE, dim: int = DIM) -> Any:
    """The torch module, its weights not set: ``(n, 3, h, w)`` float32 to ``(n, dim)`` of length 1.

    Plain 3 x 3 convolutions with a bias and nothing else, which any engine runs fast.
    """
    import torch
    from torch import nn

    def convolution(inputs: int, outputs: int, stride: int) -> Any:
        return nn.Conv2d(inputs, outputs, 3, stride, padding=1)

    class Mini(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stages = nn.ModuleList(mini_stages(shape, convolution))
            self.embed = nn.Linear(shape.widths[-1], dim)

        def forward(self, pictures: Any) -> Any:
            values = pictures
            for stage in self.stages:
                values = stage(values)
            return nn.functional.normalize(self.embed(values.mean((2, 3))))

    with torch.device("meta"):
        return Mini().eval()


def pack_weights(state: Mapping[str, Any]) -> dict[str, Any]:
    """Weights as eight-bit integers, with a scale for each output channel; biases as they are."""
    import torch

    packed = {}
    for key, values in state.items():
        if not key.endswith(".weight"):
            packed[key] = values.float()
            continue
        rows = values.float().flatten(1)
        scale = rows.abs().amax(1).clamp_min(1e-12) / 127
        whole = (rows / scale[:, None]).round().clamp(-127, 127)
        packed[key] = whole.to(torch.int8).view(values.shape)
        packed[f"{key}.scale"] = scale
    return packed


def unpack_weights(packed: Mapping[str, Any]) -> dict[str, Any]:
    """What `pack_weights` packed, in float32."""
    return {
        key: values.float() * packed[f"{key}.scale"].view(-1, *[1] * (values.dim() - 1))
        if f"{key}.scale" in packed
        else values
        for key, values in packed.items()
        if not key.endswith(".scale")
    }


class Mini:
    """The factory of the embedder ``organizer-mini``.

    Attributes:
        name: The name in the registry.
        dim: Length of a vector.
        licence: Of the weights.
    """

    name = NAME
    dim = DIM
    licence = "Apache-2.0, learned from MobileNetV2's features of unlabelled photos"

    def __init__(self, file: Path = WEIGHTS, *, sha256: str = SHA256) -> None:
        self._file, self._sha256 = file, sha256

    def __call__(self, *, device: str = "auto", precision: str = "auto") -> NetworkEmbedder:
        """The embedder; it needs no network and writes nothing.

        Raises:
            WeightsError: The weights file of this installation is missing or damaged.
        """
        self._check()
        key = f"{self._sha256[:16]}-{_REVISION}"
        source = NetworkSource(f"{NAME}-{key}", self._build, PREPROCESSING)
        engine = engine_for(source, device=device, precision=precision)
        version = f"{_REVISION}-{self._sha256[:16]}"
        return NetworkEmbedder(engine, PREPROCESSING, version=version)

    def describe(self, *, weights: Path | None = None) -> EmbedderInfo:
        """See `organizer.protocols.Describable`."""
        del weights
        state, location = "here", str(self._file)
        try:
            self._check()
        except WeightsError as error:
            state, location = "missing", error.message
        return EmbedderInfo(self.name, self.dim, state, location, self.licence)

    def _check(self) -> None:
        try:
            sound = file_digest(self._file) == self._sha256
        except OSError as error:
            raise _damaged(f"{self._file}: {error.strerror}") from error
        if not sound:
            raise _damaged(f"{self._file} is not the file that was released")

    def _build(self) -> Any:
        from safetensors.torch import load_file

        with reading_weights(self._file, name=self.name):
            packed = load_file(self._file)
        made = mini_network()
        try:
            made.load_state_dict(unpack_weights(packed), assign=True)
        except RuntimeError as error:
            raise wrong_weights_error(self._file, name=self.name, reason=str(error)) from error
        return made


def _damaged(what: str) -> WeightsError:
    return WeightsError(
        f"the weights that come with organizer are damaged: {what}", "install organizer again"
    )


mini = Mini()
