from __future__ import annotations

import hashlib
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

from organizer import registry
from organizer.embed import torchvision as ours
from organizer.embed.network import NetworkEmbedder
from organizer.embed.torchvision import (
    TorchvisionNetwork,
    alexnet,
    mobilenet_v2,
    resnet18,
    torchvision_family,
    vgg16,
)
from organizer.errors import SettingsError, WeightsError
from organizer.protocols import Embedder, ReducedInput, Versioned
from tests.networks import SHAPES, far, keep_something_of, noise
from tests.torchvision_networks import (
    ALIKE,
    HEADS,
    Theirs,
    check_cut_before_classes,
    compare_by_long_name,
    compare_by_short_name,
    compare_layers_of_vgg,
    eager,
)

_GROUP = "organizer.embedders"
_CATALOGUE = [
    ours.vgg16,
    ours.vgg19,
    ours.alexnet,
    ours.resnet18,
    ours.resnet34,
    ours.resnet50,
    ours.resnet101,
    ours.inception_v3,
    ours.mobilenet_v2,
    ours.efficientnet_b0,
    ours.convnext_tiny,
    ours.vit_b_16,
]
_SHAPES = [*SHAPES, (256, 256), (64, 1000)]


@pytest.fixture(scope="module", autouse=True)
def _converted_once(converted: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(converted))
        yield


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Theirs:
    return Theirs(mobilenet_v2, tmp_path_factory.mktemp("light"))


@pytest.fixture(scope="module")
def embedder(theirs: Theirs) -> NetworkEmbedder:
    return _made(mobilenet_v2, theirs.folder)


def _made(network: TorchvisionNetwork, weights: Path) -> NetworkEmbedder:
    """The embedder as a library makes it."""
    return network(weights=weights, device="cpu", precision="float32")


