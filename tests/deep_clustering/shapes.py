"""Pictures of shapes whose colours tell nothing: a network sees what raw pixels hardly show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from organizer.training import Prepare
from organizer.types import Labels

SHAPES = ("disc", "bars", "ring")
SIDE = 64


def draw_shape(shape: str, seed: int) -> Image.Image:
    """A shape of any colour, somewhere, on any background."""
    draw = np.random.default_rng([SHAPES.index(shape), seed])
    colours = [tuple(draw.integers(0, 256, 3).tolist()) for _ in range(2)]
    picture = Image.new("RGB", (SIDE, SIDE), colours[0])
    pen = ImageDraw.Draw(picture)
    size = int(draw.integers(24, 40))
    left, top = (int(value) for value in draw.integers(2, SIDE - size - 2, 2))
    box = (left, top, left + size, top + size)
    if shape == "disc":
        pen.ellipse(box, fill=colours[1])
    elif shape == "ring":
        pen.ellipse(box, outline=colours[1], width=5)
    else:
        for at in range(left, left + size, 8):
            pen.rectangle((at, top, at + 3, top + size), fill=colours[1])
    return picture


def draw_shapes(each: int) -> tuple[list[NDArray[np.uint8]], Labels]:
    """Some pictures of each shape, and which it is."""
    pictures = [np.asarray(draw_shape(shape, seed)) for shape in SHAPES for seed in range(each)]
    return pictures, np.repeat(np.arange(len(SHAPES)), each)


def write_shapes(folder: Path, *, each: int, first: int = 0) -> Path:
    """The same as files, in a folder a shape."""
    for shape in SHAPES:
        (folder / shape).mkdir(parents=True, exist_ok=True)
        for seed in range(first, first + each):
            draw_shape(shape, seed).save(folder / shape / f"{shape}{seed:03}.png")
    return folder


class HeldPictures:
    """Pictures in memory, as a `organizer.training.PictureReader`.

    Args:
        pictures: None for one that cannot be read.
    """

    def __init__(self, pictures: list[NDArray[np.uint8] | None]) -> None:
        self._pictures = pictures

    def read(
        self, prepare: Prepare, *, min_side: int
    ) -> Iterator[tuple[int, NDArray[np.uint8] | None]]:
        assert min_side > 0
        for row, picture in enumerate(self._pictures):
            yield row, None if picture is None else prepare(picture)
