"""Embedders of crops, ``crops:NAME``: NAME itself, whose images are what detectors boxed.

The name separates vectors of crops from those of whole photos, which are in a table of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from organizer import registry
from organizer.errors import SettingsError
from organizer.protocols import (
    Describable,
    Embedder,
    EmbedderInfo,
    TextEmbedder,
    Weighted,
)
from organizer.types import PartSpec

_GROUP = "organizer.embedders"
_PREFIX = "crops:"


class CropEmbedder:
    """The factory of an embedder of crops.

    Attributes:
        name: The name in the registry.
        of: That of the embedder whose network it is.
    """

    def __init__(self, of: str) -> None:
        self.of = registry.canonical_name(_GROUP, of)
        self.name = _PREFIX + self.of

    def __call__(
        self, *, weights: Path | None = None, device: str = "auto", precision: str = "auto"
    ) -> Embedder:
        """The embedder itself: a crop is a picture like any other."""
        options = {"weights": weights, "device": device, "precision": precision}
        return cast(Embedder, registry.create_part(_GROUP, PartSpec(self.of), options=options)[1])

    def at(self, layer: str) -> CropEmbedder:
        """The same as far as another layer."""
        return CropEmbedder(f"{self.of}@{layer}")

    def describe(self, *, weights: Path | None = None) -> EmbedderInfo:
        """As the embedder itself."""
        factory: Any = registry.part_factory(_GROUP, self.of)
        if isinstance(factory, Describable):
            found = factory.describe(weights=weights)
            return EmbedderInfo(
                self.name, found.dim, found.weights, found.location, found.licence, found.text
            )
        part = self()
        return EmbedderInfo(
            self.name, part.dim, "none needed", "", "", isinstance(part, TextEmbedder)
        )

    def pull(self, *, weights: Path | None = None) -> Path:
        """See `organizer.protocols.Weighted`."""
        return self._weighted().pull(weights=weights)

    def import_weights(self, file: Path) -> Path:
        """See `organizer.protocols.Weighted`."""
        return self._weighted().import_weights(file)

    def _weighted(self) -> Weighted:
        factory: Any = registry.part_factory(_GROUP, self.of)
        if not isinstance(factory, Weighted):
            raise SettingsError(f"{self.of} needs no weights", "it can be used as it is")
        return factory


class Crops:
    """The family ``crops:NAME``, NAME any embedder."""

    def __call__(self, of: str) -> CropEmbedder:
        """The embedder of crops that is another one.

        Raises:
            SettingsError: There is no embedder of that name, or it is one of crops already.
        """
        if of.startswith(_PREFIX) or not of:
            raise SettingsError(
                f"{_PREFIX}{of} names no embedder", f"for example {_PREFIX}mobilenet_v2"
            )
        return CropEmbedder(of)

    def models(self) -> list[str]:
        """The embedders that are registered by name."""
        return list(registry.part_names(_GROUP))


crops_family = Crops()
