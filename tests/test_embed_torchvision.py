from __future__ import annotations

import hashlib
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

from organizer.embed.torchvision import Network, TorchvisionEmbedder, mobilenet_v2, resnet50, vgg16
from organizer.errors import PluginError, WeightsError
from organizer.protocols import Embedder, ReducedInput, Versioned

_PRESETS: dict[str, Any] = {
    "mobilenet_v2": torchvision.models.MobileNet_V2_Weights.IMAGENET1K_V2,
    "resnet50": torchvision.models.ResNet50_Weights.IMAGENET1K_V2,
    "vgg16": torchvision.models.VGG16_Weights.IMAGENET1K_V1,
}
_slow = pytest.mark.slow
_NETWORKS = [
    pytest.param(mobilenet_v2, id="mobilenet_v2"),
    pytest.param(resnet50, id="resnet50"),
    pytest.param(vgg16, id="vgg16", marks=_slow),  # 528 MB of weights
]


class Pair:
    """An embedder made from a weights file, and torchvision's own network with these weights."""

    def __init__(self, network: Network, folder: Path) -> None:
        torch.manual_seed(7)
        self.model: Any = torchvision.models.get_model(network.name, weights=None).eval()
        _stir(self.model)
        torch.save(self.model.state_dict(), folder / f"{network.name}.pth")
        self.preset: Any = _PRESETS[network.name].transforms()
        self.name = network.name
        self.embedder = network(weights=folder, device="cpu")

    def features(self, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """What torchvision itself makes of the pictures, one at a time."""
        with torch.inference_mode():
            rows = [self._row(self.preset(Image.fromarray(picture))[None]) for picture in pictures]
        features: NDArray[np.float32] = torch.cat(rows).numpy()
        return features

    def _row(self, pixels: Any) -> Any:
        if self.name == "mobilenet_v2":
            return self.model.features(pixels).mean(dim=(2, 3))
        if self.name == "vgg16":
            flat = torch.flatten(self.model.avgpool(self.model.features(pixels)), 1)
            return self.model.classifier[:5](flat)
        kept: list[Any] = []
        hook = self.model.avgpool.register_forward_hook(lambda *call: kept.append(call[2]))
        self.model(pixels)
        hook.remove()
        return torch.flatten(kept[0], 1)


def _stir(model: Any) -> None:
    """Statistics as training leaves them: fresh ones would not show whether they were loaded."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]


@pytest.fixture(scope="module", params=_NETWORKS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(request.param, tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(mobilenet_v2, tmp_path_factory.mktemp("light"))


def _noise(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """Coarse noise: a picture that survives resizing."""
    draw = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(draw).resize((width, height), Image.Resampling.BICUBIC))


_SHAPES = [(300, 400), (400, 300), (256, 256), (224, 224), (91, 130), (601, 337), (64, 1000)]


def _far(got: NDArray[Any], expected: NDArray[Any]) -> float:
    """The largest difference as a share of the largest value."""
    assert got.shape == expected.shape
    return float(np.abs(got - expected).max() / np.abs(expected).max())


def _embed(embedder: TorchvisionEmbedder, pictures: list[NDArray[np.uint8]]) -> Any:
    return embedder.embed([embedder.prepare(picture) for picture in pictures])


def test_features_are_those_of_torchvision(pair: Pair) -> None:
    pictures = [_noise(seed, *shape) for seed, shape in enumerate(_SHAPES[:4])]
    got = _embed(pair.embedder, pictures)
    assert got.dtype == np.float32
    assert got.shape == (len(pictures), pair.embedder.dim)
    assert got.std(axis=0).max() > 0
    assert _far(got, pair.features(pictures)) < 1e-5


@pytest.mark.parametrize("shape", _SHAPES)
def test_preparing_is_that_of_torchvision(pair: Pair, shape: tuple[int, int]) -> None:
    picture = _noise(1, *shape)
    prepared = pair.embedder.prepare(picture)
    mean, std = np.array(pair.preset.mean), np.array(pair.preset.std)
    got = ((prepared / 255 - mean) / std).transpose(2, 0, 1)
    expected = pair.preset(Image.fromarray(picture)).numpy()
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_a_row_does_not_depend_on_its_batch(pair: Pair) -> None:
    pictures = [_noise(seed, 240, 320) for seed in range(5)]
    together = _embed(pair.embedder, pictures)
    alone = np.concatenate([_embed(pair.embedder, [picture]) for picture in pictures])
    assert _far(together, alone) < 1e-4
    backwards = _embed(pair.embedder, pictures[::-1])
    assert _far(together, backwards[::-1]) < 1e-4


def test_it_keeps_the_contracts(pair: Pair) -> None:
    assert isinstance(pair.embedder, Embedder)
    assert isinstance(pair.embedder, ReducedInput)
    assert isinstance(pair.embedder, Versioned)
    assert pair.embedder.device == "cpu"
    assert pair.embedder.min_side == pair.preset.resize_size[0]


def test_no_pictures_give_no_rows(light: Pair) -> None:
    vectors = light.embedder.embed([])
    assert vectors.shape == (0, 1280)
    assert vectors.dtype == np.float32


@pytest.mark.parametrize("shape", [(4, 3000), (3000, 4), (1, 1), (1, 3000), (2, 2), (3000, 1)])
def test_extreme_shapes_are_pictures(light: Pair, shape: tuple[int, int]) -> None:
    vectors = _embed(light.embedder, [_noise(3, *shape)])
    assert vectors.shape == (1, 1280)
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("shape", [(4, 60_000), (60_000, 4)])
def test_a_long_strip_does_not_fill_the_memory(light: Pair, shape: tuple[int, int]) -> None:
    # Resized whole it would have 232 x 3,480,000 pixels.
    strip = np.full((*shape, 3), 80, np.uint8)
    strip[shape[0] // 2 - 2 : shape[0] // 2 + 2, shape[1] // 2 - 2 : shape[1] // 2 + 2] = 200
    tracemalloc.start()
    try:
        prepared = light.embedder.prepare(strip)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert prepared.shape == (224, 224, 3)
    assert prepared[112, 112].tolist() == [200] * 3  # the centre stays the centre
    assert peak < 50 * 1024**2


def test_a_strip_that_is_not_too_long_is_prepared_as_torchvision_does(light: Pair) -> None:
    picture = _noise(5, 40, 640)
    mean, std = np.array(light.preset.mean), np.array(light.preset.std)
    got = ((light.embedder.prepare(picture) / 255 - mean) / std).transpose(2, 0, 1)
    np.testing.assert_allclose(got, light.preset(Image.fromarray(picture)).numpy(), atol=1e-5)


def test_threads_prepare_what_one_prepares(light: Pair) -> None:
    pictures = [_noise(seed, 200 + seed, 300) for seed in range(12)]
    alone = [light.embedder.prepare(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(light.embedder.prepare, pictures))
    np.testing.assert_array_equal(together, alone)


def test_safetensors_hold_the_same_weights(light: Pair, tmp_path: Path) -> None:
    save_file(light.model.state_dict(), tmp_path / "mobilenet_v2.safetensors")
    other = mobilenet_v2(weights=tmp_path, device="cpu")
    picture = _noise(2, 256, 256)
    np.testing.assert_array_equal(_embed(other, [picture]), _embed(light.embedder, [picture]))
    assert other.version != light.embedder.version  # another file, however alike


def test_half_precision_weights_are_used_in_full(light: Pair, tmp_path: Path) -> None:
    half = {
        name: value.half() if value.is_floating_point() else value
        for name, value in light.model.state_dict().items()
    }
    torch.save(half, tmp_path / "mobilenet_v2.pth")
    picture = _noise(2, 256, 256)
    got = _embed(mobilenet_v2(weights=tmp_path, device="cpu"), [picture])
    assert got.dtype == np.float32
    assert _far(got, _embed(light.embedder, [picture])) < 0.01


def test_the_version_is_that_of_the_weights(light: Pair, tmp_path: Path) -> None:
    state = light.model.state_dict()
    torch.save(state, tmp_path / "same.pth")
    same = mobilenet_v2(weights=tmp_path / "same.pth", device="cpu").version
    assert same == mobilenet_v2(weights=tmp_path / "same.pth", device="cpu").version
    assert hashlib.sha256((tmp_path / "same.pth").read_bytes()).hexdigest()[:16] in same
    state["features.0.0.weight"] = state["features.0.0.weight"] + 1
    torch.save(state, tmp_path / "other.pth")
    assert mobilenet_v2(weights=tmp_path / "other.pth", device="cpu").version != same


def test_the_weights_of_another_network_are_refused(light: Pair, tmp_path: Path) -> None:
    torch.save(light.model.state_dict(), tmp_path / "resnet50.pth")
    with pytest.raises(WeightsError, match="names or shapes differ") as caught:
        resnet50(weights=tmp_path, device="cpu")
    assert str(tmp_path / "resnet50.pth") in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("change", ["one missing", "one too many", "another shape"])
def test_weights_that_nearly_fit_are_refused(light: Pair, tmp_path: Path, change: str) -> None:
    state = dict(light.model.state_dict())
    name = "features.0.0.weight"
    if change == "one missing":
        del state[name]
    elif change == "one too many":
        state["features.99.weight"] = state[name]
    else:
        state[name] = state[name][:, :1]
    torch.save(state, tmp_path / "mobilenet_v2.pth")
    with pytest.raises(WeightsError, match="names or shapes differ"):
        mobilenet_v2(weights=tmp_path, device="cpu")


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_named(light: Pair, tmp_path: Path, device: str) -> None:
    backend: Any = torch.cuda if device == "cuda" else torch.backends.mps
    if backend.is_available():
        pytest.skip(f"this machine has {device}")
    torch.save(light.model.state_dict(), tmp_path / "mobilenet_v2.pth")
    with pytest.raises(PluginError, match=device):
        mobilenet_v2(weights=tmp_path, device=device)


@pytest.mark.parametrize("network", [mobilenet_v2, resnet50, vgg16], ids=lambda n: n.name)
def test_what_a_network_tells_of_itself_is_true(network: Network, tmp_path: Path) -> None:
    missing = network.describe(weights=tmp_path)
    assert (missing.name, missing.weights, missing.location) == (
        network.name,
        "downloadable",
        network.url,
    )
    (tmp_path / f"{network.name}.pth").write_bytes(b"not looked into")
    here = network.describe(weights=tmp_path)
    assert (here.weights, here.location) == ("here", str(tmp_path / f"{network.name}.pth"))
    assert network.describe(weights=tmp_path / "nowhere").weights == "missing"


def test_the_address_of_the_weights_is_torchvision_s_own() -> None:
    for network in (mobilenet_v2, resnet50, vgg16):
        assert network.url == _PRESETS[network.name].url
        assert network.weights == str(_PRESETS[network.name])


@pytest.mark.weights
def test_real_weights_tell_big_cats_apart(real_weights: Path, real_photos: Path) -> None:
    embedder = mobilenet_v2(weights=real_weights, device="cpu")
    labels: list[str] = []
    rows = []
    for kind in ("tiger", "lion", "cheetah"):
        files = sorted((real_photos / "wildcats" / kind).glob("*.jpg"))[:20]
        labels += [kind] * len(files)
        for file in files:
            with Image.open(file) as picture:
                rows.append(embedder.prepare(np.asarray(picture.convert("RGB"))))
    assert len(rows) == 60
    vectors = embedder.embed(rows)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -1)
    agreement = np.mean([labels[i] == labels[j] for i, j in enumerate(alike.argmax(axis=1))])
    assert agreement > 0.8  # by chance a third