def _embed(embedder: NetworkEmbedder, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    return embedder.embed([embedder.prepare(picture) for picture in pictures])


# What it computes ----------------------------------------------------------------------------


def test_features_are_those_of_torchvision(theirs: Theirs, embedder: NetworkEmbedder) -> None:
    pictures = [noise(seed, *shape) for seed, shape in enumerate(_SHAPES)]
    expected = theirs.features(pictures)
    got = _embed(embedder, pictures)
    assert got.dtype == np.float32
    assert got.shape == (len(pictures), embedder.dim)
    assert far(expected[1:], expected[:-1]) > 1e-3, "the pictures are told apart by nothing"
    assert far(got, expected) < 1e-4  # random weights magnify every rounding; see the real ones


@pytest.mark.slow
@pytest.mark.parametrize(
    "network",
    [
        ours.alexnet,
        resnet18,
        ours.inception_v3,
        ours.efficientnet_b0,
        ours.convnext_tiny,
        ours.vit_b_16,
    ],
    ids=lambda network: network.model,
)
def test_every_kind_of_a_short_name_gives_what_torchvision_gives(
    network: TorchvisionNetwork, tmp_path: Path
) -> None:
    compare_by_short_name(network, tmp_path)


@pytest.mark.slow
def test_the_layers_of_vgg_are_torchvision_s(tmp_path: Path) -> None:
    smaller = replace(vgg16, model="vgg11", url="")
    compare_layers_of_vgg(smaller, tmp_path, pool=10, pictures=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(HEADS.keys() - ALIKE))
def test_every_kind_of_network_is_cut_before_its_classes(name: str) -> None:
    check_cut_before_classes(name)


@pytest.mark.parametrize("name", ["mnasnet0_5", "swin_v2_t", "regnet_y_400mf"])
def test_a_network_by_its_long_name_is_torchvision_s(name: str, tmp_path: Path) -> None:
    compare_by_long_name(name, tmp_path)


def test_preparing_is_that_of_every_set_of_weights() -> None:
    wrong, seen = [], set()
    for model in torchvision_family.models():
        for weights in torchvision.models.get_model_weights(model):
            preset = weights.transforms()
            if repr(preset) in seen:
                continue
            seen.add(repr(preset))
            prepare = TorchvisionNetwork(model, weights.name).preprocessing()
            for shape in _SHAPES:
                picture = noise(1, *shape)
                pixels = (prepare(picture) / 255 - prepare.mean) / prepare.std
                expected = preset(Image.fromarray(picture)).numpy().transpose(1, 2, 0)
                if np.abs(pixels - expected).max() > 1e-5 * np.abs(expected).max():
                    wrong.append(weights)
    assert wrong == []
    assert len(seen) > 20


def test_a_row_does_not_depend_on_its_batch(embedder: NetworkEmbedder) -> None:
    pictures = [noise(seed, 240, 320) for seed in range(9)]
    alone = np.concatenate([_embed(embedder, [picture]) for picture in pictures])
    for count in range(1, 10):
        assert far(_embed(embedder, pictures[:count]), alone[:count]) < 1e-4
    assert far(_embed(embedder, pictures[::-1]), alone[::-1]) < 1e-4


def test_it_keeps_the_contracts(theirs: Theirs, embedder: NetworkEmbedder) -> None:
    for contract in (Embedder, ReducedInput, Versioned):
        assert isinstance(embedder, contract)
    assert embedder.device == "cpu"
    assert embedder.min_side == theirs.preset.resize_size[0]
    nothing = embedder.embed([])
    assert nothing.shape == (0, 1280)
    assert nothing.dtype == np.float32


@pytest.mark.parametrize("shape", [(4, 3000), (3000, 4), (1, 1), (1, 3000), (2, 2), (3000, 1)])
def test_extreme_shapes_are_pictures(embedder: NetworkEmbedder, shape: tuple[int, int]) -> None:
    vectors = _embed(embedder, [noise(3, *shape)])
    assert vectors.shape == (1, 1280)
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("shape", [(4, 60_000), (60_000, 4)])
def test_a_long_strip_does_not_fill_the_memory(
    embedder: NetworkEmbedder, shape: tuple[int, int]
) -> None:
    # Resized whole it would have 232 x 3,480,000 pixels.
    strip = np.full((*shape, 3), 80, np.uint8)
    strip[shape[0] // 2 - 2 : shape[0] // 2 + 2, shape[1] // 2 - 2 : shape[1] // 2 + 2] = 200
    tracemalloc.start()
    try:
        prepared = embedder.prepare(strip)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert prepared.shape == (224, 224, 3)
    assert prepared[112, 112].tolist() == [200] * 3  # the centre stays the centre
    assert peak < 50 * 1024**2


def test_threads_prepare_what_one_prepares(embedder: NetworkEmbedder) -> None:
    pictures = [noise(seed, 200 + seed, 300) for seed in range(12)]
    alone = [embedder.prepare(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(embedder.prepare, pictures))
    np.testing.assert_array_equal(together, alone)


# The weights ---------------------------------------------------------------------------------


def test_safetensors_hold_the_same_weights(theirs: Theirs, tmp_path: Path) -> None:
    save_file(theirs.model.state_dict(), tmp_path / "mobilenet_v2.safetensors")
    picture = noise(2, 256, 256)
    got = eager(mobilenet_v2, tmp_path / "mobilenet_v2.safetensors", theirs, [picture])
    assert far(got, theirs.features([picture])) < 1e-5


def test_half_precision_weights_are_used_in_full(theirs: Theirs, tmp_path: Path) -> None:
    half = {
        name: value.half() if value.is_floating_point() else value
        for name, value in theirs.model.state_dict().items()
    }
    torch.save(half, tmp_path / "mobilenet_v2.pth")
    picture = noise(2, 256, 256)
    got = _embed(_made(mobilenet_v2, tmp_path), [picture])
    assert got.dtype == np.float32
    assert far(got, theirs.features([picture])) < 0.05


def test_the_version_is_that_of_the_weights(tmp_path: Path) -> None:
    small = torchvision_family("squeezenet1_1")  # converted in a second
    state = torchvision.models.squeezenet1_1(weights=None).state_dict()
    torch.save(state, tmp_path / "same.pth")
    same = _made(small, tmp_path / "same.pth").version
    assert same == _made(small, tmp_path / "same.pth").version
    assert hashlib.sha256((tmp_path / "same.pth").read_bytes()).hexdigest()[:16] in same
    state["features.0.weight"] = state["features.0.weight"] + 1
    torch.save(state, tmp_path / "other.pth")
    assert _made(small, tmp_path / "other.pth").version != same


def test_the_head_may_be_missing_or_another(theirs: Theirs, tmp_path: Path) -> None:
    """A network trained on one's own classes has a head of its own, which is cut away."""
    picture = noise(2, 256, 256)
    expected = theirs.features([picture])
    state = dict(theirs.model.state_dict())
    state["classifier.1.weight"] = torch.zeros(7, 1280)
    state["classifier.1.bias"] = torch.zeros(7)
    torch.save(state, tmp_path / "seven.pth")
    del state["classifier.1.weight"], state["classifier.1.bias"]
    torch.save(state, tmp_path / "headless.pth")
    for name in ("seven", "headless"):
        got = eager(mobilenet_v2, tmp_path / f"{name}.pth", theirs, [picture])
        assert far(got, expected) < 1e-5


def test_the_weights_of_another_network_are_refused(theirs: Theirs, tmp_path: Path) -> None:
    torch.save(theirs.model.state_dict(), tmp_path / "resnet18.pth")
    with pytest.raises(WeightsError, match="does not hold the weights of resnet18") as caught:
        _made(resnet18, tmp_path)
    assert str(tmp_path / "resnet18.pth") in caught.value.message
    assert "\n" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("change", ["one missing", "one too many", "another shape"])
def test_weights_that_nearly_fit_are_refused(theirs: Theirs, tmp_path: Path, change: str) -> None:
    state = dict(theirs.model.state_dict())
    name = "features.0.0.weight"
    if change == "one missing":
        del state[name]
    elif change == "one too many":
        state["features.99.weight"] = state[name]
    else:
        state[name] = state[name][:, :1]
    torch.save(state, tmp_path / "mobilenet_v2.pth")
    with pytest.raises(WeightsError, match="does not hold the weights of mobilenet_v2"):
        _made(mobilenet_v2, tmp_path)


# Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", _CATALOGUE, ids=lambda network: network.model)
def test_what_a_network_tells_of_itself_is_true(
    network: TorchvisionNetwork, tmp_path: Path
) -> None:
    weights = torchvision.models.get_model_weights(network.model)
    assert network.url == weights[network.weights].url
    assert weights[network.weights] == weights.DEFAULT
    assert registry.part_factory(_GROUP, network.model) is network
    missing = network.describe(weights=tmp_path)
    assert (missing.name, missing.weights, missing.location) == (
        network.model,
        "downloadable",
        network.url,
    )
    (tmp_path / f"{network.model}.pth").write_bytes(b"not looked into")
    here = network.describe(weights=tmp_path)
    assert (here.weights, here.location) == ("here", str(tmp_path / f"{network.model}.pth"))
    assert network.describe(weights=tmp_path / "nowhere").weights == "missing"


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("vgg16@fc2", "vgg16"),
        ("vgg16@fc1", "vgg16@fc1"),
        ("torchvision:vgg16", "vgg16"),
        ("torchvision:vgg16@gap", "vgg16@gap"),
        ("torchvision:resnet50/IMAGENET1K_V2", "resnet50"),
        ("torchvision:resnet50/IMAGENET1K_V1", "torchvision:resnet50/IMAGENET1K_V1"),
        ("torchvision:squeezenet1_1@features", "torchvision:squeezenet1_1@features"),
        ("resnet18@layer3", "resnet18@layer3"),
    ],
)
def test_one_embedder_has_one_name(typed: str, known: str) -> None:
    assert registry.canonical_name(_GROUP, typed) == known
    assert registry.canonical_name(_GROUP, known) == known


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("torchvision:resnet51", "resnet50"),
        ("torchvision:resnet50/IMAGENET1K_V3", "IMAGENET1K_V2"),
        ("vgg16@fc3", "fc2"),
        ("vgg16@pool", "gap"),
    ],
)
def test_an_unknown_name_suggests_known_ones(typed: str, suggested: str) -> None:
    with pytest.raises(SettingsError) as caught:
        registry.canonical_name(_GROUP, typed)
    assert "\n" not in caught.value.message + caught.value.hint
    assert suggested in caught.value.hint


