"""``organizer undo`` and ``organizer redo``: one step of the history, back and forth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    UserOption,
    command,
    opened,
)

if TYPE_CHECKING:
    from organizer.library import Library
    from organizer.library.corrections.undo import UndoReport


def undo(
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Undo the last step, whatever it was: a name, a move, a merge, a recluster.

    Several decisions that were made at once are undone at once. Called again,
    it undoes the step before, without a limit. What was ingested stays: images
    that came since are assigned to the clusters that are there then.
    """
    with command(debug=debug), opened(library, user=user) as found:
        _print(found, found.undo(), json=json)


def redo(
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Redo what organizer undo has just undone.

    A new decision or a recluster ends what can be redone.
    """
    with command(debug=debug), opened(library, user=user) as found:
        _print(found, found.redo(), json=json)


def _print(library: Library, report: UndoReport, *, json: bool) -> None:
    from organizer.cli.output import count_text, print_json, print_line

    k = len(library.clusters)
    if json:
        fields = {"clustering_id": report.clustering_id, "k": k}
        print_json(fields | {report.done: list(report.what)})
        return
    for line in report.what:
        print_line(f"{report.done}: {line}")
    print_line(f"clustering {report.clustering_id} with {count_text(k, 'cluster')} is current")
