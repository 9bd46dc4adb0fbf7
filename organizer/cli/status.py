"""``organizer status``: what is in the library, and how current it is."""

from __future__ import annotations

from organizer.cli.session import DebugOption, JsonOption, LibraryOption, command, opened


def status(
    library: LibraryOption = None, json: JsonOption = False, debug: DebugOption = False
) -> None:
    """What is in the library, which embedder, which clustering, how current, what failed."""
    with command(debug=debug), opened(library) as found:
        from organizer.cli import status_output

        unfinished = found.folders.unfinished()
        status_output.print_status(found.status(), json=json, unfinished=unfinished)
