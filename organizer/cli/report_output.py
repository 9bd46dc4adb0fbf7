"""How good the clusters are, on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from organizer.cli.output import count_text, number_text, print_json, print_line, print_table
from organizer.cli.review_output import audit_fields, audit_line
from organizer.cli.session import say
from organizer.evaluate.internal import METRIC
from organizer.library.reports.report import ClusteringReport, report_notes
from organizer.types import TruthScores

_TRUTH = {
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
"""Scores against truth: their names on the terminal."""


def print_report(report: ClusteringReport, *, json: bool, files: Sequence[Path] = ()) -> None:
    """Scores to stdout; notes on them to stderr."""
    if json:
        print_json(_fields(report) | ({"files": files} if files else {}))
    else:
        _tables(report)
    for note in report_notes(report):
        say(note)


def _fields(report: ClusteringReport) -> dict[str, object]:
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
        fields |= {name: getattr(truth, name) for name in _TRUTH}
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
            "silhouette": _silhouette_of(report, cluster_id),
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


def _tables(report: ClusteringReport) -> None:
    _clusters(report)
    found = report.silhouette
    error = f" ± {found.standard_error:.3f}" if found and found.sampled else ""
    print_line(f"silhouette {number_text(found.mean if found else None)}{error} ({METRIC})")
    internal = report.internal
    print_line(
        f"Davies-Bouldin {number_text(internal.davies_bouldin)}, Calinski-Harabasz "
        f"{number_text(internal.calinski_harabasz, 1)}, inertia {internal.inertia:.2f}"
    )
    if report.truth is not None:
        _against_truth(report.truth)
    if report.audit is not None:
        print_line(audit_line(report.audit))
    _explanation(report)


def _clusters(report: ClusteringReport) -> None:
    truth = report.truth
    shapes = {shape.cluster_id: shape for shape in report.internal.clusters}
    columns = [">id", "name", ">images", ">silhouette", ">cohesion", ">separation"]
    columns += [">purity", "mostly"] if truth else []
    rows = []
    for cluster_id, name, count in report.clusters:
        shape = shapes[cluster_id]
        row = [str(cluster_id), name or "-", f"{count:,}"]
        row.append(number_text(_silhouette_of(report, cluster_id)))
        row += [number_text(shape.cohesion), number_text(shape.separation)]
        if truth is not None:
            scored = truth.per_cluster.get(cluster_id)
            row += [
                number_text(scored.purity if scored else None),
                scored.majority if scored else "-",
            ]
        rows.append(row)
    print_table(columns, rows)


def _against_truth(truth: TruthScores) -> None:
    scores = [f"{title} {getattr(truth, name):.3f}" for name, title in _TRUTH.items()]
    print_line(
        f"{', '.join(scores[:4])} on {count_text(truth.n_labelled, 'labelled image')} of "
        f"{count_text(truth.n_classes, 'class', 'classes')}"
    )
    print_line(", ".join(scores[4:]))


def _explanation(report: ClusteringReport) -> None:
    """Print what the clusters correlate with besides the content of the photos."""
    for factor in report.explanation.factors:
        if factor.groups > 1:
            print_line(
                f"goes with {factor.name}: NMI {factor.nmi:.3f}, by chance {factor.by_chance:.3f} "
                f"({factor.groups:,} groups, known of {factor.known:,} images)"
            )
    for reason in report.explanation.reasons:
        print_line(f"cluster {reason.cluster_id}: {reason.text}")


def _silhouette_of(report: ClusteringReport, cluster_id: int) -> float | None:
    return report.silhouette.per_cluster.get(cluster_id) if report.silhouette else None
