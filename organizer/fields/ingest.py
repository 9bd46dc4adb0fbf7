"""The report of an ingest as JSON fields."""

from __future__ import annotations

from dataclasses import asdict

from organizer.file_kinds import by_kind
from organizer.library.ingest.report import IngestReport, NotedPhotos
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
        "grown": [asdict(cluster) for cluster in report.grown],
        "settled": report.novel_images,
        "pile": report.total_unassigned,
        "other_suffixes": by_kind(report.other_suffixes),
        "companions": report.companions,
        "videos_beside_photos": report.videos_beside,
        "interrupted": report.interrupted,
        "without_time": report.without_time,
        "time_sources": dict(report.time_sources),
        "future": report.future,
        "failed_readers": [
            {
                "reader": failed.reader,
                "photos": failed.photos,
                "reason": failed.reason,
                "path": str(failed.file),
            }
            for failed in report.failed_readers.values()
        ],
        "damaged": _noted_fields(report.damaged),
        "several_pictures": _noted_fields(report.several),
        "absent": [
            {"folder": str(found.folder), "known": found.known, "gone": len(found.gone)}
            for found in report.absent
        ],
        "turned": {
            "photos": report.turned.photos,
            "crops": report.turned.embedded,
            "failed": report.turned.failed,
            "doubtful": report.turned.doubtful,
        },
        "remarks": [{"check": said.check, "text": said.text} for said in report.remarks],
        "failed_checks": [
            {"check": failed.check, "reason": failed.reason} for failed in report.failed_checks
        ],
    }


def _noted_fields(noted: NotedPhotos) -> dict[str, object]:
    first = None if noted.first is None else str(noted.first)
    return {"photos": noted.photos, "first": first}
