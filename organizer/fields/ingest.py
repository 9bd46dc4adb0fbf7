"""The report of an ingest as JSON fields."""

from __future__ import annotations

from organizer.library.ingest.report import IngestReport
from organizer.types import Outcome


def ingest_fields(report: IngestReport) -> dict[str, object]:
    """What an ingest did."""
    counts = {outcome.value: report.counts[outcome] for outcome in Outcome}
    return {
        **counts,
        "broken": report.unusable,
        "replaced": report.replaced,
        "merged": report.merged,
        "images": report.images,
        "seconds": round(report.seconds, 3),
        "embedder": report.embedder.name or None,
        "engine": report.engine or None,
        "embedded": report.embedded,
        "joined": report.compared,
        "unsure": report.unassigned,
        "born": [{"cluster_id": b.cluster_id, "count": b.images} for b in report.novel],
        "settled": report.novel_images,
        "pile": report.total_unassigned,
        "other_suffixes": dict(report.other_suffixes),
        "interrupted": report.interrupted,
        "failed_readers": [
            {
                "reader": failed.reader,
                "photos": failed.photos,
                "reason": failed.reason,
                "path": str(failed.file),
            }
            for failed in report.failed_readers.values()
        ],
    }
