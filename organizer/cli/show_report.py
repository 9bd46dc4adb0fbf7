"""How good the clusters are."""

from __future__ import annotations

from organizer.cli.session import say
from organizer.cli.show import number, print_json, print_line, print_table
from organizer.evaluate.internal import METRIC
from organizer.library.views import Report


def show(report: Report, *, json: bool) -> None:
    """Scores to stdout; what to know about them to stderr."""
    if json:
        print_json(_fields(report))
    else:
        _tables(report)
    if report.silhouette is None:
        say("the silhouette is not defined here: it needs two clusters and more images than that")
    elif report.silhouette.sampled:
        say(f"the silhouette is that of a sample of {report.silhouette.n_scored:,} images")
    if report.unsure:
        say(f"{report.unsure:,} images are unsure and in no cluster; they are not scored")
    if report.truth is not None and report.truth.n_labelled < report.images:
        say(f"scored are the {report.truth.n_labelled:,} of {report.images:,} images with a label")
    if report.unmatched_labels:
        say(f"{report.unmatched_labels:,} labels are of files that are not in the library")
    if report.conflicting_labels:
        say(
            f"{report.conflicting_labels:,} images have files with different labels; "
            "the first by path counts"
        )


def _fields(report: Report) -> dict[str, object]:
    per_cluster = []
    for cluster_id, name, count in report.clusters:
        row: dict[str, object] = {
            "cluster_id": cluster_id,
            "name": name,
            "count": count,
            "silhouette": _silhouette_of(report, cluster_id),
        }
        if report.truth is not None and cluster_id in report.truth.per_cluster:
            scored = report.truth.per_cluster[cluster_id]
            row |= {"purity": scored.purity, "majority": scored.majority, "labelled": scored.count}
        per_cluster.append(row)
    fields: dict[str, object] = {
        "silhouette": report.silhouette.mean if report.silhouette else None,
        "silhouette_metric": METRIC,
        "silhouette_sampled": bool(report.silhouette and report.silhouette.sampled),
        "per_cluster": per_cluster,
        "images": report.images,
        "unsure": report.unsure,
        "k": len(report.clusters),
        "clustering_id": report.clustering.clustering_id,
        "embedder": report.clustering.embedder.name,
    }
    truth = report.truth
    if truth is not None:
        fields |= {
            "purity": truth.purity,
            "nmi": truth.nmi,
            "ari": truth.ari,
            "acc": truth.acc,
            "n_labelled": truth.n_labelled,
            "n_classes": truth.n_classes,
            "unmatched_labels": report.unmatched_labels,
            "conflicting_labels": report.conflicting_labels,
        }
    return fields


def _tables(report: Report) -> None:
    truth = report.truth
    columns = [">id", "name", ">images", ">silhouette"]
    columns += [">purity", "mostly"] if truth else []
    rows = []
    for cluster_id, name, count in report.clusters:
        row = [str(cluster_id), name or "-", f"{count:,}"]
        row.append(number(_silhouette_of(report, cluster_id)))
        if truth is not None:
            scored = truth.per_cluster.get(cluster_id)
            row += [number(scored.purity if scored else None), scored.majority if scored else "-"]
        rows.append(row)
    print_table(columns, rows)
    mean = report.silhouette.mean if report.silhouette else None
    print_line(f"silhouette {number(mean)} ({METRIC})")
    if truth is not None:
        print_line(
            f"purity {truth.purity:.3f}, NMI {truth.nmi:.3f}, ARI {truth.ari:.3f}, "
            f"ACC {truth.acc:.3f} on {truth.n_labelled:,} labelled images of "
            f"{truth.n_classes} classes"
        )


def _silhouette_of(report: Report, cluster_id: int) -> float | None:
    return report.silhouette.per_cluster.get(cluster_id) if report.silhouette else None
