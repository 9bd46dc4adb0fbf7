"""The reports of an arrangement and its undo as JSON fields."""

from __future__ import annotations

from organizer.library.folders.report import ArrangeReport, ArrangeUndoReport


def arrange_fields(report: ArrangeReport) -> dict[str, object]:
    """What became of every file of the library."""
    return {
        "to": report.to,
        "mode": report.mode,
        "files": report.files,
        "done": report.done,
        "there": report.there,
        "results": {str(result): n for result, n in report.results.items()},
        "left": dict(report.left),
        "not_in_plan": report.absent,
        "sidecars": report.sidecars,
        "relocated": report.relocated,
        "removed": report.removed,
        "not_removed": {str(result): n for result, n in report.not_removed.items()},
        "between": [{"from": one, "to": other, "files": n} for one, other, n in report.between],
        "unknown_files": report.unknown_files,
        "suffixed": report.suffixed,
        "made_safe": report.made_safe,
        "finished": report.is_finished,
        "plan": report.plan,
        "refusals": [{"path": path, "reason": why} for path, why in report.refusals],
    }


def arrange_undo_fields(report: ArrangeUndoReport) -> dict[str, object]:
    """What an undo did."""
    return {
        "to": report.to,
        "mode": report.mode,
        "created_at": report.created_at,
        "undone": report.undone,
        "sidecars": report.sidecars,
        "results": {str(result): n for result, n in report.results.items()},
        "finished": report.is_finished,
        "refusals": [{"path": path, "reason": why} for path, why in report.refusals],
    }
