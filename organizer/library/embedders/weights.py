"""The weights of embedders: found, downloaded, imported."""

from __future__ import annotations

from pathlib import Path

from organizer import registry
from organizer.errors import SettingsError
from organizer.library.embedders.choose import EMBEDDERS, require_photo_embedder
from organizer.protocols import Weighted
from organizer.settings import DEFAULT_EMBEDDER, Settings


def ensure_weights(name: str | None, settings: Settings) -> None:
    """Make sure that the weights for a first ingest are here, before a library is made for it.

    Args:
        name: The embedder; the default where None.
        settings: Where weights may be.

    Raises:
        SettingsError: No embedder has that name, or it is not one of whole photos.
        WeightsError: The weights cannot be had, or the user named a place that does not exist.
    """
    require_photo_embedder(name)
    name = registry.canonical_name(EMBEDDERS, name or DEFAULT_EMBEDDER)
    for part in registry.joined_names(name):
        factory = registry.part_factory(EMBEDDERS, part)
        if isinstance(factory, Weighted):
            factory.pull(weights=settings.weights)


def pull_weights(name: str, settings: Settings) -> Path:
    """Find the weights file of an embedder; it is downloaded if it is not on this machine.

    Raises:
        WeightsError: It cannot be found or downloaded.
        SettingsError: No embedder has that name, or it needs no weights.
    """
    return _weighted(name).pull(weights=settings.weights)


def import_weights(name: str, file: Path) -> Path:
    """Copy a weights file to where organizer looks for it, if it is the embedder's.

    Raises:
        WeightsError: It holds something else, or cannot be read.
        SettingsError: No embedder has that name, it needs no weights, or there is no such file.
    """
    if not file.is_file():
        raise SettingsError(f"there is no file {file}", "a .pth or .safetensors file")
    return _weighted(name).import_weights(file)


def weights_folders(settings: Settings) -> list[Path]:
    """The folders in which weights are looked for, first to last."""
    from organizer.embed import weights

    given = [settings.weights] if settings.weights else []
    return [*given, weights.imported_folder(), weights.torch_cache(), weights.hub_cache()]


def _weighted(name: str) -> Weighted:
    registry.check_part(EMBEDDERS, name)
    factory = registry.part_factory(EMBEDDERS, name)
    if not isinstance(factory, Weighted):
        raise SettingsError(f"{name} needs no weights", "it can be used as it is")
    return factory
