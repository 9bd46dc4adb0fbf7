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
from tests.networks import enliven, keep_something_of

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
_HEADS = {
    "densenet121": "classifier",
    "googlenet": "fc",
    "maxvit_t": "classifier.5",
    "mobilenet_v3_small": "classifier.3",
    "regnet_y_400mf": "fc",
    "resnext50_32x4d": "fc",
    "shufflenet_v2_x0_5": "fc",
    "swin_t": "head",
    "swin_v2_t": "head",
    "vgg11_bn": "classifier.6",
    "vit_l_16": "heads.head",
    "wide_resnet50_2": "fc",
}
_SHAPES = [(300, 400), (400, 300), (256, 256), (224, 224), (91, 130), (601, 337), (64, 1000)]


class Theirs:
    """torchvision's own network with random weights, and the folder in which these lie."""

    def __init__(self, network: TorchvisionNetwork, folder: Path) -> None:
        torch.manual_seed(7)
        chosen = torchvision.models.get_model_weights(network.model)[network.weights]
        self.name, self.folder = network.model, folder
        self.preset: Any = chosen.transforms()
        self.model: Any = torchvision.models.get_model(
            network.model, weights=None, **_as_with_weights(network.model)
        )
        enliven(self.model, self.preset.crop_size[0])
        torch.save(self.model.state_dict(), folder / f"{network.model}.pth")

    def features(self, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """What torchvision's own last linear layer is given, one picture at a time."""
        *_, last = (m for m in self.model.modules() if isinstance(m, torch.nn.Linear))
        return self.at(last, pictures, given=True)

    def at(
        self, module: Any, pictures: list[NDArray[np.uint8]], *, given: bool = False
    ) -> NDArray[np.float32]:
        """What a module gives, or is given, in torchvision's own forward pass."""
        kept: list[Any] = []
        hook = module.register_forward_hook(
            lambda _, inputs, output: kept.append(inputs[0] if given else output)
        )
        with torch.inference_mode():
            for picture in pictures:
                self.model(self.preset(Image.fromarray(picture))[None])
        hook.remove()
        features: NDArray[np.float32] = torch.cat(kept).clone().numpy()
        return features


def _as_with_weights(model: str) -> dict[str, Any]:
    """What torchvision's builders set when they are given weights."""
    inception = {"transform_input": True, "aux_logits": True, "init_weights": True}
    if model == "maxvit_t":
        return {"input_size": (224, 224)}
    return inception if model == "inception_v3" else {}


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


def _noise(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """Coarse noise: a picture that survives resizing."""
    draw = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(draw).resize((width, height), Image.Resampling.BICUBIC))


def _far(got: NDArray[Any], expected: NDArray[Any]) -> float:
    """The largest difference as a share of the largest value."""
    assert got.shape == expected.shape
    return float(np.abs(got - expected).max() / np.abs(expected).max())


def _embed(embedder: NetworkEmbedder, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    return embedder.embed([embedder.prepare(picture) for picture in pictures])


def _eager(network: TorchvisionNetwork, weights: Path, theirs: Theirs, pictures: list[Any]) -> Any:
    """What our cut network makes of pictures as torchvision's preset has them."""
    with torch.inference_mode():
        pixels = torch.stack([theirs.preset(Image.fromarray(picture)) for picture in pictures])
        return network.build(weights).eval()(pixels).numpy()


# What it computes ----------------------------------------------------------------------------


def test_features_are_those_of_torchvision(theirs: Theirs, embedder: NetworkEmbedder) -> None:
    pictures = [_noise(seed, *shape) for seed, shape in enumerate(_SHAPES)]
    expected = theirs.features(pictures)
    got = _embed(embedder, pictures)
    assert got.dtype == np.float32
    assert got.shape == (len(pictures), embedder.dim)
    assert _far(expected[1:], expected[:-1]) > 1e-3, "the pictures are told apart by nothing"
    assert _far(got, expected) < 1e-4  # random weights magnify every rounding; see the real ones


@pytest.mark.slow
@pytest.mark.parametrize("network", _CATALOGUE, ids=lambda network: network.model)
def test_every_network_of_a_short_name_gives_what_torchvision_gives(
    network: TorchvisionNetwork, tmp_path: Path
) -> None:
    known = Theirs(network, tmp_path)
    pictures = [_noise(seed, 300, 400) for seed in range(2)]
    expected = known.features(pictures)
    got = _eager(network, tmp_path / f"{network.model}.pth", known, pictures)
    assert got.shape == (2, network.dim)
    assert _far(got, expected) < 1e-5


@pytest.mark.slow
def test_the_layers_of_vgg_are_torchvision_s(tmp_path: Path) -> None:
    known = Theirs(vgg16, tmp_path)
    pictures = [_noise(seed, 300, 400) for seed in range(2)]
    file, model = tmp_path / "vgg16.pth", known.model
    expected = {
        "fc1": known.at(model.classifier[1], pictures),
        "fc2": known.at(model.classifier[4], pictures),
        "conv": known.at(model.avgpool, pictures).reshape(2, -1),
        "gap": known.at(model.features, pictures).mean(axis=(2, 3)),
        "features.16": known.at(model.features[16], pictures).mean(axis=(2, 3)),
    }
    assert [v.shape[1] for v in expected.values()] == [4096, 4096, 25088, 512, 256]
    for layer, vectors in expected.items():
        assert _far(_eager(vgg16.at(layer), file, known, pictures), vectors) < 1e-5, layer


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "densenet121",
        "efficientnet_v2_s",
        "googlenet",
        "maxvit_t",
        "mobilenet_v3_small",
        "regnet_y_400mf",
        "resnext50_32x4d",
        "shufflenet_v2_x0_5",
        "squeezenet1_0",
        "swin_t",
        "swin_v2_t",
        "vgg11_bn",
        "vit_l_16",
        "wide_resnet50_2",
    ],
)
def test_every_kind_of_network_is_cut_before_its_classes(name: str) -> None:
    network = torchvision_family(name)
    model = network._without_weights()
    cut = {key.rpartition(".")[0] for key in model.known - set(model.extractor.state_dict())}
    traced = ("aux", "blocks")  # training's second head, and tables that are constants in a trace
    assert {key for key in cut if not key.startswith(traced)} == {_HEADS.get(name, "classifier.1")}
    assert network.preprocessing().min_side > 0


