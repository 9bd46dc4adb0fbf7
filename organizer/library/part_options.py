"""The options of a part, and their values as they are typed: ``--set NAME=VALUE``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from organizer import registry
from organizer.arguments import require_flag, require_integer, require_number
from organizer.errors import SettingsError
from organizer.types import PartOption

_REQUIRED: Mapping[Any, Callable[[str, object], Any]] = {
    bool: require_flag,
    int: require_integer,
    float: require_number,
}
_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def described_options(group: str, name: str) -> dict[str, PartOption]:
    """The options that a part describes, by name as it is typed.

    Raises:
        SettingsError: There is no such part.
        PluginError: It cannot be loaded.
    """
    described: Mapping[str, PartOption] = getattr(registry.part_factory(group, name), "options", {})
    return dict(described)


def all_options(group: str, name: str) -> dict[str, PartOption]:
    """As `described_options`, with every other parameter of its factory besides."""
    names = inspect.signature(registry.part_factory(group, name)).parameters
    described = described_options(group, name)
    return {**described, **{n: PartOption("") for n in map(_typed, names) if n not in described}}


def option_values(
    group: str,
    name: str,
    params: Mapping[str, Any],
    *,
    options: Mapping[str, PartOption],
    listing: str,
) -> dict[str, Any]:
    """The keyword arguments of a part's factory.

    Args:
        group: The group of the part.
        name: Its name.
        params: What was given by name, with ``-`` or ``_``; a text becomes what the option is
            declared to be.
        options: What may be given.
        listing: The command that lists the options.

    Raises:
        SettingsError: It has no such option, or one is missing, or a value is none for it.
    """
    make = registry.part_factory(group, name)
    given = {_typed(option): value for option, value in params.items()}
    for option in given:
        if option not in options:
            raise SettingsError(f"{name} has no {option}", _offered(options, listing))
    for option, described in options.items():
        if described.needed and option not in given:
            example = described.example or "VALUE"
            raise SettingsError(
                f"{name} needs {option}: {described.help}",
                f"--set {option}={example}; {listing} lists all",
            )
    kinds = get_type_hints(make.__init__ if inspect.isclass(make) else make)
    return {
        _named(option): _value(option, value, kinds.get(_named(option), str))
        for option, value in given.items()
    }


def _offered(options: Mapping[str, PartOption], listing: str) -> str:
    if not options:
        return "it has no options of its own: leave it out"
    return f"it has {', '.join(options)}: {listing}"


def _typed(name: str) -> str:
    return name.replace("_", "-")


def _named(name: str) -> str:
    return name.replace("-", "_")


def _path(name: str, value: str) -> Path:
    try:
        path = Path(value).expanduser()
        path.exists()  # raises for names that no file can have
    except (OSError, RuntimeError, ValueError) as error:
        raise SettingsError(f"{name} cannot be {value!r}", f"it is a file: {error}") from error
    return path


def _value(name: str, value: Any, kind: Any) -> Any:
    """Convert a text to the type of an option; of anything else make sure that it is of it."""
    if get_origin(kind) in {UnionType, Union}:
        if value is None and NoneType in get_args(kind):
            return None
        inside = [part for part in get_args(kind) if part is not NoneType]
        kind = inside[0] if len(inside) == 1 else str
    if not isinstance(value, str):
        required = _REQUIRED.get(kind)
        return value if required is None else required(name, value)
    if kind not in {bool, int, float, Path}:
        return value
    if kind is bool:
        if value.lower() not in _WORDS:
            raise SettingsError(f"{name} cannot be {value!r}", "it is yes or no")
        return _WORDS[value.lower()]
    if kind is Path:
        return _path(name, value)
    try:
        return kind(value)
    except ValueError as error:
        what = "a whole number" if kind is int else "a number"
        raise SettingsError(f"{name} cannot be {value!r}", f"it is {what}") from error
