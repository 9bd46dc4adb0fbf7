"""How good the clusters are, on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from organizer.cli.output import count_text, number_text, print_json, print_table, print_text
from organizer.cli.review_output import audit_line
from organizer.cli.session import say
from organizer.evaluate.internal import METRIC
from organizer.fields.report import TRUTH_TITLES, report_fields, silhouette_of
from organizer.library.reports.report import ClusteringReport, report_notes
from organizer.types import TruthScores

_FIRST = 4
"""Scores against truth that stand in the first lines: purity, NMI, ARI, ACC."""


def print_report(report: ClusteringReport, *, json: bool, files: Sequence[Path] = ()) -> None:
    """Scores to stdout; notes on them to stderr."""
    if json:
        print_json(report_fields(report) | ({"files": files} if files else {}))
    else:
        _tables(report)
    for note in report_notes(report):
        say(note)


def _tables(report: ClusteringReport) -> None:
    """The lines that matter first, then each cluster, then the other scores."""
    found = report.silhouette
    error = f" ± {found.standard_error:.3f}" if found and found.sampled else ""
    print_text(
        f"{count_text(report.images - report.unassigned, 'image')} in "
        f"{count_text(len(report.clusters), 'cluster')}, {report.unassigned:,} unassigned"
    )
    print_text(f"silhouette {number_text(found.mean if found else None)}{error} ({METRIC})")
    if report.truth is not None:
        _against_truth(report.truth)
    if report.audit is not None:
        print_text(audit_line(report.audit))
    _clusters(report)
    internal = report.internal
    print_text(
        f"Davies-Bouldin {number_text(internal.davies_bouldin)}, Calinski-Harabasz "
        f"{number_text(internal.calinski_harabasz, 1)}, inertia {internal.inertia:.2f}"
    )
    if report.truth is not None:
        print_text(", ".join(_truth_scores(report.truth)[_FIRST:]))
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
        row.append(number_text(silhouette_of(report, cluster_id)))
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
    scores = ", ".join(_truth_scores(truth)[:_FIRST])
    images = count_text(truth.n_labelled, "labelled image")
    print_text(f"{scores} on {images} of {count_text(truth.n_classes, 'class', 'classes')}")


def _truth_scores(truth: TruthScores) -> list[str]:
    return [f"{title} {getattr(truth, name):.3f}" for name, title in TRUTH_TITLES.items()]


def _explanation(report: ClusteringReport) -> None:
    """Print what the clusters correlate with besides the content of the photos."""
    for factor in report.explanation.factors:
        if factor.groups > 1:
            known = count_text(factor.known, "image")
            print_text(
                f"goes with {factor.name}: NMI {factor.nmi:.3f}, by chance {factor.by_chance:.3f} "
                f"({count_text(factor.groups, 'group')}, known of {known})"
            )
    for reason in report.explanation.reasons:
        print_text(f"cluster {reason.cluster_id}: {reason.text}")