@pytest.mark.parametrize("name", ["mnasnet0_5", "maxvit_t", "swin_v2_t", "regnet_y_400mf"])
def test_a_network_by_its_long_name_is_torchvision_s(name: str, tmp_path: Path) -> None:
    network = torchvision_family(name)
    chosen = torchvision.models.get_model_weights(name).DEFAULT
    known = Theirs(TorchvisionNetwork(name, chosen.name), tmp_path)
    pictures = [_noise(seed, 300, 400) for seed in range(2)]
    got = _eager(network, tmp_path / f"{name}.pth", known, pictures)
    assert _far(got, known.features(pictures)) < 1e-5


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
                picture = _noise(1, *shape)
                pixels = (prepare(picture) / 255 - prepare.mean) / prepare.std
                expected = preset(Image.fromarray(picture)).numpy().transpose(1, 2, 0)
                if np.abs(pixels - expected).max() > 1e-5 * np.abs(expected).max():
                    wrong.append(weights)
    assert wrong == []
    assert len(seen) > 20


def test_a_row_does_not_depend_on_its_batch(embedder: NetworkEmbedder) -> None:
    pictures = [_noise(seed, 240, 320) for seed in range(9)]
    alone = np.concatenate([_embed(embedder, [picture]) for picture in pictures])
    for count in range(1, 10):
        assert _far(_embed(embedder, pictures[:count]), alone[:count]) < 1e-4
    assert _far(_embed(embedder, pictures[::-1]), alone[::-1]) < 1e-4


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
    vectors = _embed(embedder, [_noise(3, *shape)])
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
    pictures = [_noise(seed, 200 + seed, 300) for seed in range(12)]
    alone = [embedder.prepare(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(embedder.prepare, pictures))
    np.testing.assert_array_equal(together, alone)


# The weights ---------------------------------------------------------------------------------


def test_safetensors_hold_the_same_weights(theirs: Theirs, tmp_path: Path) -> None:
    save_file(theirs.model.state_dict(), tmp_path / "mobilenet_v2.safetensors")
    picture = _noise(2, 256, 256)
    got = _eager(mobilenet_v2, tmp_path / "mobilenet_v2.safetensors", theirs, [picture])
    assert _far(got, theirs.features([picture])) < 1e-5


def test_half_precision_weights_are_used_in_full(theirs: Theirs, tmp_path: Path) -> None:
    half = {
        name: value.half() if value.is_floating_point() else value
        for name, value in theirs.model.state_dict().items()
    }
    torch.save(half, tmp_path / "mobilenet_v2.pth")
    picture = _noise(2, 256, 256)
    got = _embed(_made(mobilenet_v2, tmp_path), [picture])
    assert got.dtype == np.float32
    assert _far(got, theirs.features([picture])) < 0.05


def test_the_version_is_that_of_the_weights(theirs: Theirs, tmp_path: Path) -> None:
    state = theirs.model.state_dict()
    torch.save(state, tmp_path / "same.pth")
    same = _made(mobilenet_v2, tmp_path / "same.pth").version
    assert same == _made(mobilenet_v2, tmp_path / "same.pth").version
    assert hashlib.sha256((tmp_path / "same.pth").read_bytes()).hexdigest()[:16] in same
    state["features.0.0.weight"] = state["features.0.0.weight"] + 1
    torch.save(state, tmp_path / "other.pth")
    assert _made(mobilenet_v2, tmp_path / "other.pth").version != same


def test_the_head_may_be_missing_or_another(theirs: Theirs, tmp_path: Path) -> None:
    """A network trained on one's own classes has a head of its own, which is cut away."""
    picture = _noise(2, 256, 256)
    expected = theirs.features([picture])
    state = dict(theirs.model.state_dict())
    state["classifier.1.weight"] = torch.zeros(7, 1280)
    state["classifier.1.bias"] = torch.zeros(7)
    torch.save(state, tmp_path / "seven.pth")
    del state["classifier.1.weight"], state["classifier.1.bias"]
    torch.save(state, tmp_path / "headless.pth")
    for name in ("seven", "headless"):
        got = _eager(mobilenet_v2, tmp_path / f"{name}.pth", theirs, [picture])
        assert _far(got, expected) < 1e-5


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
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "torch" / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "torch" / "hub" / "checkpoints" / "of-something-else.pth").touch()
    for network in map(torchvision_family, torchvision_family.models()):
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
    assert _far(got, maps.mean((2, 3)).numpy()) < 1e-5


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
