"""Vectors, what made them, and a batch of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeGuard

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PartSpec:
    """What makes a part again: name, parameters, and the version of what else decides its output.

    A spec is stored with whatever the part made and is what travels to workers.

    Attributes:
        name: The name in the registry.
        params: Keyword arguments of the factory; only values that JSON can hold.
        version: What else decides the output, for example the hash of the weights.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that two specs share only if they are equal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    def with_version(self, version: str) -> Self:
        """The same part, pinned to a version."""
        return replace(self, version=version)

    def to_json(self) -> str:
        """Canonical JSON: equal specs give equal text."""
        body = {"name": self.name, "params": dict(self.params), "version": self.version}
        return json.dumps(body, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class EmbeddingBatch:
    """The embeddings of some images.

    Attributes:
        image_ids: One id a row.
        vectors: ``(n, dim)`` float32; row i belongs to ``image_ids[i]``.
    """

    image_ids: tuple[str, ...]
    vectors: Vectors

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.vectors.dtype != np.float32:
            raise ValueError(
                f"vectors must be (n, dim) float32, not {self.vectors.shape} {self.vectors.dtype}"
            )
        if len(self.image_ids) != len(self.vectors):
            raise ValueError(f"{len(self.image_ids)} ids for {len(self.vectors)} vectors")


CROPS_PREFIX = "crops:"
"""What the name of an embedder begins with whose images are crops."""


def picture_embedder(spec: PartSpec) -> PartSpec:
    """The embedder of pictures that an embedder of crops runs on what lies in their boxes."""
    return replace(spec, name=spec.name.removeprefix(CROPS_PREFIX))


def is_crop_embedder(spec: PartSpec | None) -> TypeGuard[PartSpec]:
    """Whether the images of an embedder are crops."""
    return spec is not None and spec.name.startswith(CROPS_PREFIX)
