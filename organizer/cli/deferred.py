"""Commands that are made when they are called, and help in plain text.

Typer reads the annotations of a command to make it: for all commands that takes two thirds of the
time of Typer's own import, and the boxes of rich's help take twice that time. ``organizer --help``
does without both, so that it answers at once on a slow laptop too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import DefaultPlaceholder

from organizer.errors import SettingsError

_COMPLETION = ("install_completion", "show_completion")
"""Options that Typer gives to every app that it makes by itself."""

_SENTENCE = 1_000
"""Characters of a first sentence, more than any has: none is truncated."""


class Sections(TyperGroup):
    """A group whose help lists each command with its first sentence, section by section.

    A word that is no command is answered with those that may be meant.
    """

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called."""
        word = args[0]
        is_option = word.startswith("-")
        if not (ctx.resilient_parsing or is_option or self.get_command(ctx, word)):
            _refuse_unknown(ctx, word, self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands by panel, the panels in the order of their first command."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            listed = self.get_command(ctx, name)
            if listed is not None and not listed.hidden:
                title = getattr(listed, "rich_help_panel", None) or "Commands"
                sections.setdefault(title, []).append((name, listed.get_short_help_str(_SENTENCE)))
        for title, lines in sections.items():
            with formatter.section(title):
                formatter.write_dl(lines)


def _refuse_unknown(ctx: Any, word: str, known: list[str]) -> NoReturn:
    from organizer.cli.session import print_failure
    from organizer.cli.synonyms import meant_commands

    program, _, above = ctx.command_path.partition(" ")
    meant = meant_commands(word, known, above=above)
    hint = (
        f"did you mean: {' or '.join(f'{program} {command}' for command in meant)}"
        if meant
        else f"{ctx.command_path} --help lists them"
    )
    error = SettingsError(f"there is no command {ctx.command_path} {word}", hint)
    print_failure(error)
    raise typer.Exit(error.exit_code)


class PathsTaken(TyperCommand):
    """A command that refuses an empty path, which would be taken for the current folder.

    A shell makes one of a variable that is not set: ``organizer arrange --to "$FOLDER"``.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, and refuse an empty one where a path is meant."""
        empty = any(not arg or (arg.startswith("-") and arg.endswith("=")) for arg in args)
        suspicious = empty and "." not in args
        rest = super().parse_args(ctx, args)
        params: list[Any] = list(self.params) if suspicious else []
        for param in params:
            value = ctx.params.get(param.name)
            if Path() in (value if isinstance(value, list | tuple) else [value]):
                raise typer.BadParameter("the path is empty", ctx=ctx, param=param)
        return rest


class Deferred(TyperCommand):
    """A command by its name and its line of the help, without its options."""

    def __init__(
        self, name: str, *, line: str, load: Callable[[], Any], panel: str | None = None
    ) -> None:
        super().__init__(name, help=line, rich_help_panel=panel)
        self.load = load


def deferred(app: typer.Typer) -> Iterator[Deferred]:
    """The commands of an app, then its groups."""
    for info in app.registered_commands:
        function: Any = info.callback
        name = info.name or function.__name__.replace("_", "-")
        single = typer.Typer()
        single.registered_commands.append(info)
        yield Deferred(
            name, line=inspect.getdoc(function) or "", load=partial(make_command, name, single)
        )
    for group in app.registered_groups:
        sub: Any = group.typer_instance
        name = str(group.name)
        yield Deferred(name, line=sub.info.help, load=partial(make_command, name, sub))


def make_command(name: str, app: typer.Typer) -> Any:
    """Make the command, or the group of commands, of an app."""
    _use_plain_help(app)
    command = typer.main.get_command(app)
    command.name = name
    command.params = [param for param in command.params if param.name not in _COMPLETION]
    return command


def _use_plain_help(app: typer.Typer) -> None:
    app.rich_markup_mode = None
    if isinstance(app.info.cls, DefaultPlaceholder):
        app.info.cls = Sections
    for command in app.registered_commands:
        if command.cls is None or command.cls is TyperCommand:
            command.cls = PathsTaken
    for group in app.registered_groups:
        if group.typer_instance is not None:
            _use_plain_help(group.typer_instance)
