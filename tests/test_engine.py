from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from organizer import registry
from organizer.embed import engine
from organizer.embed.eager import TorchEngine
from organizer.embed.engine import engine_for
from organizer.embed.network import NetworkEmbedder
from organizer.embed.network_source import NetworkSource
from organizer.embed.openvino import OpenVinoEngine
from organizer.embed.precision import has_bfloat16
from organizer.embed.preprocess import Preprocessing
from organizer.errors import PluginError, SettingsError
from organizer.types import PartSpec

pytestmark = pytest.mark.skipif(not find_spec("openvino"), reason="OpenVINO is not installed")

on_each_network = pytest.mark.parametrize(
    ("name", "file"),
    [
        ("mobilenet_v2", "mobilenet_v2.pth"),
        ("torchvision:squeezenet1_1@features", "squeezenet1_1-features.pth"),
    ],
)

_PREPROCESSING = Preprocessing(16, (16, 16), (0.4, 0.5, 0.6), (0.2, 0.3, 0.25))


class Small(torch.nn.Module):
    """A convolution, the mean over the places, two numbers more."""

    def __init__(self, *, depthwise: bool = False) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.convolution = torch.nn.Conv2d(3, 6, 3, groups=3 if depthwise else 1)

    def forward(self, pictures: Any) -> Any:
        return self.convolution(pictures).relu().mean((2, 3))


class DependsOnTheExample(Small):
    """What a trace takes for a constant."""

    def forward(self, pictures: Any) -> Any:
        vectors = super().forward(pictures)
        return vectors if float(pictures.sum()) == 0 else 2 * vectors


class Exotic(Small):
    """An operation that OpenVINO does not know."""

    def forward(self, pictures: Any) -> Any:
        return torch.linalg.svdvals(super().forward(pictures)[:, :, None])[:, :1].expand(-1, 6)


class Source:
    """The source of a network, which counts how often it is built."""

    def __init__(self, network: type[torch.nn.Module] = Small, **options: Any) -> None:
        self.built = 0
        self._network, self._options = network, options
        self.source = NetworkSource(f"{network.__name__}-{options}", self._build, _PREPROCESSING)

    def _build(self) -> torch.nn.Module:
        self.built += 1
        return self._network(**self._options)

    def expected(self, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        pixels = (np.stack(pictures) / 255 - _PREPROCESSING.mean) / _PREPROCESSING.std
        with torch.inference_mode():
            given = torch.from_numpy(pixels).float().permute(0, 3, 1, 2)
            vectors: NDArray[np.float32] = self._network(**self._options)(given).numpy()
        return vectors


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of converted models."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "organizer" / "openvino"


def _pictures(count: int) -> list[NDArray[np.uint8]]:
    draw = np.random.default_rng(count)
    return [draw.integers(0, 256, (16, 16, 3), dtype=np.uint8) for _ in range(count)]


def _made(source: Source, *, precision: str = "float32") -> engine.NetworkEngine:
    return engine_for(source.source, device="cpu", precision=precision)


@pytest.mark.parametrize("kind", [OpenVinoEngine, TorchEngine])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9, 31])
@pytest.mark.usefixtures("cache")
def test_vectors_are_the_network_s_in_order(kind: Any, count: int) -> None:
    source, pictures = Source(), _pictures(count)
    where = {"device": "cpu"} if kind is TorchEngine else {}
    made = kind(source.source, precision="float32", **where)
    got = made(pictures)
    assert got.shape == (count, made.dim) == (count, 6)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, source.expected(pictures), rtol=1e-4, atol=1e-5)


def test_a_network_is_converted_once(cache: Path) -> None:
    source = Source()
    first = _made(source)
    assert source.built == 1
    assert first.name.startswith("OpenVINO ")
    assert sorted(file.suffix for file in cache.iterdir()) == [".bin", ".blake3", ".xml"]
    again = Source()
    second = _made(again)
    assert again.built == 0
    pictures = _pictures(5)
    np.testing.assert_array_equal(second(pictures), first(pictures))


@pytest.mark.parametrize("suffix", [".xml", ".bin", ".blake3"])
@pytest.mark.parametrize("damage", ["emptied", "cut", "a bit flipped", "zeros", "gone"])
def test_a_damaged_copy_is_made_anew(cache: Path, suffix: str, damage: str) -> None:
    _made(Source())
    (file,) = cache.glob(f"*{suffix}")
    data = file.read_bytes()
    middle = len(data) // 2
    damaged = {
        "emptied": b"",
        "cut": data[:middle],
        "a bit flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "zeros": bytes(len(data)),
    }
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(damaged[damage])
    source, again, pictures = Source(), Source(), _pictures(3)
    made = _made(source)
    np.testing.assert_allclose(made(pictures), source.expected(pictures), rtol=1e-4, atol=1e-5)
    assert source.built == 1
    _made(again)
    assert again.built == 0


def test_a_cache_that_cannot_be_written_costs_only_time(cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"a file where the folder would be")
    source, pictures = Source(), _pictures(3)
    made = _made(source)
    np.testing.assert_allclose(made(pictures), source.expected(pictures), rtol=1e-4, atol=1e-5)
    assert "converted anew at every start" in made.name


