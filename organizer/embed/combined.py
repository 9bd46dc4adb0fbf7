"""Several embedders as one: ``hog+hsv``, ``mobilenet_v2+hsv``.

The vector is that of each part at unit length, one behind the other, so every part has the same
weight in a cosine.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        engine: What runs those that are networks, for a person.
    """

    def __init__(self, parts: Sequence[Embedder], *, version: str) -> None:
        self._parts = tuple(parts)
        self.dim = sum(part.dim for part in parts)
        self.min_side = max(least_side(part) or _ALL for part in parts)
        self.version = version
        engines = [str(getattr(part, "engine", "")) for part in parts]
        self.engine = " and ".join(dict.fromkeys(filter(None, engines)))

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        """What each part makes of the image: ``(parts,)`` of arrays."""
        prepared = np.empty(len(self._parts), dtype=object)
        for number, part in enumerate(self._parts):
            prepared[number] = part.prepare(image)
        return prepared

    def embed(self, batch: Sequence[NDArray[Any]]) -> Vectors:
        """``(n, dim)`` float32; a part that finds nothing in an image leaves its share zero."""
        columns = [
            _unit(part.embed([prepared[number] for prepared in batch]))
            for number, part in enumerate(self._parts)
        ]
        return np.concatenate(columns, axis=1)


class Combination:
    """The factory of a combination.

    Attributes:
        name: The names of its parts, each as the registry knows it, joined by +.
    """

    def __init__(self, name: str) -> None:
        parts = registry.joined_names(name)
        if any(part.startswith("crops:") for part in parts):
            raise SettingsError(
                f"{name!r} cannot be made: crops have one embedder", "for example crops:hog"
            )
        self._names = [registry.canonical_name(_GROUP, part) for part in parts]
        self.name = "+".join(self._names)
        if len(set(self._names)) < len(self._names):
            raise SettingsError(f"{name!r} names an embedder twice")

    def __call__(
        self, *, weights: Path | None = None, device: str = "auto", precision: str = "auto"
    ) -> CombinedEmbedder:
        """All parts, made with the same options."""
        options = {"weights": weights, "device": device, "precision": precision}
        made = [registry.create_part(_GROUP, PartSpec(n), options=options) for n in self._names]
        version = "+".join(spec.version for spec, _ in made)
        return CombinedEmbedder([part for _, part in made], version=version)

    def describe(self, *, weights: Path | None = None) -> EmbedderInfo:
        """As ready as the part that is least so."""
        found: list[Any] = [registry.part_factory(_GROUP, name) for name in self._names]
        described = [part for part in found if isinstance(part, Describable)]
        if not described:
            return EmbedderInfo(self.name, 0, "none needed", "", "")
        infos = [part.describe(weights=weights) for part in described]
        order = ("none needed", "here", "downloadable", "missing")
        worst = max(infos, key=lambda info: order.index(info.weights))
        known = len(infos) == len(found) and all(info.dim for info in infos)
        dim = sum(info.dim for info in infos) if known else 0
        return EmbedderInfo(self.name, dim, worst.weights, worst.location, worst.licence)


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), dtype=np.float32)
