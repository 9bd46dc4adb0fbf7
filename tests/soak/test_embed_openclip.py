"""OpenCLIP's networks in their real size, and all of its pairs."""

from __future__ import annotations

from pathlib import Path

import pytest

from organizer.embed.openclip import openclip_family
from tests.clips import (
    compare_as_loaded,
    compare_pictures,
    compare_quick,
    compare_texts,
    made,
    theirs_in,
)
from tests.networks import keep_something_of


@pytest.mark.parametrize("pair", ["RN50/yfcc15m", "ViT-B-32/laion2b_s34b_b79k"])
def test_vectors_are_those_of_openclip(pair: str, tmp_path: Path) -> None:
    theirs = theirs_in(tmp_path, pair)
    ours = made(pair, tmp_path)
    compare_pictures(theirs, ours)
    compare_texts(theirs, ours)


@pytest.mark.parametrize(
    "pair",
    [
        "PE-Core-T-16-384/meta",  # another library's towers
        "coca_ViT-B-32/laion2b_s13b_b90k",  # gives two tensors
    ],
)
def test_networks_of_another_make_give_openclip_s_vectors(pair: str, tmp_path: Path) -> None:
    compare_as_loaded(pair, tmp_path)


def test_weights_that_were_trained_with_a_quick_gelu_are_run_with_it(tmp_path: Path) -> None:
    """OpenCLIP only warns that RN50 and the weights "openai" do not agree; RN50-quickgelu does."""
    compare_quick("RN50/openai", "RN50-quickgelu", tmp_path)


def test_what_is_cached_is_known_without_openclip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "hub" / "models--laion--of-something-else").mkdir(parents=True)
    for network in map(openclip_family, openclip_family.models()):
        assert not network.may_be_cached(), network.name
        kept = keep_something_of(network.source())
        assert network.may_be_cached(), network.name
        kept.rename(kept.with_name("elsewhere"))
