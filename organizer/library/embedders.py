"""Which embedder a library works with, and how it is made ready."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from organizer import registry
from organizer.errors import PluginError, SettingsError, WeightsDamagedError, WeightsError
from organizer.library.progress import Progress
from organizer.protocols import (
    Describable,
    Embedder,
    EmbedderInfo,
    Family,
    LoadedEmbedder,
    TextEmbedder,
    Versioned,
    Weighted,
)
from organizer.settings import DEFAULT_EMBEDDER, Settings
from organizer.store import Store
from organizer.types import CROPS_PREFIX, PartSpec, is_crop_embedder

EMBEDDERS = "organizer.embedders"
_NEXT_BEST = (
    "resnet50", "efficientnet_b0", "convnext_tiny", "resnet101", "vit_b_16", "inception_v3",
    "resnet34", "vgg16", "vgg19", "resnet18", "alexnet",
)  # fmt: skip
"""Where more than one is here, the first: about by torchvision's accuracies on ImageNet, with small
ones before their larger like."""

_IN_THE_BOX = "organizer-mini"
_TO_DEFAULT = (
    f"organizer ingest --embedder {DEFAULT_EMBEDDER}, then "
    f"organizer recluster --embedder {DEFAULT_EMBEDDER}"
)


def library_embedder(store: Store) -> PartSpec | None:
    """The embedder that a library works with: that of its clustering, or else its first."""
    current = store.clusterings.current()
    if current is not None:
        return current.embedder
    return next(iter(store.vectors.specs()), None)


def photo_embedder(store: Store) -> PartSpec | None:
    """The embedder for whole photos: where the library works with crops, the same network's.

    Where the vectors of photos are another embedder's, that one.
    """
    own = library_embedder(store)
    if own is None or not is_crop_embedder(own):
        return own
    same = replace(own, name=own.name.removeprefix(CROPS_PREFIX))
    plain = [spec for spec in store.vectors.specs() if not is_crop_embedder(spec)]
    return same if same in plain or not plain else plain[0]


def require_photo_embedder(name: str | None) -> None:
    """Make sure that an embedder is one of whole photos.

    Raises:
        SettingsError: It is one of crops, of which an ingest knows nothing yet.
    """
    if name is not None and name.startswith(CROPS_PREFIX):
        plain = name.removeprefix(CROPS_PREFIX)
        raise SettingsError(
            f"{name} embeds what a detector boxed, and new photos have no boxes yet",
            f"organizer ingest FOLDER --embedder {plain}, then organizer detections import FILE",
        )


def stored_spec(store: Store, name: str) -> PartSpec:
    """The spec of an embedder as this library knows it; a bare one if it does not.

    Raises:
        SettingsError: No embedder has that name.
    """
    registry.check_part(EMBEDDERS, name)
    stored = {spec.name: spec for spec in store.vectors.specs()}
    if name in stored:
        return stored[name]
    name = registry.canonical_name(EMBEDDERS, name)
    return stored.get(name, PartSpec(name))


def check_embedder(name: str) -> None:
    """Make sure that there is an embedder of that name.

    Raises:
        SettingsError: There is none.
    """
    registry.canonical_name(EMBEDDERS, name)


def ensure_weights(name: str | None, settings: Settings) -> None:
    """Have on this machine what a first ingest needs, before a library is made for it.

    Args:
        name: The embedder; whichever is best of those whose weights are here where None.
        settings: Where weights may be.

    Raises:
        SettingsError: No embedder has that name, or it is not one of whole photos.
        WeightsError: The weights cannot be had, or the user named a place that does not exist.
    """
    require_photo_embedder(name)
    if name is None:
        with suppress(WeightsDamagedError):  # told of where another one is taken for it
            _has_default(settings)
        return
    for part in registry.joined_names(registry.canonical_name(EMBEDDERS, name)):
        factory = registry.part_factory(EMBEDDERS, part)
        if isinstance(factory, Weighted):
            factory.pull(weights=settings.weights)


def require_spec(store: Store, name: str | None) -> PartSpec:
    """The embedder to read vectors of, which must have some in this library.

    Raises:
        SettingsError: It has none here, or no embedder has that name.
    """
    spec = stored_spec(store, name) if name else library_embedder(store)
    if is_crop_embedder(spec) and not store.vectors.count(spec):
        raise SettingsError(
            f"there are no vectors of {spec.name} in this library",
            f"organizer detections import FILE --embedder {spec.name}",
        )
    if spec is None or not store.vectors.count(spec):
        what = f"vectors of {name!r}" if name else "images"
        option = f" --embedder {name}" if name else ""
        raise SettingsError(
            f"there are no {what} in this library", f"organizer ingest FOLDER{option}"
        )
    return spec


def missing_vectors_note(store: Store, spec: PartSpec) -> str:
    """What to tell of photos that have no vectors of an embedder: a clustering lacks them."""
    lacking = (
        0 if is_crop_embedder(spec) else store.photos.count_images() - store.vectors.count(spec)
    )
    if lacking <= 0:
        return ""
    return (
        f"{lacking:,} images have no vectors of {spec.name} and are in no cluster; to embed them: "
        f"organizer ingest --embedder {spec.name}"
    )


def load_embedder(spec: PartSpec, settings: Settings) -> LoadedEmbedder:
    """Create an embedder.

    Raises:
        SettingsError: It is not installed: it was given as an object, or its plugin is gone.
        OrganizerError: It cannot be had, or is not the one that the spec names.
    """
    try:
        registry.check_part(EMBEDDERS, spec.name)
    except SettingsError as error:
        raise SettingsError(
            f"the embedder {spec.name} is not installed here",
            "install its plugin; one that was given as an object is given again: embedder=...",
        ) from error
    options = {
        "weights": settings.weights,
        "device": settings.device,
        "precision": settings.precision,
    }
    pinned, part = registry.create_part(EMBEDDERS, spec, options=options)
    return LoadedEmbedder(pinned, part)


def as_loaded(embedder: str | Embedder | None) -> LoadedEmbedder | None:
    """An embedder that was given as an object; None where it was named, or not given.

    Its spec has the object's ``name``, or else the name of its class, and its ``version``.

    Raises:
        SettingsError: It is no embedder, or has the name of one that is installed.
    """
    if embedder is None or isinstance(embedder, str):
        return None
    kind = type(embedder).__name__
    if not isinstance(embedder, Embedder):
        raise SettingsError(
            f"a {kind} is no embedder",
            "it needs dim, prepare and embed; see organizer.protocols.Embedder",
        )
    name = str(getattr(embedder, "name", kind))
    if name in registry.part_names(EMBEDDERS):
        raise SettingsError(
            f"an embedder of the name {name} is installed", "give the object another name"
        )
    version = embedder.version if isinstance(embedder, Versioned) else ""
    return LoadedEmbedder(PartSpec(name, version=version), embedder)


def load_with_other_weights(spec: PartSpec, settings: Settings) -> LoadedEmbedder:
    """Create the embedder of that name and params as it is here, whatever its weights are.

    Raises:
        OrganizerError: It cannot be had.
    """
    return load_embedder(spec.with_version(""), settings)


def load_default_embedder(settings: Settings, progress: Progress) -> LoadedEmbedder:
    """The best embedder whose weights are on this machine; another than the default is told.

    No network is asked: groups come first, and a download is a person's choice.

    Raises:
        WeightsError: The user named a place for weights that does not exist.
    """
    try:
        is_here, why = _has_default(settings), "are not on this machine"
    except WeightsDamagedError as error:
        is_here, why = False, f"cannot be used ({error.message}; {error.hint})"
    if is_here:
        return load_embedder(PartSpec(DEFAULT_EMBEDDER), settings)
    name = _next_best(settings)
    means = ", the small network that comes with organizer" if name == _IN_THE_BOX else ""
    progress.note(
        f"using {name}{means}: the weights of {DEFAULT_EMBEDDER} {why}. "
        f"Better groups: organizer models pull {DEFAULT_EMBEDDER}, then {_TO_DEFAULT}"
    )
    return load_embedder(PartSpec(name), settings)


def note_better_embedder(spec: PartSpec, settings: Settings, progress: Progress) -> None:
    """Tell whoever works with the network that comes along that the default can be had by now."""
    if spec.name != _IN_THE_BOX:
        return
    with suppress(WeightsError):
        if _has_default(settings):
            progress.note(
                f"the weights of {DEFAULT_EMBEDDER} are on this machine; better groups: "
                f"{_TO_DEFAULT}"
            )


def describe_embedders(settings: Settings) -> list[EmbedderInfo]:
    """Every registered embedder; one that cannot be loaded is told with its reason."""
    return [describe_embedder(name, settings) for name in registry.part_names(EMBEDDERS)]


def family_names(family: str) -> list[str]:
    """The names that a family of embedders knows, as they are typed.

    Raises:
        SettingsError: There is no such family.
    """
    found: object = registry.family_of(family)
    if not isinstance(found, Family):  # what joins names by a plus is registered beside them
        raise SettingsError(f"{family!r} has no names to list", "organizer models list timm")
    return [f"{family}:{model}" for model in found.models()]


def pull_weights(name: str, settings: Settings) -> Path:
    """The weights file of an embedder, downloaded if it is nowhere on this machine.

    Raises:
        WeightsError: It cannot be had.
        SettingsError: No embedder has that name, or it needs no weights.
    """
    return _weighted(name).pull(weights=settings.weights)


def import_weights(name: str, file: Path) -> Path:
    """Copy a weights file to where it is found from now on, if it is the embedder's.

    Raises:
        WeightsError: It holds something else, or cannot be read.
        SettingsError: No embedder has that name, it needs no weights, or there is no such file.
    """
    if not file.is_file():
        raise SettingsError(f"there is no file {file}", "a .pth or .safetensors file")
    return _weighted(name).import_weights(file)


def weights_folders(settings: Settings) -> list[Path]:
    """Where weights are looked for, first to last."""
    from organizer.embed import weights

    given = [settings.weights] if settings.weights else []
    return [*given, weights.imported_folder(), weights.torch_cache(), weights.hub_cache()]


def describe_embedder(name: str, settings: Settings) -> EmbedderInfo:
    """What an embedder is, without loading it; one that cannot be loaded says why."""
    try:
        return embedder_info(name, settings)
    except (PluginError, SettingsError) as error:
        return EmbedderInfo(name, 0, "broken", error.message, "")


def embedder_info(name: str, settings: Settings) -> EmbedderInfo:
    """What an embedder is, without loading it.

    Raises:
        SettingsError: No embedder has that name.
        PluginError: It cannot be loaded.
    """
    factory = registry.part_factory(EMBEDDERS, name)
    if isinstance(factory, Describable):
        return factory.describe(weights=settings.weights)
    part = load_embedder(PartSpec(name), settings).part
    return EmbedderInfo(name, part.dim, "none needed", "", "", isinstance(part, TextEmbedder))


def _has_default(settings: Settings) -> bool:
    """Whether the weights of the default embedder are on this machine.

    Raises:
        WeightsError: The user named a place for weights that does not exist.
        WeightsDamagedError: A cache holds a file that is not what its name says.
    """
    from organizer.embed import weights
    from organizer.embed.network import NetworkFactory

    default = registry.part_factory(EMBEDDERS, DEFAULT_EMBEDDER)
    return (
        isinstance(default, NetworkFactory)
        and weights.find_weights(default.source(), given=settings.weights) is not None
    )


def _next_best(settings: Settings) -> str:
    """The first of the others whose weights are on this machine."""
    here = (name for name in _NEXT_BEST if describe_embedder(name, settings).weights == "here")
    return next(here, _IN_THE_BOX)


def _weighted(name: str) -> Weighted:
    registry.check_part(EMBEDDERS, name)
    factory = registry.part_factory(EMBEDDERS, name)
    if not isinstance(factory, Weighted):
        raise SettingsError(f"{name} needs no weights", "it can be used as it is")
    return factory
