"""``organizer problems``: the files that could not be used."""

from __future__ import annotations

from organizer.cli.session import DebugOption, JsonOption, LibraryOption, command, opened, say


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
