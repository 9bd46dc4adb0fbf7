"""Several embedders as one: ``hog+hsv``, ``mobilenet_v2+hsv``.

The vector is that of each part at unit length, one behind the other, so every part has the same
say in a cosine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer import registry
from organizer.errors import SettingsError
from organizer.protocols import Describable, Embedder, EmbedderInfo, least_side
from organizer.types import PartSpec, Vectors

_GROUP = "organizer.embedders"
_ALL = 2**31 - 1
"""A shorter side that no picture has: it is decoded in full."""


class CombinedEmbedder:
    """Embedders side by side.

    Attributes:
        dim: Sum of the lengths.
        min_side: Pixels of the shorter side that are enough for all of them.
        version: Theirs, joined.
    """

    def __init__(self, parts: Sequence[Embedder], *, version: str) -> None:
        self._parts = tuple(parts)
        self.dim = sum(part.dim for part in parts)
        self.min_side = max(least_side(part) or _ALL for part in parts)
        self.version = version

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        """What each part makes of the picture: ``(parts,)`` of arrays."""
        prepared = np.empty(len(self._parts), dtype=object)
        for number, part in enumerate(self._parts):
            prepared[number] = part.prepare(image)
        return prepared

    def embed(self, batch: Sequence[NDArray[Any]]) -> Vectors:
        """``(n, dim)`` float32; a part that sees nothing in a picture leaves its share zero."""
        columns = [
            _unit(part.embed([prepared[number] for prepared in batch]))
            for number, part in enumerate(self._parts)
        ]
        return np.concatenate(columns, axis=1)


@dataclass(frozen=True, slots=True)
class Combination:
    """The factory of a combination, from the names of its parts.

    Attributes:
        name: The names, joined by +.
    """

    name: str

    def __post_init__(self) -> None:
        if len(set(self._names)) < len(self._names):
            raise SettingsError(f"{self.name!r} names an embedder twice")
        for name in self._names:
            registry.factory(_GROUP, name)

    @property
    def _names(self) -> list[str]:
        return self.name.split("+")

    def __call__(
        self, *, weights: Path | None = None, device: str = "auto", precision: str = "auto"
    ) -> CombinedEmbedder:
        """All parts, made with the same options."""
        options = {"weights": weights, "device": device, "precision": precision}
        made = [registry.create(_GROUP, PartSpec(n), options=options) for n in self._names]
        version = "+".join(spec.version for spec, _ in made)
        return CombinedEmbedder([part for _, part in made], version=version)

    def describe(self, *, weights: Path | None = None) -> EmbedderInfo:
        """As ready as the part that is least so."""
        found: list[Any] = [registry.factory(_GROUP, name) for name in self._names]
        infos = [p.describe(weights=weights) for p in found if isinstance(p, Describable)]
        order = ("none needed", "here", "downloadable", "missing")
        worst = max(infos, key=lambda info: order.index(info.weights))
        dim = sum(info.dim for info in infos)
        return EmbedderInfo(self.name, dim, worst.weights, worst.location, worst.licence)


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), dtype=np.float32)
