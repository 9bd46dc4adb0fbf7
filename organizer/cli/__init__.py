"""The command line: parse, call `Library`, print.

Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 wrong use, 3 done
but some files could not be used, 130 interrupted. Heavy libraries are imported by the command that
needs them, so that ``organizer --help`` answers at once.
"""

from __future__ import annotations

import io
import sys
from typing import TextIO

from organizer.cli.app import app


def main() -> None:
    """The ``organizer`` program."""
    for stream in (sys.stdout, sys.stderr):
        _escape_what_cannot_be_written(stream)
    try:
        app(prog_name="organizer")
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            # Typer exits with 1, but a reader that has read enough (| head) is no failure.
            raise SystemExit(0) from end
        raise


def _escape_what_cannot_be_written(stream: TextIO) -> None:
    """Let a name in a script that the code page lacks come out as an escape, not as an error."""
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="backslashreplace")
