"""OpenCLIP's networks: ours gives OpenCLIP's vectors, and refuses what is not its weights.

The networks are little ones of every kind; tests/soak has real ones.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2

from organizer.embed.openclip import OpenClipEmbedder, openclip_family
from organizer.errors import SettingsError, WeightsError
from organizer.protocols import Embedder, ReducedInput, TextEmbedder, Versioned
from tests.clips import (
    Theirs,
    compare_as_loaded,
    compare_pictures,
    compare_quick,
    compare_texts,
    listed,
    made,
    theirs_in,
    transform_of,
)

PAIR = "little-RN/some"
_PAIRS = [PAIR, "little-ViT/some"]


@pytest.fixture(scope="module", autouse=True)
def _little() -> Iterator[None]:
    with listed():
        yield


@pytest.fixture(scope="module", autouse=True)
def _converted_once(converted: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(converted))
        yield


@pytest.fixture(scope="module", params=_PAIRS)
def theirs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Theirs:
    return theirs_in(tmp_path_factory.mktemp("weights"), request.param)


@pytest.fixture(scope="module")
def ours(theirs: Theirs) -> OpenClipEmbedder:
    return made(theirs.pair, theirs.folder)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Theirs:
    return theirs_in(tmp_path_factory.mktemp("small"), PAIR)


# Pictures ------------------------------------------------------------------------------------


def test_vectors_of_pictures_are_those_of_openclip(theirs: Theirs, ours: OpenClipEmbedder) -> None:
    compare_pictures(theirs, ours)


@pytest.mark.parametrize("pair", ["little-timm/some", "little-CoCa/some"])
def test_networks_of_another_make_give_openclip_s_vectors(pair: str, tmp_path: Path) -> None:
    compare_as_loaded(pair, tmp_path)


def test_it_keeps_the_contracts(ours: OpenClipEmbedder) -> None:
    for contract in (Embedder, ReducedInput, Versioned, TextEmbedder):
        assert isinstance(ours, contract)
    assert ours.device == "cpu"
    nothing = ours.embed([])
    assert nothing.shape == (0, ours.dim)
    assert nothing.dtype == np.float32


def test_the_configuration_without_a_network_is_that_of_the_network(small: Theirs) -> None:
    """What the test of all pairs compares with is what OpenCLIP makes with the network."""
    with_network = image_transform_v2(
        PreprocessCfg(**small.network.visual.preprocess_cfg), is_train=False
    )
    assert repr(with_network) == repr(transform_of(small.pair))


# Texts ---------------------------------------------------------------------------------------


def test_vectors_of_texts_are_those_of_openclip(theirs: Theirs, ours: OpenClipEmbedder) -> None:
    compare_texts(theirs, ours)


def test_no_texts_give_no_rows(ours: OpenClipEmbedder) -> None:
    vectors = ours.embed_text([])
    assert vectors.shape == (0, ours.dim)
    assert vectors.dtype == np.float32


def test_the_scale_of_the_cosines_is_the_one_that_was_learned(
    theirs: Theirs, ours: OpenClipEmbedder
) -> None:
    assert ours.logit_scale == pytest.approx(float(np.exp(3.0)), rel=1e-6)
    assert ours.logit_scale == pytest.approx(theirs.network.logit_scale.detach().exp().item())


def test_weights_that_were_trained_with_a_quick_gelu_are_run_with_it(tmp_path: Path) -> None:
    """OpenCLIP only warns that a network and weights do not agree on it."""
    compare_quick("little-ViT/quick", "little-ViT-quickgelu", tmp_path)


# The weights ---------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_truncated_file_is_refused_in_one_line(
    small: Theirs, tmp_path: Path, share: float
) -> None:
    file = tmp_path / small.file.name
    shutil.copy(small.file, file)
    with file.open("r+b") as opened:
        opened.truncate(int(file.stat().st_size * share))
    with pytest.raises(WeightsError, match="cannot be read") as caught:
        openclip_family(PAIR).build(file)
    assert str(file) in caught.value.message
    assert "\n" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("pair", ["little-ViT/some", "little-timm/some"])
def test_the_weights_of_another_network_are_refused_in_one_line(small: Theirs, pair: str) -> None:
    with pytest.raises(WeightsError, match="does not hold the weights of") as caught:
        openclip_family(pair).build(small.file)
    assert f"openclip:{pair}" in caught.value.message
    assert "\n" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("change", ["one missing", "one too many", "another shape", "no texts"])
def test_weights_that_nearly_fit_are_refused(small: Theirs, tmp_path: Path, change: str) -> None:
    state = dict(small.network.state_dict())
    name = "visual.conv1.weight"
    if change == "one missing":
        del state[name]
    elif change == "one too many":
        state["visual.conv99.weight"] = state[name]
    elif change == "another shape":
        state[name] = state[name][:, :1]
    else:
        state = {key: value for key, value in state.items() if key.startswith("visual.")}
    torch.save(state, tmp_path / "near.pth")
    with pytest.raises(WeightsError, match="does not hold the weights of") as caught:
        openclip_family(PAIR).build(tmp_path / "near.pth")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "content", [{}, {"a": 1}, [torch.zeros(2)], "text", {"state_dict": {}}], ids=repr
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(WeightsError) as caught:
        openclip_family(PAIR).build(tmp_path / "other.pth")
    assert str(tmp_path / "other.pth") in caught.value.message
    assert "\n" not in caught.value.message


def test_nothing_in_a_weights_file_is_executed(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "executed",)

    torch.save({"visual.conv1.weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(WeightsError, match=r"holds program code .* nothing of it was run"):
        openclip_family(PAIR).build(tmp_path / "trap.pth")
    assert not (tmp_path / "executed").exists()


def test_the_text_tower_of_another_library_is_reported(small: Theirs) -> None:
    """Some pairs need transformers, which does not come with this program."""
    try:
        import transformers  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        with pytest.raises(SettingsError, match="roberta-ViT-B-32") as caught:
            openclip_family("roberta-ViT-B-32/laion2b_s12b_b32k").build(small.file)
        assert "\n" not in caught.value.message
    else:
        pytest.skip("transformers is here")
