"""Pictures with detail at every scale, and copies of them as people make copies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

SIZE = 320, 240


def picture(seed: int) -> Image.Image:
    """A picture that no other seed gives: blots of all sizes."""
    draw = np.random.default_rng(seed)
    found = np.zeros((SIZE[1], SIZE[0], 3), np.float32)
    for cells in (3, 7, 16, 40):
        coarse = draw.normal(0, 60 / cells**0.3, (cells, cells, 3)).astype(np.float32)
        layers = [Image.fromarray(coarse[:, :, band]) for band in range(3)]
        found += np.stack(
            [np.asarray(one.resize(SIZE, Image.Resampling.BICUBIC)) for one in layers], 2
        )
    return Image.fromarray(np.clip(found + 128, 0, 255).astype(np.uint8))


def _cut(image: Image.Image) -> Image.Image:
    return image.crop((10, 4, SIZE[0] - 12, SIZE[1] - 14))


def _written_on(image: Image.Image) -> Image.Image:
    image = image.copy()
    ImageDraw.Draw(image).text((15, 200), "Copyright A. Person", fill=(255, 255, 255))
    return image


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "smaller": lambda image: image.resize((150, 113), Image.Resampling.LANCZOS),
    "cut": _cut,
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "turned": lambda image: image.rotate(90, expand=True),
    "mirrored": ImageOps.mirror,
    "framed": lambda image: ImageOps.expand(image, 12, fill=(255, 255, 255)),
    "written on": _written_on,
}
"""Edited copies of a picture, by what was done."""


def save(image: Image.Image, file: Path, *, quality: int = 92, taken_at: str = "") -> Path:
    """Save a picture as JPEG, with a camera and a capture time where one is given."""
    file.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if taken_at:
        exif[0x010F], exif[0x0110] = "Maker", "Model"
        exif.get_ifd(0x8769)[0x9003] = taken_at
    image.save(file, quality=quality, exif=exif)
    return file
