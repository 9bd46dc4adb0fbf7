"""Name -> part, for built-in parts and plugins alike, through entry points.

Names are listed without importing anything. A plugin that cannot be loaded is named with its
reason and harms nobody else.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from organizer.errors import OrganizerError, PluginError, SettingsError
from organizer.protocols import GROUPS, Versioned
from organizer.types import PartSpec


def names(group: str) -> tuple[str, ...]:
    """The names of all parts of a group, sorted; nothing is imported."""
    return tuple(sorted({point.name for point in entry_points(group=group)}))


def check(group: str, name: str) -> None:
    """Make sure that a part of that name is registered; nothing is imported.

    Raises:
        SettingsError: No part has that name.
        PluginError: Two parts have it.
    """
    _entry_point(group, name)


def factory(group: str, name: str) -> Callable[..., Any]:
    """The factory that is registered under a name.

    Raises:
        SettingsError: No part has that name.
        PluginError: Two parts have it, or its module cannot be imported.
    """
    point = _entry_point(group, name)
    try:
        loaded: Callable[..., Any] = point.load()
    except Exception as error:
        # Importing a stranger's module can raise anything; the others must still work.
        raise PluginError(
            f"{_kind(group)} {name!r} of {_provider(point)} cannot be loaded: {error}",
            f"update or remove {_provider(point)}",
        ) from error
    return loaded


def create(
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
    make = factory(group, spec.name)
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
            "use the same weights, or add the other ones as a second embedder",
        )
    return spec.with_version(version), part


def _entry_point(group: str, name: str) -> EntryPoint:
    found = {
        (point.value, _provider(point)): point for point in entry_points(group=group, name=name)
    }
    if not found:
        near = difflib.get_close_matches(name, names(group), n=3, cutoff=0.4)
        known = ", ".join(names(group)) or "none: organizer itself is not installed"
        raise SettingsError(
            f"there is no {_kind(group)} {name!r}",
            f"did you mean {' or '.join(near)}?" if near else f"there are: {known}",
        )
    if len(found) > 1:
        providers = " and ".join(sorted(provider for _, provider in found))
        raise PluginError(
            f"two {_kind(group)}s are called {name!r}: from {providers}", "remove one of them"
        )
    return next(iter(found.values()))


def _accepted(make: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(make).parameters
    return {name: value for name, value in options.items() if name in parameters}


def _provider(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value


def _kind(group: str) -> str:
    return group.rsplit(".", 1)[-1].removesuffix("s")


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "AEIOU" else f"a {noun}"
