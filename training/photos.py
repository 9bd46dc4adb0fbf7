"""Photos packed into one file, and the boxes of their crops."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

MIXED = 1000
"""Turns from this number on are of mixed crops."""

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


class Pack:
    """Decoded photos of a working folder, so that they are not decoded for every pass.

    Attributes:
        shapes: ``(n, 2)`` height and width.
    """

    def __init__(self, work: Path) -> None:
        self.shapes: NDArray[np.int64] = np.load(work / "shapes.npy")
        self._pixels = np.load(work / "pixels.npy", mmap_mode="r")
        self._ends = np.cumsum(self.shapes.prod(1) * 3)

    def __len__(self) -> int:
        return len(self.shapes)

    def crop(self, row: int, box: NDArray[np.float32], side: int) -> NDArray[np.uint8]:
        """The crop ``(side, side, 3)`` of a box (left, top, right, bottom)."""
        height, width = self.shapes[row]
        end = self._ends[row]
        flat = np.asarray(self._pixels[end - height * width * 3 : end])
        photo = Image.fromarray(flat.reshape(height, width, 3))
        edges = (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
        return np.asarray(photo.resize((side, side), Image.Resampling.BILINEAR, box=edges))

    def crops(
        self, rows: NDArray[np.int64], where: NDArray[np.float32], side: int
    ) -> NDArray[np.uint8]:
        """The crops ``(n, side, side, 3)`` of the boxes of some rows."""
        return np.stack([self.crop(row, box, side) for row, box in zip(rows, where, strict=True)])


@dataclass(frozen=True)
class Mix:
    """The crops of other photos that are blended over those of a mixed turn, by a half at most.

    The teacher's output is that of the mixture (Beyer et al. 2022, arXiv 2106.05237, "function
    matching"), which makes many pictures of few photos.

    Attributes:
        others: ``(n,)`` rows of the photos whose crops they are.
        shares: ``(n,)`` their share of the mixture.
    """

    others: NDArray[np.int64]
    shares: NDArray[np.float32]

    @classmethod
    def of(cls, n: int, turn: int) -> Mix | None:
        """The mix of a turn; held-out photos are not mixed with others."""
        if turn < MIXED:
            return None
        draw = np.random.default_rng([13, turn])
        learnt, _ = split(n)
        others, shares = np.arange(n), np.zeros(n, np.float32)
        others[learnt] = draw.permutation(learnt)
        shares[learnt] = draw.uniform(0, 0.5, len(learnt))
        return cls(others, shares)


def blended(
    below: NDArray[np.uint8], above: NDArray[np.uint8], shares: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Pictures ``(n, side, side, 3)`` blended with others by their shares."""
    some = shares.reshape(-1, 1, 1, 1)
    mixed: NDArray[np.uint8] = np.rint(below * (1 - some) + above * some).astype(np.uint8)
    return mixed


def pack(folder: Path, work: Path, *, side: int = 112) -> int:
    """Decode all photos below a folder, the shorter side at most `side` pixels; return how many."""
    work.mkdir(parents=True, exist_ok=True)
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    with ThreadPoolExecutor() as pool:
        photos = list(pool.map(lambda file: _decoded(file, side), files))
    np.save(work / "pixels.npy", np.concatenate([photo.reshape(-1) for photo in photos]))
    np.save(work / "shapes.npy", np.array([photo.shape[:2] for photo in photos]))
    return len(photos)


def boxes(shapes: NDArray[np.int64], turn: int) -> NDArray[np.float32]:
    """``(n, 4)``: one box of each photo, another for each turn.

    Turn 0 is nearly the centre square, the crop of the finished network. The others have a side of
    half to all of the shorter side, anywhere, up to a fifth wider than high or the other way round.
    """
    draw = np.random.default_rng([7, turn])
    return np.array([_box(height, width, turn, draw) for height, width in shapes], np.float32)


def _box(height: int, width: int, turn: int, draw: np.random.Generator) -> tuple[float, ...]:
    short = min(height, width)
    least = 0.5 if turn else 0.85
    side = short * np.sqrt(draw.uniform(least**2, 1))
    aspect = np.exp(draw.uniform(-0.2, 0.2)) if turn else 1.0
    across, down = min(width, side * np.sqrt(aspect)), min(height, side / np.sqrt(aspect))
    if turn:
        left, top = draw.uniform(0, width - across), draw.uniform(0, height - down)
    else:
        left = (width - across) * np.clip(draw.normal(0.5, 0.15), 0, 1)
        top = (height - down) * np.clip(draw.normal(0.5, 0.15), 0, 1)
    return left, top, left + across, top + down


def split(n: int, *, held_out: int = 500) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows for training, and held-out rows for validation."""
    order = np.random.default_rng(11).permutation(n)
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def slices(rows: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """The rows in chunks."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _decoded(file: Path, side: int) -> NDArray[np.uint8]:
    with Image.open(file) as photo:
        photo.draft("RGB", (side, side))
        upright = ImageOps.exif_transpose(photo).convert("RGB")
    scale = side / min(upright.size)
    if scale < 1:
        size = round(upright.width * scale), round(upright.height * scale)
        upright = upright.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(upright)
