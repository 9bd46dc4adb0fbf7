"""The options of an autoencoder and its training, as a person sets them."""

from __future__ import annotations

from collections.abc import Sequence

from organizer.types import PartOption
from organizer_deep_clustering.checks import require

SHARED_OPTIONS = {
    "layers": PartOption(
        "widths of the encoder's layers; the last are the features", "500-500-2000-10"
    ),
    "layer-epochs": PartOption("passes of pretraining of each layer by itself", "0"),
    "pretrain-epochs": PartOption("passes of pretraining of all layers together", "200"),
    "start-space": PartOption("of the first K-means: smooth, or none, as published", "smooth"),
    "batch-size": PartOption("images of a batch", "256"),
    "tol": PartOption("it ends when no larger share of the images changed in a round", "0.001"),
}
"""Options that all trainings of an autoencoder have, by name as they are typed, each with its
default."""


def round_options(*, learning_rate: str, max_rounds: str) -> dict[str, PartOption]:
    """Those of the rounds, whose defaults differ from algorithm to algorithm."""
    return {
        "learning-rate": PartOption(
            "while features and clusters are trained together", learning_rate
        ),
        "max-rounds": PartOption("rounds at the most", max_rounds),
    }


def layer_widths(layers: str | Sequence[int]) -> tuple[int, ...]:
    """Widths of layers, from numbers or from a text like ``500-500-2000-10``.

    Raises:
        SettingsError: They are none.
    """
    parts = layers.replace(",", "-").split("-") if isinstance(layers, str) else list(layers)
    try:
        widths = tuple(int(part) for part in parts)
    except ValueError:
        widths = ()
    require(
        # Images are compared by the directions of their features: one has two alone.
        bool(widths) and min(widths, default=0) >= 1 and widths[-1] >= 2,
        f"layers cannot be {layers!r}",
        "for example 500-500-2000-10; the last are the features, 2 or more",
    )
    return widths
