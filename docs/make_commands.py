"""Write the reference of commands from the program itself.

    python docs/make_commands.py

Everything below the marker in ``docs/reference/commands.md`` is what ``--help`` prints.
``tests/test_docs.py`` fails where it is not current.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "reference" / "commands.md"
MARKER = "<!-- what follows is made by docs/make_commands.py -->\n"

_EVERYWHERE = {"--library", "--json", "--debug", "--help"}
"""Options that the page explains once, before all commands."""


def commands(*, hidden: bool = False) -> Iterator[tuple[str, Any]]:
    """Every command with its name as it is typed, in the order of the help.

    Args:
        hidden: Whether those come too that the help does not list.
    """
    from typer.main import get_command

    from organizer.cli.app import app

    yield from _below("organizer", get_command(app), hidden=hidden)


def reference() -> str:
    """The reference of all commands, as Markdown."""
    return "\n".join(line for name, command in commands() for line in _section(name, command))


def main() -> None:
    """Rewrite the page below its marker."""
    introduction, marker, _ = PAGE.read_text(encoding="utf-8").partition(MARKER)
    PAGE.write_text(f"{introduction}{marker or MARKER}\n{reference()}", encoding="utf-8")


def _below(name: str, command: Any, *, hidden: bool) -> Iterator[tuple[str, Any]]:
    command = command.load() if hasattr(command, "load") else command
    if command.hidden and not hidden:
        return
    yield name, command
    names = command.list_commands(None) if hasattr(command, "list_commands") else ()
    for below in names:
        yield from _below(f"{name} {below}", command.get_command(None, below), hidden=hidden)


def _section(name: str, command: Any) -> Iterator[str]:
    if name == "organizer":
        return
    yield f"{'##' if name.count(' ') == 1 else '###'} {name}\n"
    yield f"{inspect.cleandoc(command.help or '')}\n"
    shown = [p for p in command.params if not p.hidden and not _EVERYWHERE & {*p.opts}]
    if shown:
        yield "| | |"
        yield "|---|---|"
        yield from (f"| {_typed(param)} | {_cell(param.help or '')} |" for param in shown)
        yield ""
    if command.epilog:
        yield from ("```sh", *_examples(command.epilog), "```\n")


def _typed(param: Any) -> str:
    if param.param_type_name == "argument":
        metavar = param.metavar or param.name.upper()
        return f"`{metavar}{'...' if param.nargs == -1 else ''}`"
    names = [f"`{name}`" for name in (*param.opts, *param.secondary_opts)]
    value = "" if param.is_flag else f" {param.metavar or str(param.name).upper()}"
    return ", ".join(names) + value


def _examples(epilog: str) -> list[str]:
    _, _, text = epilog.partition(": ")
    lines = [line.strip() for line in text.split(";")]
    return [line if line.startswith("organizer ") else f"organizer {line}" for line in lines]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("{", "&#123;")


if __name__ == "__main__":
    main()
