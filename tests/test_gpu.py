"""Networks on an NVIDIA GPU; what needs none is in test_engine.py and test_kmeans.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from organizer.cluster.gpu import find_gpu
from organizer.cluster.kmeans import KMeans
from organizer.embed.eager import TorchEngine
from organizer.embed.network_source import NetworkSource
from organizer.embed.preprocess import Preprocessing
from organizer.errors import PluginError

needs_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU")

_PREPROCESSING = Preprocessing(32, (32, 32), (0.4, 0.5, 0.6), (0.2, 0.3, 0.25))


class Network(torch.nn.Module):
    """Two convolutions, one of them for each channel, and the mean over the places."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.first = torch.nn.Conv2d(3, 64, 3)
        self.second = torch.nn.Conv2d(64, 64, 3, groups=64)
        self.third = torch.nn.Conv2d(64, 96, 1)

    def forward(self, pictures: Any) -> Any:
        return self.third(self.second(self.first(pictures).relu())).mean((2, 3))


class Full(Network):
    """What torch raises where the memory of a GPU is used up."""

    def forward(self, _: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


class Wrong(Network):
    """A mistake in the network."""

    def forward(self, pictures: Any) -> Any:
        return pictures @ torch.ones(7, 7, device=pictures.device)


def _engine(network: type[Network], device: str, precision: str = "auto") -> TorchEngine:
    source = NetworkSource("network", network, _PREPROCESSING)
    return TorchEngine(source, device=device, precision=precision)


@needs_a_gpu
@pytest.mark.parametrize(("precision", "share"), [("float32", 1e-5), ("auto", 2e-3)])
@pytest.mark.parametrize("count", [1, 3, 70])
def test_vectors_are_those_of_the_processor(count: int, precision: str, share: float) -> None:
    draw = np.random.default_rng(count)
    pictures = [draw.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(count)]
    exact = _engine(Network, "cpu", "float32")(pictures)
    found = _engine(Network, "cuda", precision)(pictures)
    assert found.dtype == np.float32
    assert np.abs(found - exact).max() <= share * np.abs(exact).max()


@needs_a_gpu
def test_a_gpu_without_room_is_said_with_what_to_do() -> None:
    with pytest.raises(PluginError, match="cannot run on cuda: OutOfMemoryError") as raised:
        _engine(Full, "cuda")
    assert "--device cpu" in raised.value.hint


def test_a_mistake_in_a_network_is_no_fault_of_the_gpu() -> None:
    with pytest.raises(RuntimeError, match=r"size|dimension"):
        _engine(Wrong, "cuda" if torch.cuda.is_available() else "cpu")


@needs_a_gpu
def test_a_long_fit_runs_on_the_gpu() -> None:
    assert find_gpu() == "cuda"
    vectors = np.random.default_rng(0).normal(size=(100_000, 256)).astype(np.float32)
    kmeans = KMeans(n_clusters=400, n_init=1, max_iter=2)
    kmeans.fit_predict(vectors)
    assert torch.cuda.get_device_name() in kmeans.algorithm_
