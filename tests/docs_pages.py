"""The pages of the documentation as the tests read them: their blocks, commands and sessions.

A page may say how its commands are run, in a comment of Markdown that no reader sees:

    <!-- session: pictures -->    with the drawn pictures of the tutorial
    <!-- session: none -->        they are parsed and not run
    <!-- parsed only -->          before a block: its commands are parsed and not run

Without one they are run in a library of 24 photos. A block of ``console`` shows what is printed
after each command; ``...`` stands for what is left out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from docs.hooks import included
from docs.make_commands import commands

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
READMES = [ROOT / "README.md", *sorted((ROOT / "plugins").glob("*/README.md"))]

_FENCE = re.compile(r"```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^(?: {4}\S.*)?\n)+", re.MULTILINE)
_SESSION = re.compile(r"<!-- session: (\w+) -->")
_PARSED_ONLY = "<!-- parsed only -->"
_NUMBER = re.compile(r"\d[\d.,:]*%?")
_ENGINE = re.compile(r"\((?:OpenVINO|torch|numpy)[^)]*\)")
_PROMPT = "$ "
_ENDS = {";", "&&", "|", ">", "{", "}", "&"}


@dataclass(frozen=True)
class Block:
    """Code on a page.

    Attributes:
        kind: What the fence says: sh, console, python; empty where the text is indented.
        text: The code.
        is_run: Whether it is to be run.
    """

    kind: str
    text: str
    is_run: bool = True


@dataclass
class Shown:
    """A command as a page shows it, with what it shows of the output."""

    line: str
    output: list[str] = field(default_factory=list)


def page_text(file: Path) -> str:
    """The text of a page, with what it includes."""
    return included(file.read_text(encoding="utf-8"))


def session_of(text: str) -> str:
    """How the commands of a page are run."""
    found = _SESSION.search(text)
    return found[1] if found else "photos"


def blocks(text: str) -> Iterator[Block]:
    """The code of a page: fenced in order, then what is indented."""
    for found in _FENCE.finditer(text):
        lines_before = text[: found.start()].rstrip("\n").rsplit("\n", 1)
        yield Block(found["kind"], found["text"], lines_before[-1].strip() != _PARSED_ONLY)
    for found in _INDENTED.finditer(_FENCE.sub("", text)):
        yield Block("", re.sub(r"^ {4}", "", found[0], flags=re.MULTILINE), is_run=False)


def shown_commands(block: Block) -> list[Shown]:
    """The command lines of a block, each with what is shown of its output."""
    found: list[Shown] = []
    for line in block.text.splitlines():
        if block.kind == "console":
            if line.startswith(_PROMPT):
                found.append(Shown(line.removeprefix(_PROMPT)))
            elif line.strip() and found:
                found[-1].output.append(line)
        elif block.kind == "sh":
            found += [Shown(line)] if line.strip() else []
        elif not block.kind and "organizer " in line:
            # In plain text what a command does stands behind it, after some spaces.
            bare = re.sub(r"\[[^\]]*\]", "", line)
            found.append(Shown(re.split(r"\s{2,}", bare.strip())[0]))
    return found


def organizer_calls(line: str) -> list[list[str]]:
    """The words behind each ``organizer`` of a command line, as a shell splits them."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>{}")
    lexer.whitespace_split = True
    calls: list[list[str]] = []
    words: list[str] | None = None
    at_begin = True
    for token in lexer:
        if token in _ENDS:
            words, at_begin = None, True
        elif at_begin and token.rsplit("/", 1)[-1] == "organizer":
            words, at_begin = [], False
            calls.append(words)
        else:
            at_begin = False
            if words is not None:
                words.append(token)
    return calls


def parse_call(words: list[str]) -> str:
    """Parse a call of the program without running it; the name of the command that is meant.

    Raises:
        Exception: What the parser of the command line raises for wrong words.
    """
    known = _known_commands()
    name, rest = "organizer", list(words)
    while rest and f"{name} {rest[0]}" in known:
        name = f"{name} {rest.pop(0)}"
    is_group = hasattr(known[name], "list_commands")
    if is_group and rest and not rest[0].startswith("-"):
        raise ValueError(f"there is no command {' '.join(words)!r}")
    if rest not in (["--version"], ["--help"], ["-h"]):
        known[name].make_context(name, rest)
    return name


@cache
def _known_commands() -> dict[str, Any]:
    """Every command by its name; they are made once."""
    return dict(commands(hidden=True))


def masked(line: str) -> str:
    """A line of output without what differs from run to run: numbers, engines, spaces."""
    return " ".join(_NUMBER.sub("N", _ENGINE.sub("(ENGINE)", line)).split())


def missing_lines(shown: list[str], printed: str) -> list[str]:
    """The lines that a page shows and that were not printed, in their order."""
    rest = [masked(line) for line in printed.splitlines()]
    missing = []
    for line in shown:
        wanted = masked(line)
        if wanted == "...":
            continue
        if wanted in rest:
            del rest[: rest.index(wanted) + 1]
        else:
            missing.append(line)
    return missing
