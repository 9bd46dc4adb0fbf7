"""Embedders that fail on some pictures, as real ones do; a test installs this file as a plugin.

The picture that they stumble over is a yellow one.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

YELLOW = (250, 250, 20)


class Sound:
    """Mean and standard deviation of red, green and blue, of every picture."""

    dim = 6

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        channels = image.reshape(-1, 3) / 255
        return np.concatenate([channels.mean(axis=0), channels.std(axis=0)]).astype(np.float32)

    def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        return np.asarray(batch, dtype=np.float32).reshape(len(batch), self.dim)


def is_yellow(vectors: NDArray[Any]) -> NDArray[np.bool_]:
    """Which vectors of `Sound` are of yellow pictures."""
    return np.asarray((vectors[..., 0] > 0.85) & (vectors[..., 2] < 0.25))


class Gives(Sound):
    """Gives the yellow picture a vector of one number all over."""

    number = float("nan")

    def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        vectors = super().embed(batch)
        vectors[is_yellow(vectors)] = self.number
        return vectors


class GivesNaN(Gives):
    """Not a number."""


class GivesInfinity(Gives):
    """What a division by zero gives."""

    number = float("-inf")


class GivesTooLarge(Gives):
    """A number of float32 that half precision does not hold."""

    number = 70_000.0


class GivesDouble(Sound):
    """A number that float32 does not hold either."""

    def embed(self, batch: Sequence[NDArray[Any]]) -> Any:
        vectors = super().embed(batch).astype(np.float64)
        vectors[is_yellow(vectors)] = 1e300
        return vectors


class GivesZeros(Gives):
    """Sees nothing in the yellow picture."""

    number = 0.0


class Raises(Sound):
    """Raises on a batch with the yellow picture in it."""

    def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        vectors = super().embed(batch)
        if is_yellow(vectors).any():
            raise IndexError("no face\nin the picture")
        return vectors


class RaisesEarly(Sound):
    """Raises where the yellow picture is prepared."""

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        vector = super().prepare(image)
        if is_yellow(vector):
            raise ZeroDivisionError
        return vector


class LeavesOut(Sound):
    """Gives no row for the yellow picture."""

    def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        vectors = super().embed(batch)
        return vectors[~is_yellow(vectors)]


class Spoils(Sound):
    """Normalises over the batch: the yellow picture makes nothing of all the others in it."""

    def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        vectors = super().embed(batch)
        return vectors * np.float32("nan") if is_yellow(vectors).any() else vectors


class SmallBatches(Sound):
    """Has memory for four pictures, and none for the remains of an attempt that failed.

    Attributes:
        remains: What the attempts that failed worked with.
    """

    def __init__(self) -> None:
        self.remains: list[weakref.ref[NDArray[Any]]] = []

    def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        gc.collect()
        if any(one() is not None for one in self.remains):
            raise AssertionError("what the last attempt worked with is still in memory")
        worked_with = np.zeros(1_000)
        self.remains.append(weakref.ref(worked_with))
        if len(batch) > 4:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return super().embed(batch)


class AlwaysRaises(Sound):
    """A broken plugin."""

    def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        raise AttributeError(f"no such layer (of {min(len(batch), 1)})")


class AlwaysRaisesEarly(Sound):
    """A plugin that is broken where it prepares pictures."""

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        raise AttributeError(f"no such filter (of {image.ndim})")


class AlwaysNaN(Sound):
    """A network with damaged weights."""

    def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        return super().embed(batch) * np.float32("nan")


class Dies(Sound):
    """A graphics card that is gone after some batches.

    Args:
        after: Number of batches that it embeds.
    """

    def __init__(self, after: int = 2) -> None:
        self.left = after

    def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        return super().embed(batch)
