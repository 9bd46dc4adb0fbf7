"""``organizer unlock``: a library taken over from a computer that ended while it wrote."""

from __future__ import annotations

from pathlib import Path

from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    command,
    settings_of,
)


def unlock(
    library: LibraryOption = None, json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Take a library over from another computer that ended while it wrote.

    A disk that is carried over, and some network drives, do not tell whether a
    program on another computer still writes. So a command asks you to make sure
    that it has ended there. What it had committed is kept.
    """
    with command(debug=debug):
        from organizer.cli.next_step import say_next
        from organizer.cli.output import print_json, print_line
        from organizer.library import Library, require_library

        settings = settings_of(library)
        former = Library.unlock(require_library(settings.library, below=Path.cwd()))
        if json:
            print_json({"taken_from": former})
        elif former is None:
            print_line("no other computer writes to the library: nothing to unlock")
        else:
            print_line(f"taken over from {former}")
            say_next("to see what is in it", "organizer status")
