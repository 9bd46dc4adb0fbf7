"""The options of an export format, and their values as they are typed."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from organizer import registry
from organizer.errors import SettingsError
from organizer.protocols import Exporter
from organizer.types import ExportOption, PartSpec

GROUP = "organizer.exporters"

_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def format_options(exporter: str) -> dict[str, ExportOption]:
    """The options of a format by name as it is typed, also those that a plugin does not describe.

    Raises:
        SettingsError: There is no such format.
        PluginError: It cannot be loaded.
    """
    make = registry.part_factory(GROUP, exporter)
    described: Mapping[str, ExportOption] = getattr(make, "options", {})
    names = [_typed(name) for name in inspect.signature(make).parameters]
    return {**described, **{name: ExportOption("") for name in names if name not in described}}


def make_exporter(exporter: str, params: Mapping[str, Any]) -> Exporter:
    """Create the exporter of a format.

    Args:
        exporter: Name of the format.
        params: Its options; a text becomes what the option is declared to be.

    Raises:
        SettingsError: It has no such option, or one is missing, or a value is none for it.
    """
    make = registry.part_factory(GROUP, exporter)
    options = format_options(exporter)
    given = {_typed(name): value for name, value in params.items()}
    for name in given:
        if name not in options:
            raise SettingsError(f"{exporter} has no {name}", _offered(exporter, options))
    for name, option in options.items():
        if option.needed and name not in given:
            example = option.example or "VALUE"
            raise SettingsError(
                f"{exporter} needs {name}: {option.help}",
                f"--set {name}={example}; organizer export {exporter} --options lists all",
            )
    kinds = _kinds(make)
    values = {
        _named(name): _value(name, value, kinds.get(_named(name), str))
        for name, value in given.items()
    }
    return cast(Exporter, registry.create_part(GROUP, PartSpec(exporter, values))[1])


def _offered(exporter: str, options: Mapping[str, ExportOption]) -> str:
    if not options:
        return "it has no options of its own: leave it out"
    return f"it has {', '.join(options)}: organizer export {exporter} --options"


def _typed(name: str) -> str:
    return name.replace("_", "-")


def _named(name: str) -> str:
    return name.replace("-", "_")


def _kinds(make: Any) -> dict[str, Any]:
    """The declared type of each option."""
    return get_type_hints(make.__init__ if inspect.isclass(make) else make)


def _path(name: str, value: str) -> Path:
    try:
        path = Path(value).expanduser()
        path.exists()  # raises for names that no file can have
    except (OSError, RuntimeError, ValueError) as error:
        raise SettingsError(f"{name} cannot be {value!r}", f"it is a file: {error}") from error
    return path


def _value(name: str, value: Any, kind: Any) -> Any:
    """Convert a text to the type of an option; leave anything else as it is."""
    if get_origin(kind) in {UnionType, Union}:
        inside = [part for part in get_args(kind) if part is not NoneType]
        kind = inside[0] if len(inside) == 1 else str
    if not isinstance(value, str) or kind not in {bool, int, float, Path}:
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
