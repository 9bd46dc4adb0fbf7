"""An embedder whose vectors are the features of a trained encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer import registry
from organizer.cluster.incremental import unit_rows
from organizer.errors import SettingsError, WeightsError, one_line
from organizer.library.clustering.space import ClusterSpace, centred_by, centring_text
from organizer.protocols import Embedder, least_side
from organizer.types import PartSpec, Vectors
from organizer_deep_clustering.encoder import Encoder

_EMBEDDERS = "organizer.embedders"
_SPACE = "space."
_ALL = 2**31 - 1
"""A shorter side that no picture has: it is decoded in full."""


class EncoderEmbedder:
    """The points of a base embedder's vectors, encoded.

    Attributes:
        dim: Number of features.
        min_side: As the base embedder has it.
        engine: What runs the base embedder, for a person.
        version: What tells its weights from others.
    """

    def __init__(
        self, base: Embedder, space: ClusterSpace, encoder: Encoder, *, version: str = ""
    ) -> None:
        self._base, self._space, self._encoder = base, space, encoder
        self.dim = encoder.dim
        self.min_side = least_side(base) or _ALL
        self.engine = str(getattr(base, "engine", ""))
        self.version = version

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        """As the base embedder does it."""
        return self._base.prepare(image)

    def embed(self, batch: Sequence[NDArray[Any]]) -> Vectors:
        """``(n, dim)`` float32; zeros where the base embedder found nothing."""
        vectors = unit_rows(np.asarray(self._base.embed(batch), dtype=np.float32))
        features = np.zeros((len(vectors), self.dim), dtype=np.float32)
        found = np.flatnonzero(vectors.any(axis=1))
        if len(found):
            features[found] = self._encoder(self._space.points(vectors[found]))
        return features


def encoder_embedder(
    about: Mapping[str, Any],
    tensors: Mapping[str, NDArray[Any]],
    *,
    weights: Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    version: str = "",
) -> EncoderEmbedder:
    """Make an embedder of what a training kept: `TrainedClusters.about` and its tensors.

    Args:
        about: What makes it again, as JSON.
        tensors: Its tensors by their names.
        weights: Where to look for the base embedder's weights first.
        device: Where the base embedder runs.
        precision: In which it runs.
        version: What tells these weights from others.

    Raises:
        WeightsError: They are not those of an encoder, or the base embedder's are not here.
        PluginError: The base embedder has another version here.
        SettingsError: The points were centred, which a picture by itself cannot be.
    """
    try:
        encoder = Encoder.restored(about, tensors)
        embedder = PartSpec(**about["space"]["embedder"])
        reducer = PartSpec(**about["space"]["reducer"])
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"the weights are not those of a trained encoder: {one_line(error)}",
            "train it again",
        ) from error
    if centred_by(reducer):
        raise SettingsError(
            f"the encoder was trained on vectors {centring_text(reducer)}, which those of a single"
            " picture cannot be",
            "train it without centring",
        )
    state = {
        name.removeprefix(_SPACE): array
        for name, array in tensors.items()
        if name.startswith(_SPACE)
    }
    options = {"weights": weights, "device": device, "precision": precision}
    _, base = registry.create_part(_EMBEDDERS, embedder, options=options)
    return EncoderEmbedder(base, ClusterSpace.restored(reducer, state), encoder, version=version)