def test_what_is_cached_is_known_without_torchvision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a sample of all networks; tests/soak has them all."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "torch" / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "torch" / "hub" / "checkpoints" / "of-something-else.pth").touch()
    for network in map(torchvision_family, torchvision_family.models()[::4]):
        assert not network.may_be_cached(), network.name
        kept = keep_something_of(network.source())
        assert network.may_be_cached(), network.name
        kept.rename(kept.with_name("elsewhere"))


def test_a_network_that_does_not_classify_is_no_embedder() -> None:
    with pytest.raises(SettingsError, match="no torchvision network 'fasterrcnn_resnet50_fpn'"):
        torchvision_family("fasterrcnn_resnet50_fpn").source()


def test_a_layer_that_the_network_lacks_suggests_its_own(theirs: Theirs) -> None:
    with pytest.raises(SettingsError, match=r"no layer of mobilenet_v2 'features\.81'") as caught:
        _made(mobilenet_v2.at("features.81"), theirs.folder)
    assert "features.18" in caught.value.hint


def test_layers_are_made_of_the_same_file() -> None:
    for network in (vgg16, alexnet):
        for layer in network.aliases:
            assert network.at(layer).expected_source.stem == network.model
            assert network.at(layer).source().url == network.url


@pytest.mark.weights
def test_real_weights_give_what_torchvision_gives(real_weights: Path, real_photos: Path) -> None:
    model: Any = torchvision.models.mobilenet_v2(weights=None).eval()
    model.load_state_dict(torch.load(real_weights / "mobilenet_v2.pth", weights_only=True))
    preset = torchvision.models.MobileNet_V2_Weights.IMAGENET1K_V2.transforms()
    pictures = [Image.open(file).convert("RGB") for file in _some_photos(real_photos, each=4)]
    with torch.inference_mode():
        maps = model.features(torch.stack([preset(picture) for picture in pictures]))
    got = _embed(_made(mobilenet_v2, real_weights), [np.asarray(p) for p in pictures])
    assert far(got, maps.mean((2, 3)).numpy()) < 1e-5


def _some_photos(folder: Path, *, each: int) -> list[Path]:
    sets = ("wildcats", "catsdogs", "caltech20")
    return [file for name in sets for file in sorted((folder / name).rglob("*.jpg"))[:each]]


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
