"""Load embedders: by their spec, or wrapped where they were given as objects."""

from __future__ import annotations

import re

from organizer import registry
from organizer.errors import SettingsError
from organizer.library.embedders.choose import EMBEDDERS
from organizer.protocols import Embedder, LoadedEmbedder, Versioned
from organizer.settings import DEFAULT_EMBEDDER, Settings
from organizer.types import CROPS_PREFIX, PartSpec

_RETIRED = frozenset({"organizer-mini"})
"""Embedders that came with organizer once: libraries hold their vectors."""

_OWN_NAME = re.compile(r"\w[\w.-]*")
"""Names of embedders with ``:``, ``+`` and ``@`` are spelled by the registry's rules."""


def load_embedder(spec: PartSpec, settings: Settings) -> LoadedEmbedder:
    """Load an embedder.

    Raises:
        SettingsError: It is not installed: it was given as an object, or its plugin is gone.
        OrganizerError: It cannot be loaded, or is not of the version that the spec names.
    """
    try:
        registry.check_part(EMBEDDERS, spec.name)
    except SettingsError as error:
        if _RETIRED.intersection(registry.joined_names(spec.name)):
            raise _retired_error(spec.name) from error
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


def _retired_error(name: str) -> SettingsError:
    crops = f"{CROPS_PREFIX}{DEFAULT_EMBEDDER}"
    return SettingsError(
        f"the embedder {name} does not come with organizer any more",
        "another one takes over, and names and decisions stay: organizer ingest --embedder "
        f"{DEFAULT_EMBEDDER}, then organizer recluster --embedder {DEFAULT_EMBEDDER}; where crops "
        f"are clustered, organizer detections import FILE --embedder {crops} in between, and "
        f"recluster --embedder {crops}",
    )


def as_loaded(embedder: str | Embedder | None) -> LoadedEmbedder | None:
    """Wrap an embedder that was given as an object; None where it was named, or not given.

    Its spec has the object's ``name``, or else the name of its class, and its ``version``.

    Raises:
        SettingsError: It is no embedder, or has the name of one that is installed.
    """
    if embedder is None or isinstance(embedder, str):
        return None
    kind = type(embedder).__name__
    if isinstance(embedder, type):
        raise SettingsError(
            f"{embedder.__name__} is a class", f"give an object of it: {embedder.__name__}()"
        )
    if not isinstance(embedder, Embedder):
        raise SettingsError(
            f"a {kind} is no embedder",
            "it needs dim, prepare and embed; see organizer.protocols.Embedder",
        )
    name = str(getattr(embedder, "name", kind))
    if not _OWN_NAME.fullmatch(name):
        raise SettingsError(
            f"an embedder cannot have the name {name!r}", "letters, digits, and . _ - between them"
        )
    if name in registry.part_names(EMBEDDERS):
        raise SettingsError(
            f"an embedder of the name {name} is installed", "give the object another name"
        )
    version = embedder.version if isinstance(embedder, Versioned) else ""
    return LoadedEmbedder(PartSpec(name, version=version), embedder)


def embedder_name(embedder: str | Embedder | None) -> str | None:
    """The name of an embedder that was named, or given as an object; None for none, or "".

    Raises:
        SettingsError: See `as_loaded`.
    """
    loaded = as_loaded(embedder)
    if loaded is not None:
        return loaded.spec.name
    return embedder if isinstance(embedder, str) and embedder else None


def load_with_other_weights(spec: PartSpec, settings: Settings) -> LoadedEmbedder:
    """Load an embedder with the weights on this machine, whatever version the spec names.

    Raises:
        OrganizerError: It cannot be loaded.
    """
    return load_embedder(spec.with_version(""), settings)
