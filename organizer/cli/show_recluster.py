"""A new clustering, the evidence for its k, and what became of the clusters before."""

from __future__ import annotations

from dataclasses import asdict

from organizer.cli.session import say
from organizer.cli.show import print_json, print_line, print_table
from organizer.library.recluster import ReclusterReport
from organizer.types import LineageReport


def show(report: ReclusterReport, *, json: bool) -> None:
    """The result to stdout; a doubt about it to stderr."""
    if json:
        print_json(_fields(report))
    else:
        _tables(report)
    if report.is_weak:
        say(
            "no clear number of clusters: even the best silhouette is low; take these groups as a "
            "rough order, or give --k"
        )


def _fields(report: ReclusterReport) -> dict[str, object]:
    lineage = report.lineage
    return {
        "k": report.k,
        "clusters": [
            {"cluster_id": cluster_id, "name": name, "count": count}
            for cluster_id, name, count in report.clusters
        ],
        "lineage": {
            **asdict(lineage),
            "split": [{"cluster_id": s.cluster_id, "into": s.into} for s in lineage.split],
            "merged": [{"cluster_id": m.cluster_id, "from": m.sources} for m in lineage.merged],
        },
        "evidence": [asdict(candidate) for candidate in report.evidence],
        "algorithm": report.algorithm,
        "embedder": report.embedder.name,
        "images": report.images,
        "clustering_id": report.clustering_id,
    }


def _tables(report: ReclusterReport) -> None:
    if report.evidence:
        rows = [
            [
                str(candidate.k),
                f"{candidate.silhouette:.4f}",
                f"{candidate.inertia:.2f}",
                ("chosen " if candidate.chosen else "") + ("elbow" if candidate.elbow else ""),
            ]
            for candidate in report.evidence
        ]
        print_table([">k", ">silhouette", ">inertia", ""], rows, title="evidence for k")
    rows = [
        [str(cluster_id), name or "-", f"{count:,}"] for cluster_id, name, count in report.clusters
    ]
    print_table([">id", "name", ">images"], rows)
    print_line(f"{report.images:,} images in {report.k} clusters: {report.algorithm}")
    for line in _lineage(report.lineage):
        print_line(line)


def _lineage(lineage: LineageReport) -> list[str]:
    if not lineage.kept and not lineage.retired:
        return []
    changes = (
        f"kept {len(lineage.kept)}, born {len(lineage.born)}, retired {len(lineage.retired)}, "
        f"split {len(lineage.split)}, merged {len(lineage.merged)}"
    )
    lines = [f"{changes}; {lineage.images_moved:,} images moved"]
    lines += [f"cluster {s.cluster_id} split into {_listed(s.into)}" for s in lineage.split]
    lines += [f"cluster {m.cluster_id} merged from {_listed(m.sources)}" for m in lineage.merged]
    if lineage.born:
        lines.append(f"born: {_listed(lineage.born)}")
    if lineage.retired:
        lines.append(f"retired: {_listed(lineage.retired)}")
    return lines


def _listed(ids: tuple[int, ...]) -> str:
    return ", ".join(map(str, ids))
