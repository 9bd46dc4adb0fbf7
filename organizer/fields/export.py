"""The report of an export as JSON fields."""

from __future__ import annotations

from organizer.library.exports import ExportReport


def export_fields(report: ExportReport) -> dict[str, object]:
    """What was exported."""
    return {
        "format": report.exporter,
        "to": report.to,
        "images": report.images,
        "skipped": {
            "missing": report.missing,
            "without_vector": report.without_vector,
            "people": report.people,
            "incomplete": report.incomplete,
            "videos": report.videos,
        },
        "clustered": report.clustered,
        "embedder": report.embedder.name if report.embedder else None,
        "open_with": report.opened_with or None,
    }
