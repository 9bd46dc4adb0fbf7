"""A new clustering and the lineage of its clusters as JSON fields."""

from __future__ import annotations

from dataclasses import asdict

from organizer.library.clustering.changes import ClusterChange
from organizer.library.clustering.report import ReclusterReport
from organizer.library.clustering.space import centred_by, reducer_text
from organizer.types import LineageReport


def recluster_fields(report: ReclusterReport) -> dict[str, object]:
    """A new clustering, and what became of the previous clusters."""
    choice = report.choice
    return {
        "k": report.k,
        "clusters": [
            {"cluster_id": cluster_id, "name": name, "count": count}
            for cluster_id, name, count in report.clusters
        ],
        "unsure": report.unassigned,
        "lineage": lineage_fields(report.lineage),
        "changes": [_change_fields(change) for change in report.changes],
        "dropped": [asdict(cluster) for cluster in report.dropped],
        "evidence": [asdict(candidate) for candidate in report.evidence],
        "second_k": choice.second if choice else None,
        "clear": choice.clear if choice else None,
        "rule": choice.rule if choice else None,
        "algorithm": report.algorithm,
        "reduce": reducer_text(report.reducer),
        "center": centred_by(report.reducer),
        "bursts": report.bursts,
        "observations": report.observations,
        "learned": report.learned,
        "embedder": report.embedder.name,
        "images": report.images,
        "clustering_id": report.clustering_id,
        "dry_run": report.clustering_id is None,
    }


def lineage_fields(lineage: LineageReport) -> dict[str, object]:
    """What became of the clusters."""
    fields = asdict(lineage)
    fields["born"] = fields.pop("new")
    return {
        **fields,
        "split": [{"cluster_id": s.cluster_id, "into": s.into} for s in lineage.split],
        "merged": [{"cluster_id": m.cluster_id, "from": m.sources} for m in lineage.merged],
    }


def _change_fields(change: ClusterChange) -> dict[str, object]:
    moves = {
        "came_from": [{"cluster_id": i, "images": n} for i, n in change.came_from],
        "went_to": [{"cluster_id": i, "images": n} for i, n in change.went_to],
    }
    return {**asdict(change), **moves, "is_at_risk": change.is_at_risk}
