"""Where a network's forward pass runs, and in which precision.

On a processor OpenVINO is two to three times as fast as eager torch for the same float32 numbers,
and uses bfloat16 units where the processor has them. Without OpenVINO, and on a GPU, torch itself
runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from organizer.embed.network_source import ConversionError, NetworkSource
from organizer.embed.precision import has_int8
from organizer.errors import PluginError
from organizer.types import Vectors


class NetworkEngine(Protocol):
    """Runs a network.

    Attributes:
        device: Where: "cpu", "cuda" or "mps".
        name: What runs it and in which precision, for a person.
        dim: Length of a vector.
    """

    device: str
    name: str
    dim: int

    def __call__(self, batch: Sequence[NDArray[np.uint8]]) -> Vectors:
        """Pictures ``(h, w, 3)`` uint8 to ``(n, dim)`` float32; n is at least 1."""
        ...


def engine_for(source: NetworkSource, *, device: str, precision: str) -> NetworkEngine:
    """The fastest engine that is installed.

    Args:
        source: The network.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "auto" takes half precision where the hardware has it and the vectors stay
            those of float32: not for networks of depthwise convolutions (in MobileNetV2 bfloat16
            changes the nearest neighbour of one photo in nine). "float32" and "bfloat16"
            are taken as they are. A network of eight-bit integers has its own. What "auto" leaves
            in float32 multiplies in TF32 on a GPU, 1.5 times as fast; it changed no nearest
            neighbour (`benchmarks/gpu.py`).

    Raises:
        PluginError: There is no such device, or it cannot run the network.
        SettingsError: The hardware does not have the required precision.
    """
    from organizer.embed.eager import TorchEngine

    found = _device(device)
    if source.int8:
        precision = "float32"  # what is not rounded to integers
        if found == "cpu" and not has_int8():
            return TorchEngine(source, device=found, precision=precision)
    if found != "cpu":
        return TorchEngine(source, device=found, precision=precision)
    if find_spec("openvino") is not None:
        from organizer.embed.openvino import OpenVinoEngine

        try:
            return OpenVinoEngine(source, precision=precision)
        except ConversionError as error:
            # An exotic network: torch runs it, only slower.
            engine = TorchEngine(source, device=found, precision=precision)
            engine.name += f" (OpenVINO cannot run it: {error})"
            return engine
    return TorchEngine(source, device=found, precision=precision)


def _device(wanted: str) -> str:
    import torch

    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if wanted == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if available[name])
    if not available[wanted]:
        raise PluginError(
            f"there is no device {wanted!r} on this machine", "use --device auto or --device cpu"
        )
    return wanted
