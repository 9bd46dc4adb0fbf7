"""``organizer problems``: the files that could not be used, or not all of them."""

from __future__ import annotations

from organizer.cli.session import DebugOption, JsonOption, LibraryOption, command, opened, say


def problems(
    library: LibraryOption = None, json: JsonOption = False, debug: DebugOption = False
) -> None:
    """The files that could not be used, or of which a part is missing, with the reason."""
    with command(debug=debug), opened(library) as found:
        from organizer.cli.next_step import say_next
        from organizer.cli.output import print_json, print_table, short

        rows, damaged = found.problems(), found.damaged()
        if json:
            listed = [{"path": p, "outcome": outcome, "reason": why} for p, outcome, why in rows]
            parts = [{"path": path, "reason": why} for path, why in damaged]
            print_json({"problems": listed, "damaged": parts})
        elif rows or damaged:
            cells = [[short(path), why] for path, _, why in rows]
            cells += [[short(path), f"used, but {why}"] for path, why in damaged]
            print_table(["path", "reason"], cells, paths=("path",))
            say_next("once they are mended", "organizer ingest")
        else:
            say("no problems: every file could be used")
