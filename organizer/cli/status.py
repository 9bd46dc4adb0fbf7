"""``organizer status`` and ``organizer problems``: how the library is."""

from __future__ import annotations

from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    command,
    opened,
    say,
)


def status(
    library: LibraryOption = None, json: JsonOption = False, debug: DebugOption = False
) -> None:
    """What is in the library, which embedder, which clustering, how current, what failed."""
    with command(debug=debug), opened(library) as found:
        from organizer.cli import status_output

        unfinished = found.folders.unfinished()
        status_output.print_status(found.status(), json=json, unfinished=unfinished)


def problems(
    library: LibraryOption = None, json: JsonOption = False, debug: DebugOption = False
) -> None:
    """The files that could not be used, each with its reason."""
    with command(debug=debug), opened(library) as found:
        from organizer.cli.output import print_json, print_table, short

        rows = found.problems()
        if json:
            listed = [{"path": p, "outcome": outcome, "reason": why} for p, outcome, why in rows]
            print_json({"problems": listed})
        elif rows:
            print_table(["path", "reason"], [[short(path), why] for path, _, why in rows])
        else:
            say("no problems: every file could be used")
