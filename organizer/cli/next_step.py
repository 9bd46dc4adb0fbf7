"""The next sensible step, with which a command ends."""

from __future__ import annotations

import sys

from organizer.cli.session import say


def say_next(what: str, command: str, *, json: bool = False) -> None:
    """Print what one may want to do next, and the command that does it, to stderr.

    It is for a person, so not where JSON was asked for, and not where the result goes into another
    program while a person looks at the terminal: `organizer clusters | less`.
    """
    is_piped = sys.stderr.isatty() and not sys.stdout.isatty()
    if not json and not is_piped:
        say(f"{what}: {command}")
