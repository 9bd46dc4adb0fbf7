from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from timm.data import create_transform, resolve_data_config

from organizer import registry
from organizer.embed.network import NetworkEmbedder
from organizer.embed.timm import TimmNetwork, timm_family
from organizer.errors import SettingsError, WeightsError, WeightsMissingError
from organizer.protocols import Embedder, ReducedInput, Versioned
from tests.networks import SHAPES, far, keep_something_of, noise
from tests.timm_networks import Theirs, built, compare_with_and_without_head, expected_of, theirs_in

_GROUP = "organizer.embedders"
_RESNET = "resnet18.a1_in1k"
_SMALL = [
    _RESNET,
    "mobilenetv3_small_100.lamb_in1k",  # a layer between the pooling and the head
    "vit_tiny_patch16_224.augreg_in21k_ft_in1k",  # a class token
]
_HEADLESS = "vit_small_patch16_224.dino"
_ENGINES = [
    _RESNET,
    *(pytest.param(name, marks=pytest.mark.slow) for name in _SMALL[1:]),  # converted
]


@pytest.fixture(scope="module", autouse=True)
def _converted_once(converted: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(converted))
        yield


@pytest.fixture(scope="module", params=_ENGINES)
def theirs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Theirs:
    return theirs_in(request.param, tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def ours(theirs: Theirs) -> NetworkEmbedder:
    return _made(theirs.name, theirs.folder)


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> Theirs:
    return theirs_in(_RESNET, tmp_path_factory.mktemp("resnet"))


def _made(name: str, weights: Path) -> NetworkEmbedder:
    """The embedder as a library makes it."""
    return timm_family(name)(weights=weights, device="cpu", precision="float32")


def _embed(embedder: NetworkEmbedder, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    return embedder.embed([embedder.prepare(picture) for picture in pictures])


# What it computes ----------------------------------------------------------------------------


def test_features_are_those_of_timm(theirs: Theirs, ours: NetworkEmbedder) -> None:
    pictures = [noise(seed, *shape) for seed, shape in enumerate(SHAPES)]
    expected = theirs.features(pictures)
    got = _embed(ours, pictures)
    assert got.dtype == np.float32
    assert got.shape == (len(pictures), ours.dim)
    assert far(expected[1:], expected[:-1]) > 1e-3, "the pictures are told apart by nothing"
    assert far(got, expected) < 1e-5


def test_preparing_is_that_of_timm(theirs: Theirs, ours: NetworkEmbedder) -> None:
    config = resolve_data_config(pretrained_cfg=theirs.network.pretrained_cfg)
    mean, std = np.array(config["mean"]), np.array(config["std"])
    for shape in SHAPES:
        picture = noise(1, *shape)
        got = ((ours.prepare(picture) / 255 - mean) / std).transpose(2, 0, 1)
        expected = theirs.transform(Image.fromarray(picture)).numpy()
        np.testing.assert_allclose(got, expected, atol=1e-5)


def test_it_keeps_the_contracts(ours: NetworkEmbedder) -> None:
    assert isinstance(ours, Embedder)
    assert isinstance(ours, ReducedInput)
    assert isinstance(ours, Versioned)
    assert ours.device == "cpu"
    nothing = ours.embed([])
    assert nothing.shape == (0, ours.dim)
    assert nothing.dtype == np.float32


def test_a_row_does_not_depend_on_its_batch(ours: NetworkEmbedder) -> None:
    pictures = [noise(seed, 240, 320) for seed in range(5)]
    together = _embed(ours, pictures)
    alone = np.concatenate([_embed(ours, [picture]) for picture in pictures])
    assert far(together, alone) < 1e-4
    assert far(_embed(ours, pictures[::-1])[::-1], together) < 1e-4


@cache
def _different_configs() -> dict[str, tuple[str, dict[str, Any]]]:
    """One network for each way in which timm prepares pictures, and that way."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for name in timm.list_pretrained():
        config = resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
        found.setdefault(repr(sorted(config.items())), (name, config))
    return found


def test_pictures_are_prepared_for_every_network_as_timm_does() -> None:
    picture, wrong, refused = noise(2, 90, 131), [], []
    for name, config in _different_configs().values():
        try:
            preparing = TimmNetwork(name).preprocessing()
        except SettingsError:
            refused.append(config["crop_mode"])
            continue
        expected = create_transform(**config, is_training=False)(Image.fromarray(picture)).numpy()
        got = (preparing(picture) / 255 - preparing.mean) / np.array(preparing.std)
        got = got.transpose(2, 0, 1)
        if got.shape != expected.shape or np.abs(got - expected).max() > 1e-5:
            wrong.append(name)
    assert wrong == []
    assert set(refused) <= {"border"}
    assert len(_different_configs()) > 100


def test_a_crop_that_is_not_known_is_refused_by_name() -> None:
    unusual = [
        name for name, config in _different_configs().values() if config["crop_mode"] == "border"
    ]
    if not unusual:
        pytest.skip("this timm crops no picture by its border")
    with pytest.raises(SettingsError, match="border") as caught:
        timm_family(unusual[0]).preprocessing()
    assert f"timm:{unusual[0]}" in caught.value.message


# The weights ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*_SMALL, _HEADLESS])
def test_weights_with_and_without_the_head_give_timm_s_vectors(name: str, tmp_path: Path) -> None:
    compare_with_and_without_head(name, tmp_path, has_head=name != _HEADLESS)


def test_safetensors_hold_the_same_weights(resnet: Theirs, tmp_path: Path) -> None:
    save_file(resnet.network.state_dict(), tmp_path / f"{_RESNET}.safetensors")
    assert far(built(resnet, tmp_path / f"{_RESNET}.safetensors"), expected_of(resnet)) < 1e-5


def test_a_training_program_s_checkpoint_is_weights_too(resnet: Theirs, tmp_path: Path) -> None:
    state = {f"module.{key}": value for key, value in resnet.network.state_dict().items()}
    torch.save({"epoch": torch.tensor(3), "state_dict": state}, tmp_path / "checkpoint.pth")
    assert far(built(resnet, tmp_path / "checkpoint.pth"), expected_of(resnet)) < 1e-5


@pytest.mark.parametrize(
    "name", ["resnet34.a1_in1k", "resnet50.a1_in1k", "vit_tiny_patch16_224.augreg_in21k_ft_in1k"]
)
def test_the_weights_of_another_network_are_refused_in_one_line(
    resnet: Theirs, tmp_path: Path, name: str
) -> None:
    torch.save(resnet.network.state_dict(), tmp_path / f"{name}.pth")
    with pytest.raises(WeightsError, match="does not hold the weights of") as caught:
        timm_family(name).build(tmp_path / f"{name}.pth")
    assert f"timm:{name}" in caught.value.message
    assert str(tmp_path / f"{name}.pth") in caught.value.message
    assert "\n" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("change", ["one missing", "one too many", "another shape"])
def test_weights_that_nearly_fit_are_refused(resnet: Theirs, tmp_path: Path, change: str) -> None:
    state = dict(resnet.network.state_dict())
    name = "layer1.0.conv1.weight"
    if change == "one missing":
        del state[name]
    elif change == "one too many":
        state["layer9.weight"] = state[name]
    else:
        state[name] = state[name][:, :1]
    torch.save(state, tmp_path / f"{_RESNET}.pth")
    with pytest.raises(WeightsError, match="does not hold the weights of") as caught:
        timm_family(_RESNET).build(tmp_path / f"{_RESNET}.pth")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_truncated_file_is_refused_in_one_line(
    resnet: Theirs, tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"{_RESNET}{suffix}"
    if suffix == ".pth":
        torch.save(resnet.network.state_dict(), file)
    else:
        save_file(resnet.network.state_dict(), file)
    file.write_bytes(file.read_bytes()[:-5000])
    with pytest.raises(WeightsError, match="cannot be read") as caught:
        _made(_RESNET, tmp_path)
    assert str(file) in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.usefixtures("offline")
def test_absent_weights_are_missed_with_all_places(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError) as caught:
        _made(_RESNET, tmp_path)
    assert f"{tmp_path}/{_RESNET}.pth" in caught.value.message
    assert f"huggingface.co/timm/{_RESNET}" in caught.value.message
    assert f"{_RESNET}.pth" in caught.value.hint


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """All ways out lead to a port of this machine where nobody answers."""
    import urllib.request

    monkeypatch.setattr(urllib.request, "_opener", None)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


# Names ---------------------------------------------------------------------------------------


def test_every_name_that_is_listed_has_a_place_of_its_weights() -> None:
    names = timm_family.models()
    assert names == timm.list_pretrained()
    assert [name for name in names if not TimmNetwork(name).source().address] == []


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("resnet81.a1_in1k", "resnet18.a1_in1k"),
        ("resnet18.a1_in2k", "resnet18.a1_in1k"),
        ("vit_small_patch14_dinov2", ""),
        ("vit_smal_patch14_dinov2.lvd142m", "vit_small_patch14_dinov2.lvd142m"),
        ("mobilenetv3_smal_100", "mobilenetv3_small_"),
    ],
)
def test_an_unknown_name_suggests_known_ones(typed: str, suggested: str) -> None:
    if not suggested:
        assert timm_family(typed).name.startswith(f"timm:{typed}.")
        return
    with pytest.raises(SettingsError, match=f"no timm network '{typed}'") as caught:
        timm_family(typed)
    assert "did you mean" in caught.value.hint
    assert suggested in caught.value.hint


def test_what_is_cached_is_known_without_timm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a sample of all names, and more of those that are in other people's hands."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    networks = [TimmNetwork(name) for name in timm_family.models()]
    foreign = [net for net in networks if net.source().repo != f"timm/{net.model}"]
    assert len(foreign) > 20
    (tmp_path / "hub" / "models--timm--of_something_else").mkdir(parents=True)
    for network in [*networks[::60], *foreign[::3]]:
        # Those names are computed: timm has to be asked.
        assert network.may_be_cached() == ("_quickgelu_" in network.model), network.name
        kept = keep_something_of(network.source())
        assert network.may_be_cached(), network.name
        kept.rename(kept.with_name("elsewhere"))


def test_a_name_like_nothing_is_sent_to_the_listing() -> None:
    with pytest.raises(SettingsError, match="no timm network '@'") as caught:
        timm_family("@")
    assert "organizer models list timm" in caught.value.hint


@pytest.mark.usefixtures("offline")
def test_a_network_that_timm_has_no_weights_of_is_missing(tmp_path: Path) -> None:
    found = timm_family("cspresnet50d.untrained")
    assert found.describe(weights=tmp_path).weights == "missing"
    with pytest.raises(WeightsMissingError, match=r"cspresnet50d\.untrained cannot be had"):
        found.pull(weights=tmp_path)


@pytest.mark.parametrize("name", ["resnet18", "vit_small_patch14_dinov2", "convnext_tiny"])
def test_a_name_without_tag_is_that_of_timm_s_default_weights(name: str) -> None:
    expected = f"timm:{name}.{timm.create_model(name).pretrained_cfg['tag']}"
    assert timm_family(name).name == expected
    assert registry.canonical_name(_GROUP, f"timm:{name}") == expected


def test_a_full_name_is_not_asked_for_twice() -> None:
    for name in _SMALL:
        assert registry.canonical_name(_GROUP, f"timm:{name}") == f"timm:{name}"


def test_what_a_network_tells_of_itself_is_true(tmp_path: Path) -> None:
    network = timm_family(_RESNET)
    absent = network.describe(weights=tmp_path)
    address = f"https://huggingface.co/timm/{_RESNET}"
    assert (absent.name, absent.weights, absent.location) == (
        f"timm:{_RESNET}",
        "downloadable",
        address,
    )
    assert not absent.text
    (tmp_path / f"{_RESNET}.safetensors").write_bytes(b"not looked into")
    here = network.describe(weights=tmp_path)
    assert (here.weights, here.location) == ("here", str(tmp_path / f"{_RESNET}.safetensors"))
    nowhere = network.describe(weights=tmp_path / "nowhere")
    assert nowhere.weights == "missing"
    assert "nowhere" in nowhere.location
