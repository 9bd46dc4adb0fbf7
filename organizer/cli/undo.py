"""``organizer undo`` and ``organizer redo``: one step of the history, back and forth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    UserOption,
    command,
    opened,
)
from organizer.errors import ClusteringError

if TYPE_CHECKING:
    from organizer.library import Library
    from organizer.library.corrections.undo import UndoReport


def undo(
    step: Annotated[
        bool,
        typer.Option(
            "--step",
            help="Undo the last step of the clusters, and leave what came after it as it is.",
        ),
    ] = False,
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Undo the last step, whatever it was: a name, a move, a merge, a recluster.

    Several decisions that were made at once are undone at once. Called again,
    it undoes the step before, as far as the clusters of the last 20 reclusters
    lead back. What was ingested stays: images that came since are assigned to
    the clusters that are there then.

    Where an arrangement, answers of a review, or a change of deployments or
    detections came last, it names them and how they are taken back, and
    nothing is undone without --step.
    """
    with command(debug=debug), opened(library, user=user) as found:
        if not step:
            _require_last(found)
        _print(found.undo(), json=json)


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
        _print(found.redo(), json=json)


def _require_last(library: Library) -> None:
    """Make sure that the step that would be undone is the last thing that was done."""
    later = library.corrections.later_acts()
    if not later:
        return
    before = "; ".join(library.corrections.next_undo())
    hint = "; ".join(act.hint for act in later)
    if before:
        hint += f"; to undo what came before ({before}): organizer undo --step"
    what = " and ".join(act.what for act in later)
    raise ClusteringError(f"the last act was {what}, which undo does not take back", hint)


def _print(report: UndoReport, *, json: bool) -> None:
    from organizer.cli.output import count_text, print_json, print_line, print_text
    from organizer.types import StepKind

    if json:
        fields = {"clustering_id": report.clustering_id, "k": report.k}
        print_json(fields | {report.done: list(report.what)})
        return
    done = "done again" if report.kind is StepKind.REDO else "undone"
    for line in report.what:
        print_text(f"{done}: {line}")
    if report.is_recluster:
        clusters = count_text(report.k, "cluster")
        print_line(f"clustering {report.clustering_id} with {clusters} is current")