@pytest.mark.parametrize("network", [DependsOnTheExample, Exotic])
def test_what_cannot_be_converted_right_runs_in_torch(cache: Path, network: Any) -> None:
    source, pictures = Source(network), _pictures(6)
    made = _made(source)
    assert made.name.startswith("torch ")
    assert "OpenVINO cannot run it" in made.name
    np.testing.assert_allclose(made(pictures), source.expected(pictures), rtol=1e-4, atol=1e-5)
    assert not list(cache.glob("*"))


@pytest.mark.usefixtures("cache")
def test_without_openvino_torch_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda _: None)
    source, pictures = Source(), _pictures(6)
    made = _made(source)
    assert made.name == f"torch {torch.__version__.split('+')[0]}, float32"
    np.testing.assert_allclose(made(pictures), source.expected(pictures), rtol=1e-4, atol=1e-5)


# Precision -----------------------------------------------------------------------------------


@pytest.mark.parametrize("with_openvino", [True, False])
@pytest.mark.usefixtures("cache")
def test_precision_is_what_was_ordered(
    monkeypatch: pytest.MonkeyPatch, *, with_openvino: bool
) -> None:
    if not with_openvino:
        monkeypatch.setattr(engine, "find_spec", lambda _: None)
    dense, depthwise = Source(), Source(depthwise=True)
    assert _made(dense, precision="float32").name.endswith(", float32")
    assert _made(depthwise, precision="auto").name.endswith(", float32")
    if has_bfloat16():
        assert _made(dense, precision="auto").name.endswith(", bfloat16")
        made = _made(depthwise, precision="bfloat16")
        assert made.name.endswith(", bfloat16")
        pictures = _pictures(6)
        got, expected = made(pictures), depthwise.expected(pictures)
        assert 0 < np.abs(got - expected).max() < 0.02 * np.abs(expected).max()
    else:
        assert _made(dense, precision="auto").name.endswith(", float32")
        with pytest.raises(SettingsError, match="bfloat16"):
            _made(dense, precision="bfloat16")


@pytest.mark.usefixtures("cache")
def test_bfloat16_is_not_imitated(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenVINO would, on a processor with AVX-512 alone."""
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False)
    for there in (True, False):
        monkeypatch.setattr(engine, "find_spec", lambda _, there=there: there or None)
        assert _made(Source(), precision="auto").name.endswith(", float32")
        with pytest.raises(SettingsError, match="no bfloat16 units"):
            _made(Source(), precision="bfloat16")


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_named(device: str) -> None:
    backend: Any = torch.cuda if device == "cuda" else torch.backends.mps
    if backend.is_available():
        pytest.skip(f"this machine has {device}")
    with pytest.raises(PluginError, match=device):
        engine_for(Source().source, device=device, precision="auto")


@pytest.mark.weights
@on_each_network
def test_the_fast_way_tells_real_photos_apart_as_float32_does(
    real_weights: Path, real_photos: Path, name: str, file: str
) -> None:
    compare_fast_and_exact(name, real_weights / file, photos_in(real_photos, each=50))


def compare_fast_and_exact(name: str, weights: Path, photos: list[Path]) -> None:
    """The fastest precision finds the neighbours that float32 finds."""
    if not weights.exists():
        pytest.skip(f"NOT TESTED: there is no {weights.name}")
    fast, exact = _vectors(name, weights, photos)
    mean = exact.mean(axis=0)
    cosines = (_unit(fast - mean) * _unit(exact - mean)).sum(axis=1)
    assert cosines.min() > 0.995
    distances = 1 - _unit(exact) @ _unit(exact).T
    np.fill_diagonal(distances, 9)
    alike = _unit(fast) @ _unit(fast).T
    np.fill_diagonal(alike, -9)
    rows = np.arange(len(exact))
    found, nearest = distances[rows, alike.argmax(axis=1)], distances.min(axis=1)
    # Two photos may be as near as can be told: either is the nearest neighbour then.
    assert (found > 1.005 * nearest).mean() < 0.01


def _vectors(name: str, weights: Path, files: list[Path]) -> list[NDArray[np.float32]]:
    found: list[NDArray[np.float32]] = []
    for precision in ("auto", "float32"):
        options = {"weights": weights, "device": "cpu", "precision": precision}
        part: NetworkEmbedder
        _, part = registry.create_part("organizer.embedders", PartSpec(name), options=options)
        pictures = [part.prepare(np.asarray(Image.open(f).convert("RGB"))) for f in files]
        found.append(part.embed(pictures))
    return found


def photos_in(folder: Path, *, each: int) -> list[Path]:
    """Some of every set of photos."""
    sets = sorted(place for place in folder.iterdir() if place.is_dir())
    files = [sorted((place).rglob("*.jp*g")) for place in sets]
    return [file for some in files if some for file in some[:: max(1, len(some) // each)]]


def _unit(vectors: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


# What it does besides ------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="the home folder as POSIX has it")
def test_nothing_is_reported_to_anybody(tmp_path: Path) -> None:
    """OpenVINO comes with a package that reports its use, and leaves a folder in the home."""
    code = (
        "import sys, threading, tests.test_engine as t\n"
        "assert t._made(t.Source()).name.startswith('OpenVINO')\n"
        "assert sys.modules['openvino_telemetry'] is None\n"
        "print([thread.name for thread in threading.enumerate()])\n"
    )
    # As the program does it: nothing but the engine imports OpenVINO.
    code = "from organizer.embed.openvino import _openvino; _openvino()\n" + code
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "CI": ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **home},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "['MainThread']\n"
    assert [file.name for file in tmp_path.iterdir()] == ["cache"]
