"""Eager torch: on a GPU, and on a processor where OpenVINO is not installed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.embed.network_source import IMAGES_PER_PASS, NetworkSource
from organizer.embed.precision import has_bfloat16, use_bfloat16
from organizer.settings import available_cores
from organizer.types import Vectors


class TorchEngine:
    """Eager torch: on a GPU in half precision, on a processor a pass of its own for each core."""

    def __init__(self, source: NetworkSource, *, device: str, precision: str) -> None:
        import torch

        network = source.build().float().eval().to(memory_format=torch.channels_last)
        self.device = device
        self._dtype = _precision(network, device=device, precision=precision)
        self._network = network.to(device=device, dtype=self._dtype)
        shape = (3, 1, 1)
        self._mean = torch.tensor(source.preprocessing.mean, device=device).view(shape)
        self._std = torch.tensor(source.preprocessing.std, device=device).view(shape)
        self._pool = _one_core_each() if device == "cpu" else None
        computed = str(self._dtype).split(".")[-1]
        kind = f"int8 computed in {computed}" if source.int8 else computed
        self.name = f"torch {torch.__version__.split('+')[0]}, {kind}"
        height, width = source.preprocessing.crop
        self.dim = self._forward([np.zeros((height, width, 3), dtype=np.uint8)]).shape[1]

    def __call__(self, batch: Sequence[NDArray[np.uint8]]) -> Vectors:
        """See `organizer.embed.engine.NetworkEngine`."""
        if self._pool is None:
            return self._forward(batch)
        parts = [batch[i : i + IMAGES_PER_PASS] for i in range(0, len(batch), IMAGES_PER_PASS)]
        return np.concatenate(list(self._pool.map(self._forward, parts)))

    def _forward(self, batch: Sequence[NDArray[np.uint8]]) -> Vectors:
        import torch

        with torch.inference_mode():
            pictures = torch.from_numpy(np.stack(batch))
            if self.device == "cuda":  # from pinned memory the copy runs beside other work
                pictures = pictures.pin_memory()
            # Channels stay last in memory: that is how the pictures come, and convolutions are
            # faster for it.
            pixels = pictures.to(self.device, non_blocking=True).permute(0, 3, 1, 2)
            normalised = ((pixels.float() / 255 - self._mean) / self._std).to(self._dtype)
            vectors: Vectors = self._network(normalised).float().cpu().numpy()
        return vectors


def _precision(network: Any, *, device: str, precision: str) -> Any:
    import torch

    depthwise = any(
        isinstance(module, torch.nn.Conv2d) and module.groups == module.in_channels > 1
        for module in network.modules()
    )
    if device == "cuda":
        half = torch.bfloat16 if precision == "bfloat16" else torch.float16
        plain = precision == "float32" or (precision == "auto" and depthwise)
        return torch.float32 if plain else half
    supported = device == "cpu" and has_bfloat16()
    fast = use_bfloat16(precision, supported=supported, depthwise=depthwise)
    return torch.bfloat16 if fast else torch.float32


def _one_core_each() -> ThreadPoolExecutor:
    """Threads that each run whole forward passes on one core.

    One pass spread over all cores waits for its slowest part at every layer, and decoding runs on
    the same cores: passes side by side never wait.
    """
    import torch

    one_core = partial(torch.set_num_threads, 1)
    return ThreadPoolExecutor(available_cores(), "embed", initializer=one_core)
