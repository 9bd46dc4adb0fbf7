"""How good the clusters are, as JSON fields."""

from __future__ import annotations

from dataclasses import asdict

from organizer.evaluate.internal import METRIC
from organizer.fields.audit import audit_fields
from organizer.library.reports.report import ClusteringReport
from organizer.types import TruthScores

TRUTH_TITLES = {
    "purity": "purity",
    "nmi": "NMI",
    "ari": "ARI",
    "acc": "ACC",
    "ami": "AMI",
    "fmi": "FMI",
    "jaccard": "Jaccard",
    "homogeneity": "homogeneity",
    "completeness": "completeness",
    "bcubed_precision": "BCubed precision",
    "bcubed_recall": "recall",
    "bcubed_f1": "F1",
}
"""Scores against truth: their names for a person."""


def report_fields(report: ClusteringReport) -> dict[str, object]:
    """The scores of a clustering."""
    found, truth = report.silhouette, report.truth
    fields: dict[str, object] = {
        "silhouette": found.mean if found else None,
        "silhouette_metric": METRIC,
        "silhouette_sampled": bool(found and found.sampled),
        "silhouette_standard_error": found.standard_error if found else None,
        "davies_bouldin": report.internal.davies_bouldin,
        "calinski_harabasz": report.internal.calinski_harabasz,
        "inertia": report.internal.inertia,
        "per_cluster": _per_cluster(report),
        "factors": [asdict(factor) for factor in report.explanation.factors],
        "unknown_factors": report.explanation.unknown,
        "audit": audit_fields(report.audit),
        "evidence": [asdict(candidate) for candidate in report.clustering.evidence],
        "images": report.images,
        "unsure": report.unassigned,
        "k": len(report.clusters),
        "clustering_id": report.clustering.clustering_id,
        "embedder": report.clustering.embedder.name,
    }
    if truth is not None:
        fields |= {name: getattr(truth, name) for name in TRUTH_TITLES}
        fields |= {
            "majority_accuracy": truth.purity,
            "v_measure": truth.nmi,
            "n_labelled": truth.n_labelled,
            "n_classes": truth.n_classes,
            "confusion": _confusion(truth),
        }
    if report.labels:
        fields |= {
            "labels": report.labels,
            "unmatched_labels": report.known.unmatched,
            "conflicting_labels": report.known.conflicting,
        }
    return fields


def _per_cluster(report: ClusteringReport) -> list[dict[str, object]]:
    shapes = {shape.cluster_id: shape for shape in report.internal.clusters}
    reasons = {reason.cluster_id: reason for reason in report.explanation.reasons}
    rows = []
    for cluster_id, name, count in report.clusters:
        reason, shape = reasons.get(cluster_id), shapes[cluster_id]
        row: dict[str, object] = {
            "cluster_id": cluster_id,
            "name": name,
            "count": count,
            "silhouette": silhouette_of(report, cluster_id),
            "cohesion": shape.cohesion,
            "spread": shape.spread,
            "inertia": shape.inertia,
            "separation": shape.separation,
            "nearest": shape.nearest,
            "reason": reason.text if reason else None,
            "doubtful": reason.is_doubtful if reason else False,
        }
        if report.truth is not None and cluster_id in report.truth.per_cluster:
            scored = report.truth.per_cluster[cluster_id]
            row |= {"purity": scored.purity, "majority": scored.majority, "labelled": scored.count}
        rows.append(row)
    return rows


def _confusion(truth: TruthScores) -> dict[str, object]:
    return {
        "clusters": truth.cluster_ids,
        "classes": truth.classes,
        "counts": truth.table.tolist(),
        "matched": truth.matched,
    }


def silhouette_of(report: ClusteringReport, cluster_id: int) -> float | None:
    """The silhouette of a cluster; None where it is not defined."""
    return report.silhouette.per_cluster.get(cluster_id) if report.silhouette else None
