"""Random networks that tell pictures apart, as trained ones do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from organizer.embed import weights

SHAPES = [(300, 400), (400, 300), (224, 224), (91, 130), (601, 337)]


def noise(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """Coarse noise: a picture that survives resizing."""
    draw = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(draw).resize((width, height), Image.Resampling.BICUBIC))


def far(got: NDArray[Any], expected: NDArray[Any]) -> float:
    """The largest difference as a share of the largest value."""
    assert got.shape == expected.shape
    return float(np.abs(got - expected).max() / np.abs(expected).max())


def enliven(network: Any, side: int, *, forward: str = "forward") -> Any:
    """Give a random network the statistics that training would: fresh ones see nothing.

    Also, weights whose statistics were not loaded give other vectors then.
    """
    import torch

    for name, parameter in network.named_parameters():
        if name.endswith("gamma"):  # the scale of a layer begins at nearly nothing
            torch.nn.init.constant_(parameter, 0.5)
    normalisations = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for module in normalisations:
        module.reset_running_stats()
        module.momentum = None  # the mean of all that was seen
    if normalisations:
        network.train()
        draw = torch.Generator().manual_seed(5)
        coarse = torch.randn(4, 3, 8, 8, generator=draw)
        with torch.inference_mode():
            getattr(network, forward)(torch.nn.functional.interpolate(coarse, size=(side, side)))
    return network.eval()


def keep_something_of(source: weights.WeightsSource) -> Path:
    """Something of the weights' in the cache where they belong; nothing looks into it."""
    if source.repo:
        kept = weights.hub_cache() / f"models--{source.repo.replace('/', '--')}"
        kept.mkdir(parents=True)
        return kept
    kept = weights.torch_cache() / source.url.rpartition("/")[2]
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.touch()
    return kept
