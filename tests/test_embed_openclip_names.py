"""OpenCLIP's pairs: how they are named and prepared, and where their weights are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
from numpy.typing import NDArray
from PIL import Image

from organizer import registry
from organizer.embed.openclip import openclip_family
from organizer.errors import SettingsError, WeightsMissingError
from tests.clips import made, transform_of
from tests.networks import keep_something_of, noise

PAIR = "RN50/yfcc15m"


# Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("RN50/yfcc51m", "RN50/yfcc15m"),
        ("ViT-B-32/laion2b_s34b_b97k", "ViT-B-32/laion2b_s34b_b79k"),
        ("ViT-B32/laion2b_s34b_b79k", "ViT-B-32/laion2b_s34b_b79k"),
        ("vit-b-32/laion2b_s34b_b79k", "ViT-B-32/laion2b_s34b_b79k"),
    ],
)
def test_an_unknown_pair_suggests_known_ones(typed: str, suggested: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no OpenCLIP pair") as caught:
        openclip_family(typed).describe(weights=tmp_path)
    assert typed in caught.value.message
    assert "did you mean" in caught.value.hint
    assert suggested in caught.value.hint


@pytest.mark.parametrize("typed", ["ViT-B-32", "", "/", "RN50/"])
def test_an_architecture_alone_is_no_name(typed: str) -> None:
    with pytest.raises(SettingsError, match=r"no OpenCLIP pair") as caught:
        openclip_family(typed).source()
    assert f"{typed!r}" in caught.value.message


def test_what_a_network_tells_of_itself_is_true(tmp_path: Path) -> None:
    network = openclip_family(PAIR)
    absent = network.describe(weights=tmp_path)
    assert (absent.name, absent.weights, absent.text) == (f"openclip:{PAIR}", "downloadable", True)
    assert absent.location.startswith("https://huggingface.co/")
    (tmp_path / "RN50-yfcc15m.safetensors").write_bytes(b"not looked into")
    here = network.describe(weights=tmp_path)
    assert (here.weights, here.location) == ("here", str(tmp_path / "RN50-yfcc15m.safetensors"))
    assert network.describe(weights=tmp_path / "nowhere").weights == "missing"


def test_every_pair_that_is_listed_has_a_place_of_its_weights() -> None:
    assert [
        pair for pair in openclip_family.models() if not openclip_family(pair).source().address
    ] == []


def test_what_is_cached_is_known_without_openclip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a sample of all pairs; tests/soak has them all."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "hub" / "models--laion--of-something-else").mkdir(parents=True)
    for network in map(openclip_family, openclip_family.models()[::4]):
        assert not network.may_be_cached(), network.name
        kept = keep_something_of(network.source())
        assert network.may_be_cached(), network.name
        kept.rename(kept.with_name("elsewhere"))


def test_a_hub_that_is_switched_off_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    import urllib.request

    def ask(*_: Any, **__: Any) -> None:
        pytest.fail("it was asked")

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(urllib.request, "urlopen", ask)
    with pytest.raises(WeightsMissingError, match="HF_HUB_OFFLINE is set"):
        openclip_family(PAIR)()


def test_a_pair_is_known_by_one_name() -> None:
    name = f"openclip:{PAIR}"
    assert registry.canonical_name("organizer.embedders", name) == name


def test_absent_weights_are_missed_with_all_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import urllib.request

    monkeypatch.setattr(urllib.request, "_opener", None)  # it keeps the proxies of its first use
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(WeightsMissingError) as caught:
        made(PAIR, tmp_path)
    assert f"{tmp_path}/RN50-yfcc15m.pth" in caught.value.message
    assert "huggingface.co" in caught.value.message
    assert "RN50-yfcc15m.pth" in caught.value.hint


# Preparing ----


@pytest.mark.parametrize("shape", [(90, 131), (701, 500)])
def test_pictures_are_prepared_for_every_pair_as_openclip_does(shape: tuple[int, int]) -> None:
    picture, wrong = noise(2, *shape), []
    expected: dict[str, NDArray[Any]] = {}
    pairs = [f"{architecture}/{tag}" for architecture, tag in open_clip.list_pretrained()]
    assert openclip_family.models() == pairs
    for pair in pairs:
        preparing = openclip_family(pair).preprocessing()
        transform = transform_of(pair)
        if repr(transform) not in expected:
            expected[repr(transform)] = transform(Image.fromarray(picture)).numpy()
        theirs = expected[repr(transform)]
        got = (preparing(picture) / 255 - preparing.mean) / np.array(preparing.std)
        got = got.transpose(2, 0, 1)
        if got.shape != theirs.shape or np.abs(got - theirs).max() > 1e-5:
            wrong.append(pair)
    assert wrong == []
    assert len(expected) > 10
