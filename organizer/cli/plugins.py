"""Commands of plugins: listed without an import, loaded when one is called.

A plugin registers a `typer.Typer` app, or a function with Typer's annotations, under the
entry-point group ``organizer.commands``; its name becomes ``organizer NAME``. The line that
``organizer --help`` shows is read in the plugin's source and not run: the ``help`` of the app or
the first line of its callback's docstring, that of the function's, or else of the module's.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import typer

from organizer.cli.deferred import Deferred, Sections, deferred, make_command
from organizer.cli.session import plain, print_failure, say
from organizer.errors import OrganizerError, PluginError

if TYPE_CHECKING:
    import ast
    from importlib.metadata import EntryPoint

GROUP = "organizer.commands"
"""The entry-point group of commands."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class Commands(Sections):
    """The built-in commands, then those of plugins."""

    builtin: ClassVar[typer.Typer]
    """The app that holds the built-in commands."""

    def __init__(self, **options: Any) -> None:
        commands = {str(command.name): command for command in deferred(self.builtin)}
        super().__init__(**{**options, "commands": commands})

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the built-in commands in their order, then those of plugins, sorted."""
        listed = super().list_commands(ctx)
        return [*listed, *sorted({p.name for p in self._points if not _refusal(p, listed)})]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command without its options; no module of a plugin is imported yet."""
        builtin = super().get_command(ctx, cmd_name)
        if builtin is not None:
            return builtin
        points = [p for p in self._points if p.name == cmd_name and not _refusal(p, ())]
        return _listed(points[0]) if points else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called, made or loaded now."""
        name, found, rest = super().resolve_command(ctx, args)
        if not isinstance(found, Deferred):
            return name, found, rest
        try:
            return name, found.load(), rest
        except OrganizerError as error:
            if "--debug" in rest:
                raise
            print_failure(error)
            raise typer.Exit(error.exit_code) from error

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help; commands of plugins that cannot be called are named on stderr."""
        super().format_help(ctx, formatter)
        builtin = super().list_commands(ctx)
        for reason in sorted(filter(None, (_refusal(point, builtin) for point in self._points))):
            say(f"left out: {reason}")

    @cached_property
    def _points(self) -> tuple[EntryPoint, ...]:
        """The commands of plugins, read when a name is not built in: it reads every package."""
        from importlib.metadata import entry_points

        return tuple(entry_points(group=GROUP))


def _listed(point: EntryPoint) -> Deferred:
    """A plugin's command as the help lists it."""
    return Deferred(
        point.name, line=plain(_summary(point)), load=lambda: _loaded(point), panel="Plugins"
    )


def _refusal(point: EntryPoint, builtin: Collection[str]) -> str:
    """Why a plugin's command cannot be called; empty where it can."""
    command = f"the command {point.name!r} of {_provider(point)}"
    if point.name in builtin:
        return f"{command}: organizer has one of that name itself"
    return "" if _NAME.fullmatch(point.name) else f"{command}: that is no name of a command"


def _provider(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value


def _loaded(point: EntryPoint) -> Any:
    """Import a plugin's command.

    Raises:
        PluginError: Its module cannot be imported, it is no command, or two plugins have one of
            that name.
    """
    from organizer import registry

    found: Any = registry.part_factory(GROUP, point.name)
    if not isinstance(found, typer.Typer):
        if not callable(found):
            raise PluginError(
                f"the command {point.name!r} of {_provider(point)} is no Typer app and no function",
                f"update or remove {_provider(point)}",
            )
        app = typer.Typer()
        app.command(point.name)(found)
        found = app
    try:
        return make_command(point.name, found)
    except Exception as error:
        # Typer raises exceptions of many kinds for annotations that it cannot make options of.
        raise PluginError(
            f"the command {point.name!r} of {_provider(point)} cannot be made: {error}",
            f"update or remove {_provider(point)}",
        ) from error


# What the help shows -----------------------------------------------------------------------------


def _summary(point: EntryPoint) -> str:
    """The first line of a command's help, read from its source; nothing of it is run."""
    import ast

    try:
        source = _source(point.module)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes: only the author can correct them
            tree = ast.parse(source.read_bytes()) if source else ast.Module([], [])
    except (ImportError, OSError, SyntaxError, ValueError):
        tree = ast.Module([], [])  # the call of the command gives the reason
    about = next((text for node in tree.body if (text := _help_in(node, point.attr))), "")
    about = about or ast.get_docstring(tree) or ""
    if not about and point.dist is not None:
        about = str(point.dist.metadata["Summary"] or "")
    return (about.strip().splitlines() or [""])[0]


def _source(module: str) -> Path | None:
    """The file of a module, found without the import of its packages that `find_spec` does."""
    from importlib.util import find_spec

    top, *below = module.split(".")
    spec = find_spec(top)
    if spec is None:
        return None
    if not below:
        return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None
    for folder in spec.submodule_search_locations or ():
        path = Path(folder, *below)
        for file in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


def _help_in(node: ast.stmt, name: str) -> str:
    """The help in the statement that defines the command; empty for any other statement."""
    import ast

    if isinstance(node, ast.FunctionDef):
        called = [d.func for d in node.decorator_list if isinstance(d, ast.Call)]
        is_callback = any(ast.unparse(func) == f"{name}.callback" for func in called)
        return (ast.get_docstring(node) or "") if is_callback or node.name == name else ""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return ""
    if not any(isinstance(target, ast.Name) and target.id == name for target in node.targets):
        return ""
    text = next((k.value for k in node.value.keywords if k.arg == "help"), None)
    return str(text.value) if isinstance(text, ast.Constant) else ""
