"""Networks and K-means on an NVIDIA GPU; where there is none, only what is said of one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from organizer.cluster import gpu
from organizer.cluster.gpu import find_gpu
from organizer.cluster.kmeans import KMeans
from organizer.embed.eager import TorchEngine
from organizer.embed.eager import _told_of_the_device as _told
from organizer.embed.network_source import NetworkSource
from organizer.embed.preprocess import Preprocessing
from organizer.errors import ClusteringError, PluginError

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


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("CUDA error: no kernel image is available for execution on the device"),
    ],
)
def test_a_gpu_that_cannot_run_a_network_is_said_with_what_to_do(error: RuntimeError) -> None:
    with pytest.raises(PluginError, match="cannot run on cuda: ") as raised, _told("cuda"):
        raise error
    assert "--device cpu" in raised.value.hint


def test_a_mistake_in_a_network_is_no_fault_of_the_gpu() -> None:
    with pytest.raises(RuntimeError, match=r"size|dimension"):
        _engine(Wrong, "cuda" if torch.cuda.is_available() else "cpu")


def test_a_fit_for_which_the_gpu_has_no_room_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(gpu, "_Rows", full)
    vectors = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    with pytest.raises(ClusteringError, match="memory of the GPU is used up") as raised:
        KMeans(n_clusters=3, engine="torch").fit_predict(vectors)
    assert "CUDA_VISIBLE_DEVICES" in raised.value.hint


@needs_a_gpu
def test_a_long_fit_runs_on_the_gpu() -> None:
    assert find_gpu() == "cuda"
    vectors = np.random.default_rng(0).normal(size=(100_000, 256)).astype(np.float32)
    kmeans = KMeans(n_clusters=400, n_init=1, max_iter=2)
    kmeans.fit_predict(vectors)
    assert torch.cuda.get_device_name() in kmeans.algorithm_
