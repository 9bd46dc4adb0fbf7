"""A network that an engine can run: what engines and the choice between them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from organizer.embed.preprocess import Preprocessing

IMAGES_PER_PASS = 4
"""Images in one forward pass on a processor. The activations of more do not stay in its caches,
and torch's allocator has the system clear new pages for every layer."""


class ConversionError(Exception):
    """An engine cannot run a network as torch does."""


@dataclass(frozen=True, slots=True)
class NetworkSource:
    """A network that can be built, and what identifies it.

    Attributes:
        key: Names network, layer and weights; two networks of one key are the same.
        build: Makes the torch module, from ``(n, 3, h, w)`` float32 to ``(n, dim)``.
        preprocessing: How its images are resized and cropped, and how they are normalised.
        int8: Whether its convolutions are of eight-bit integers, see `organizer.embed.int8`.
    """

    key: str
    build: Callable[[], Any]
    preprocessing: Preprocessing
    int8: bool = False
