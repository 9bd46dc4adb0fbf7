"""Batches of crops with the teacher's outputs, made on a thread during training."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer.embed.mini import DIM
from training.photos import Pack, blended
from training.teacher import Answers, answers

GRID = 7
"""Places of the teacher's map along a side."""

_FEATURES = 1280
_AHEAD = 4
_SHAKE = 0.04
_CONTRAST = _BRIGHTNESS = 0.15
_BALANCE = 0.05


@dataclass(frozen=True)
class Batch:
    """The input of a training step.

    Attributes:
        pixels: ``(n, side, side, 3)`` uint8.
        maps: ``(n, 7, 7, DIM)`` float32, the teacher's map on its principal components.
        pooled: ``(n, 1280)`` float32, zeros where the teacher's pooled features were not kept.
    """

    pixels: NDArray[np.uint8]
    maps: NDArray[np.float32]
    pooled: NDArray[np.float32]


@dataclass(frozen=True)
class Recipe:
    """How batches are made.

    Attributes:
        side: Pixels of the crops.
        size: Crops in a batch.
        cut: Share of the batches in which a rectangle of each crop is another crop's
            (Yun et al. 2019, CutMix): the teacher's maps are cut the same way.
        shake: Whether a crop is moved a little from the teacher's, and its light and colours are
            changed a little, against overfitting.
        seed: The random seed.
    """

    side: int
    size: int = 64
    cut: float = 0.0
    shake: bool = False
    seed: int = 0


@contextmanager
def batches(work: Path, rows: NDArray[np.int64], recipe: Recipe) -> Iterator[Iterator[Batch]]:
    """Batches without end; outputs that the teacher adds meanwhile are used after each pass."""
    ready: queue.Queue[Batch | BaseException] = queue.Queue(_AHEAD)
    stopped = threading.Event()

    def make() -> None:
        try:
            for batch in _endless(work, rows, recipe):
                while not stopped.is_set():
                    try:
                        ready.put(batch, timeout=1)
                        break
                    except queue.Full:
                        continue
                if stopped.is_set():
                    return
        except Exception as error:  # noqa: BLE001 - raised again in the waiting thread
            ready.put(error)

    threading.Thread(target=make, name="batches", daemon=True).start()
    try:
        yield _taken(ready)
    finally:
        stopped.set()


def _taken(ready: queue.Queue[Batch | BaseException]) -> Iterator[Batch]:
    while True:
        batch = ready.get()
        if isinstance(batch, BaseException):
            raise batch
        yield batch


def _endless(work: Path, rows: NDArray[np.int64], recipe: Recipe) -> Iterator[Batch]:
    photos = Pack(work)
    draw = np.random.default_rng([recipe.seed, recipe.side])
    while True:
        known = answers(work)
        order = draw.permutation(rows)
        for start in range(0, len(order) - recipe.size + 1, recipe.size):
            yield _batch(photos, known, order[start : start + recipe.size], recipe, draw)


def _batch(
    photos: Pack,
    known: dict[int, Answers],
    rows: NDArray[np.int64],
    recipe: Recipe,
    draw: np.random.Generator,
) -> Batch:
    turns = draw.choice(list(known), len(rows))
    chosen = [(int(row), known[int(turn)]) for row, turn in zip(rows, turns, strict=True)]
    pixels = _pixels(photos, chosen, recipe, draw)
    if recipe.shake:
        pixels = _recoloured(pixels, draw)
    maps = np.stack([its.maps[row] for row, its in chosen]).astype(np.float32)
    maps = maps.reshape(-1, GRID, GRID, DIM)
    nothing = np.zeros(_FEATURES, np.float16)
    pooled = np.stack([nothing if its.pooled is None else its.pooled[row] for row, its in chosen])
    flipped = draw.random(len(rows)) < 0.5
    pixels[flipped], maps[flipped] = pixels[flipped, :, ::-1], maps[flipped, :, ::-1]
    batch = Batch(pixels, maps, pooled.astype(np.float32))
    return _cut(batch, draw) if draw.random() < recipe.cut else batch


def _pixels(
    photos: Pack, chosen: list[tuple[int, Answers]], recipe: Recipe, draw: np.random.Generator
) -> NDArray[np.uint8]:
    """The teacher's crops, with the crops that were blended over them."""
    below = _crops(photos, chosen, recipe, draw)
    mixed = [(i, row, its, its.mix) for i, (row, its) in enumerate(chosen) if its.mix is not None]
    if mixed:
        others = [(int(mix.others[row]), its) for _, row, its, mix in mixed]
        shares = np.array([mix.shares[row] for _, row, _, mix in mixed])
        at = [i for i, *_ in mixed]
        below[at] = blended(below[at], _crops(photos, others, recipe, draw), shares)
    return below


def _crops(
    photos: Pack, chosen: list[tuple[int, Answers]], recipe: Recipe, draw: np.random.Generator
) -> NDArray[np.uint8]:
    rows = np.array([row for row, _ in chosen])
    where = np.stack([its.boxes[row] for row, its in chosen])
    if recipe.shake:
        where = _shaken(where, photos.shapes[rows], draw)
    return photos.crops(rows, where, recipe.side)


def _shaken(
    boxes: NDArray[np.float32], shapes: NDArray[np.int64], draw: np.random.Generator
) -> NDArray[np.float32]:
    """Boxes (left, top, right, bottom) with each edge moved a little, within the photo."""
    size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    moved = boxes + size * draw.normal(0, _SHAKE, boxes.shape)
    shaken: NDArray[np.float32] = np.clip(moved, 0, np.tile(shapes[:, ::-1], 2)).astype(np.float32)
    return shaken


def _recoloured(pixels: NDArray[np.uint8], draw: np.random.Generator) -> NDArray[np.uint8]:
    """Pictures with another contrast, brightness and balance of colours."""
    n = len(pixels)
    gain = np.exp(draw.normal(0, _CONTRAST, (n, 1)) + draw.normal(0, _BALANCE, (n, 3)))
    mean = pixels.mean((1, 2))
    light = mean * np.exp(draw.normal(0, _BRIGHTNESS, (n, 1)))
    added = light - mean * gain
    values = pixels * gain.astype(np.float32)[:, None, None]
    values += added.astype(np.float32)[:, None, None]
    recoloured: NDArray[np.uint8] = np.clip(values, 0, 255, out=values).astype(np.uint8)
    return recoloured


def _cut(batch: Batch, draw: np.random.Generator) -> Batch:
    """Replace a rectangle of each crop by another's, in whole cells of the map."""
    size = draw.integers(2, GRID - 1, 2)
    top, left = draw.integers(0, GRID + 1 - size)
    bottom, right = top + size[0], left + size[1]
    other = draw.permutation(len(batch.pixels))
    pixels, maps = batch.pixels.copy(), batch.maps.copy()
    edges = [round(int(edge) * pixels.shape[1] / GRID) for edge in (top, bottom, left, right)]
    inside = (slice(None), slice(*edges[:2]), slice(*edges[2:]))
    pixels[inside] = batch.pixels[other][inside]
    places = (slice(None), slice(top, bottom), slice(left, right))
    maps[places] = batch.maps[other][places]
    share = float(size.prod()) / GRID**2
    return Batch(pixels, maps, (1 - share) * batch.pooled + share * batch.pooled[other])
