"""The default embedder: the best one whose weights are on this machine."""

from __future__ import annotations

from contextlib import suppress

from organizer.errors import WeightsDamagedError, WeightsError
from organizer.library.embedders.describe import describe_embedder
from organizer.library.embedders.load import load_embedder
from organizer.library.embedders.weights import has_default_weights
from organizer.library.progress import Progress
from organizer.protocols import LoadedEmbedder
from organizer.settings import DEFAULT_EMBEDDER, Settings
from organizer.types import PartSpec

_NEXT_BEST = (
    "resnet50", "efficientnet_b0", "convnext_tiny", "resnet101", "vit_b_16", "inception_v3",
    "resnet34", "vgg16", "vgg19", "resnet18", "alexnet",
)  # fmt: skip
"""Where more than one is here, the first: about by torchvision's accuracies on ImageNet, with small
ones before their larger like."""

_INCLUDED = "organizer-mini"
_TO_DEFAULT = (
    f"organizer ingest --embedder {DEFAULT_EMBEDDER}, then "
    f"organizer recluster --embedder {DEFAULT_EMBEDDER}"
)


def load_default_embedder(settings: Settings, progress: Progress) -> LoadedEmbedder:
    """Load the best embedder whose weights are on this machine; any but the default is noted.

    Nothing is downloaded: that is a person's choice, and clusters come first.

    Raises:
        WeightsError: The user named a place for weights that does not exist.
    """
    try:
        is_here, why = has_default_weights(settings), "are not on this machine"
    except WeightsDamagedError as error:
        is_here, why = False, f"cannot be used ({error.message}; {error.hint})"
    if is_here:
        return load_embedder(PartSpec(DEFAULT_EMBEDDER), settings)
    name = _next_best(settings)
    means = ", the small network that comes with organizer" if name == _INCLUDED else ""
    progress.note(
        f"using {name}{means}: the weights of {DEFAULT_EMBEDDER} {why}. "
        f"Better groups: organizer models pull {DEFAULT_EMBEDDER}, then {_TO_DEFAULT}"
    )
    return load_embedder(PartSpec(name), settings)


def note_better_embedder(spec: PartSpec, settings: Settings, progress: Progress) -> None:
    """Note that the default embedder is available, where the included one is used."""
    if spec.name != _INCLUDED:
        return
    with suppress(WeightsError):
        if has_default_weights(settings):
            progress.note(
                f"the weights of {DEFAULT_EMBEDDER} are on this machine; better groups: "
                f"{_TO_DEFAULT}"
            )


def _next_best(settings: Settings) -> str:
    """The first of the others whose weights are on this machine."""
    here = (name for name in _NEXT_BEST if describe_embedder(name, settings).weights == "here")
    return next(here, _INCLUDED)
