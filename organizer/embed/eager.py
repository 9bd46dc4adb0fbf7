"""Eager torch: on a GPU, and on a processor where OpenVINO is not installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.embed.network_source import IMAGES_PER_PASS, NetworkSource
from organizer.embed.precision import has_bfloat16, use_bfloat16
from organizer.embed.preprocess import Preprocessing
from organizer.errors import PluginError, one_line
from organizer.settings import available_cores
from organizer.types import Vectors


class TorchEngine:
    """Eager torch: on a GPU in half precision, on a processor a pass of its own for each core."""

    def __init__(self, source: NetworkSource, *, device: str, precision: str) -> None:
        import torch

        network = source.build().float().eval().to(memory_format=torch.channels_last)
        self.device = device
        self._dtype = _precision(network, device=device, precision=precision)
        # Left alone, cuDNN rounds what it multiplies to ten bits (TF32), as float16 has.
        self._exact = precision == "float32"
        self._network = network
        self._pool = _one_core_each() if device == "cpu" else None
        computed = str(self._dtype).split(".")[-1]
        if device == "cuda" and computed == "float32" and not self._exact:
            computed += " with TF32 products"
        kind = f"int8 computed in {computed}" if source.int8 else computed
        self.name = f"torch {torch.__version__.split('+')[0]}, {kind}"
        with _told_of_the_device(device):
            self.dim = self._start(source.preprocessing)

    def __call__(self, batch: Sequence[NDArray[np.uint8]]) -> Vectors:
        """See `organizer.embed.engine.NetworkEngine`."""
        if self._pool is None:
            return self._forward(batch)
        parts = [batch[i : i + IMAGES_PER_PASS] for i in range(0, len(batch), IMAGES_PER_PASS)]
        return np.concatenate(list(self._pool.map(self._forward, parts)))

    def _start(self, preprocessing: Preprocessing) -> int:
        """Put the network on its device, and see that it runs there; the length of a vector."""
        import torch

        self._network = self._network.to(device=self.device, dtype=self._dtype)
        shape = (3, 1, 1)
        self._mean = torch.tensor(preprocessing.mean, device=self.device).view(shape)
        self._std = torch.tensor(preprocessing.std, device=self.device).view(shape)
        height, width = preprocessing.crop
        return int(self._forward([np.zeros((height, width, 3), dtype=np.uint8)]).shape[1])

    def _forward(self, batch: Sequence[NDArray[np.uint8]]) -> Vectors:
        import torch

        tf32 = torch.backends.cudnn.flags(enabled=True, allow_tf32=not self._exact)
        with torch.inference_mode(), tf32 if self.device == "cuda" else nullcontext():
            # From pinned memory the copy to a GPU is several times as fast.
            shape = (len(batch), *batch[0].shape)
            pinned = self.device == "cuda"
            pictures = torch.empty(shape, dtype=torch.uint8, pin_memory=pinned)
            np.stack(batch, out=pictures.numpy())
            # Channels stay last in memory: that is how the pictures come, and convolutions are
            # faster for it.
            pixels = pictures.to(self.device, non_blocking=True).permute(0, 3, 1, 2)
            normalised = ((pixels.float() / 255 - self._mean) / self._std).to(self._dtype)
            vectors: Vectors = self._network(normalised).float().cpu().numpy()
        return vectors


@contextmanager
def _told_of_the_device(device: str) -> Iterator[None]:
    """Say what to do where a GPU cannot run a network: it is full, or too old for this torch."""
    try:
        yield
    except RuntimeError as error:
        if device == "cpu" or not _of_the_device(error):
            raise
        raise PluginError(
            f"the network cannot run on {device}: {one_line(error)}",
            "close other programs that use the GPU, or run it on the processor: --device cpu",
        ) from error


def _of_the_device(error: RuntimeError) -> bool:
    import torch

    words = ("CUDA error", "CUDNN_", "cuDNN error", "MPS backend")
    return isinstance(error, torch.OutOfMemoryError) or any(word in str(error) for word in words)


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
