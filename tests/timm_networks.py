"""timm's networks with random weights, to compare ours with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from PIL import Image
from timm.data import create_transform, resolve_data_config

from organizer.embed.timm import timm_family
from tests.networks import enliven, far, noise


@dataclass(frozen=True)
class Theirs:
    """timm's own network with random weights, and the folder in which these lie."""

    name: str
    network: Any
    transform: Any
    folder: Path

    def features(self, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """What timm itself makes of the pictures, one at a time."""
        with torch.inference_mode():
            rows = [self._row(self.transform(Image.fromarray(p))[None]) for p in pictures]
        features: NDArray[np.float32] = torch.cat(rows).numpy()
        return features

    def _row(self, pixels: Any) -> Any:
        return self.network.forward_head(self.network.forward_features(pixels), pre_logits=True)


def theirs_in(name: str, folder: Path) -> Theirs:
    torch.manual_seed(7)
    network: Any = timm.create_model(name, pretrained=False)
    enliven(network, network.pretrained_cfg["input_size"][1])
    torch.save(network.state_dict(), folder / f"{name}.pth")
    config = resolve_data_config(pretrained_cfg=network.pretrained_cfg)
    return Theirs(name, network, create_transform(**config, is_training=False), folder)


def built(theirs: Theirs, weights: Path) -> NDArray[np.float32]:
    """What our network makes of a picture that timm has prepared."""
    pixels = theirs.transform(Image.fromarray(noise(3, 240, 320)))[None]
    with torch.inference_mode():
        vectors: NDArray[np.float32] = (
            timm_family(theirs.name).build(weights).eval()(pixels).numpy()
        )
    return vectors


def expected_of(theirs: Theirs) -> NDArray[np.float32]:
    return theirs.features([noise(3, 240, 320)])


def compare_with_and_without_head(name: str, folder: Path, *, has_head: bool) -> None:
    """Our network gives timm's vectors, whether or not the weights have a head."""
    theirs = theirs_in(name, folder)
    expected = expected_of(theirs)
    assert far(built(theirs, folder / f"{name}.pth"), expected) < 1e-5
    headless = timm.create_model(name, pretrained=False, num_classes=0).state_dict()
    state = theirs.network.state_dict()
    assert (set(headless) < set(state)) == has_head
    torch.save({key: state[key] for key in headless}, folder / "headless.pth")
    assert far(built(theirs, folder / "headless.pth"), expected) < 1e-5
