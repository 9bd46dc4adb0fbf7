"""Describe embedders without loading them."""

from __future__ import annotations

from organizer import registry
from organizer.errors import PluginError, SettingsError
from organizer.library.embedders.choose import EMBEDDERS
from organizer.library.embedders.load import load_embedder
from organizer.protocols import Describable, EmbedderInfo, Family, TextEmbedder
from organizer.settings import Settings
from organizer.types import PartSpec


def describe_embedders(settings: Settings) -> list[EmbedderInfo]:
    """Describe every registered embedder; one that cannot be loaded has the reason."""
    return [describe_embedder(name, settings) for name in registry.part_names(EMBEDDERS)]


def describe_embedder(name: str, settings: Settings) -> EmbedderInfo:
    """Describe an embedder without loading it; one that cannot be loaded has the reason."""
    try:
        return embedder_info(name, settings)
    except (PluginError, SettingsError) as error:
        return EmbedderInfo(name, 0, "broken", error.message, "")


def embedder_info(name: str, settings: Settings) -> EmbedderInfo:
    """Describe an embedder without loading it.

    Raises:
        SettingsError: No embedder has that name.
        PluginError: It cannot be loaded.
    """
    factory = registry.part_factory(EMBEDDERS, name)
    if isinstance(factory, Describable):
        return factory.describe(weights=settings.weights)
    part = load_embedder(PartSpec(name), settings).part
    return EmbedderInfo(name, part.dim, "none needed", "", "", isinstance(part, TextEmbedder))


def family_names(family: str) -> list[str]:
    """The names of a family of embedders, as they are typed.

    Raises:
        SettingsError: There is no such family.
    """
    found: object = registry.family_of(family)
    if not isinstance(
        found, Family
    ):  # the combination of names with a plus is registered like a family
        raise SettingsError(f"{family!r} has no names to list", "organizer models list timm")
    return [f"{family}:{model}" for model in found.models()]
