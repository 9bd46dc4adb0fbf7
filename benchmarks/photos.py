"""Synthetic photos for benchmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def photos(folder: Path, count: int, megapixels: float) -> Path:
    """JPEGs with the detail of a photo: noise at every scale, quality 90, 4:3."""
    folder.mkdir(parents=True)
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = width * 3 // 4
    draw = np.random.default_rng(0)
    for number in range(count):
        picture = np.zeros((height, width, 3), np.float32)
        for cells in (4, 16, 64, 256):
            coarse = draw.normal(0, 40 / cells**0.25, (cells * 3 // 4, cells, 3))
            layer = Image.fromarray(np.clip(coarse + 128, 0, 255).astype(np.uint8))
            picture += np.asarray(layer.resize((width, height), Image.Resampling.BICUBIC)) - 128.0
        pixels = np.clip(picture + 128, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:05}.jpg", quality=90)
    return folder
