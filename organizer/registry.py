"""Name -> part, for built-in parts and plugins alike, through entry points.

Names are listed without importing anything. A plugin that cannot be loaded is named with its
reason and harms nobody else. An embedder may also be named FAMILY:NAME, NAME@LAYER, or A+B for
several as one.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from organizer.errors import OrganizerError, PluginError, SettingsError
from organizer.near_words import did_you_mean, near_words
from organizer.protocols import EMBEDDER_FAMILIES, GROUPS, Family, Layered, Versioned
from organizer.types import PartSpec

_EMBEDDERS = "organizer.embedders"


def part_names(group: str) -> tuple[str, ...]:
    """The names of all parts of a group, sorted; nothing is imported."""
    return tuple(sorted({point.name for point in _entry_points(group)}))


def check_part(group: str, name: str) -> None:
    """Make sure that a part of that name may exist; no part is imported.

    Of FAMILY:NAME the family is looked up, of A+B both.

    Raises:
        SettingsError: No part has that name.
        PluginError: Two parts have it.
    """
    if group != _EMBEDDERS or name in part_names(group):
        _entry_point(group, name)
        return
    for part in joined_names(name):
        plain, family, _ = _parsed(part)
        _entry_point(*((EMBEDDER_FAMILIES, family) if family else (group, plain)))


def joined_names(name: str) -> list[str]:
    """The embedders whose names a name joins by a plus: A+B; itself where it joins none."""
    return [name] if name in part_names(_EMBEDDERS) else name.split("+")


def part_factory(group: str, name: str) -> Callable[..., Any]:
    """The factory that makes a part of that name.

    Raises:
        SettingsError: No part has that name.
        PluginError: Two parts have it, or its module cannot be imported.
    """
    if group != _EMBEDDERS or name in part_names(group):
        registered: Callable[..., Any] = _loaded(group, name)
        return registered
    if "+" in name:
        combination: Callable[..., Any] = _loaded(EMBEDDER_FAMILIES, "+")(name)
        return combination
    plain, family, layer = _parsed(name)
    made: Callable[..., Any] = family_of(family)(plain) if family else _loaded(group, plain)
    if not layer:
        return made
    if not isinstance(made, Layered):
        whole = name.partition("@")[0]
        raise SettingsError(f"{whole} has no layers to choose from", f"--embedder {whole}")
    return made.at(layer)


def family_of(name: str) -> Family:
    """The family of embedders of that name.

    Raises:
        SettingsError: There is none.
    """
    found: Family = _loaded(EMBEDDER_FAMILIES, name)
    return found


def canonical_name(group: str, name: str) -> str:
    """The one name of a part that may be spelled in several ways (``vgg16@fc2`` is ``vgg16``).

    Raises:
        SettingsError: No part has that name.
        PluginError: See `part_factory`.
    """
    if name in part_names(group):
        return name
    return str(getattr(part_factory(group, name), "name", name))


def create_part(
    group: str, spec: PartSpec, *, options: Mapping[str, Any] | None = None
) -> tuple[PartSpec, Any]:
    """Create a part.

    Args:
        group: An entry-point group of `organizer.protocols.GROUPS`.
        spec: Name and params. A version, if it has one, must be the version of what is created.
        options: Where and how to run, not what to compute (weights folder, device): a factory is
            given those that it names.

    Returns:
        The spec with the version of what was really created, and the part.

    Raises:
        SettingsError: Unknown name, or params that the factory does not take.
        PluginError: The part does not keep its contract.
        WeightsError: The part cannot find its weights.
    """
    make = part_factory(group, spec.name)
    kwargs = {**_accepted(make, options or {}), **spec.params}
    try:
        part = make(**kwargs)
    except OrganizerError:
        raise
    except TypeError as error:
        raise SettingsError(
            f"{_kind(group)} {spec.name!r} cannot be made with {dict(spec.params)}: {error}"
        ) from error
    if not isinstance(part, GROUPS[group]):
        raise PluginError(
            f"{_kind(group)} {spec.name!r} is not {_article(GROUPS[group].__name__)}",
            f"it comes from {_provider(_entry_point(group, spec.name))}: report it there",
        )
    version = part.version if isinstance(part, Versioned) else ""
    if spec.version and spec.version != version:
        raise PluginError(
            f"{_kind(group)} {spec.name!r} is version {version or 'unknown'} here, but "
            f"{spec.version} made the vectors in this library",
            "use the same weights, or embed with those that are here beside them (names stay): "
            "organizer ingest --other-weights"
            + (f" --embedder {spec.name}" if group == _EMBEDDERS else ""),
        )
    return spec.with_version(version), part


def part_provider(group: str, name: str) -> str:
    """The distribution that a part comes from.

    Raises:
        SettingsError: No part has that name.
        PluginError: Two parts have it.
    """
    return _provider(_entry_point(group, name))


def _parsed(name: str) -> tuple[str, str, str]:
    """``FAMILY:NAME@LAYER`` as name, family and layer; what is not there is empty."""
    rest, _, layer = name.partition("@")
    family, colon, plain = rest.partition(":")
    return (plain, family, layer) if colon else (rest, "", layer)


def _loaded(group: str, name: str) -> Any:
    point = _entry_point(group, name)
    try:
        return point.load()
    except Exception as error:
        # Importing a plugin's module can raise anything; the others must still work.
        raise PluginError(
            f"{_kind(group)} {name!r} of {_provider(point)} cannot be loaded: {error}",
            f"update or remove {_provider(point)}",
        ) from error


def _entry_point(group: str, name: str) -> EntryPoint:
    found = {
        (point.value, _provider(point)): point
        for point in _entry_points(group)
        if point.name == name
    }
    if not found:
        near = near_words(name, part_names(group))
        known = ", ".join(part_names(group)) or "none: organizer itself is not installed"
        raise SettingsError(
            f"there is no {_kind(group)} {name!r}",
            did_you_mean(near, f"there are: {known}"),
        )
    if len(found) > 1:
        providers = " and ".join(sorted(provider for _, provider in found))
        raise PluginError(
            f"two {_kind(group)}s are called {name!r}: from {providers}", "remove one of them"
        )
    return next(iter(found.values()))


def _entry_points(group: str) -> tuple[EntryPoint, ...]:
    return _installed(_search_path()).get(group, ())


def _search_path() -> tuple[tuple[str, int], ...]:
    """Where distributions are looked for, and when each place last changed.

    To install or to remove a distribution changes the folder that it is in.
    """
    return tuple((place, _changed_at(place)) for place in sys.path)


def _changed_at(place: str) -> int:
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return -1


# All packages are read for it, 10 to 50 ms each time, and a recluster asks nine times.
# importlib.metadata keeps its listings of folders in the same way.
@lru_cache(maxsize=1)
def _installed(search_path: tuple[tuple[str, int], ...]) -> Mapping[str, tuple[EntryPoint, ...]]:
    """The entry points of each of organizer's groups, for a state of the search path."""
    del search_path
    found = entry_points()
    groups = [group for group in found.groups if group.startswith("organizer.")]
    return {group: tuple(found.select(group=group)) for group in groups}


def _accepted(make: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(make).parameters
    return {name: value for name, value in options.items() if name in parameters}


def _provider(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value


def _kind(group: str) -> str:
    if group == EMBEDDER_FAMILIES:
        return "family of embedders"
    return group.rsplit(".", 1)[-1].removesuffix("s").replace("_", " ")


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "AEIOU" else f"a {noun}"
