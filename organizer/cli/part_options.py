"""The options of a part as they are typed, ``--set NAME=VALUE``, and listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from organizer.cli.output import print_json, print_line
from organizer.cli.session import say
from organizer.errors import SettingsError
from organizer.typed import as_typed
from organizer.types import PartOption


def assigned(assignments: Sequence[str], preset: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The options by name.

    Args:
        assignments: As they are typed: NAME=VALUE.
        preset: Those that were given in another way.

    Raises:
        SettingsError: One is not NAME=VALUE, or is set twice.
    """
    params = dict(preset or {})
    for text in assignments:
        name, equals, value = text.partition("=")
        if not (equals and name):
            raise SettingsError(f"--set {text} sets nothing", "--set NAME=VALUE")
        if name in params:
            raise SettingsError(f"{name} is set twice", "leave one out")
        params[name] = value
    return params


def print_options(part: str, options: Mapping[str, PartOption], *, json: bool) -> None:
    """The options of a part."""
    if json:
        print_json({"options": [{"name": n, **asdict(option)} for n, option in options.items()]})
        return
    for name, option in options.items():
        print_line(f"--set {name}={as_typed(option.example) if option.example else '...'}")
        print_line(f"    {option.help}{' (needed)' if option.needed else ''}")
    if not options:
        say(f"{part} has no options of its own")
