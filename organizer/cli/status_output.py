"""The status of a library on the terminal and as JSON."""

from __future__ import annotations

from dataclasses import asdict

from organizer.arrange import ArrangeRecord
from organizer.cli import arrange_output
from organizer.cli.next_step import say_next
from organizer.cli.output import count_text, print_facts, print_json, time_text
from organizer.cli.session import say
from organizer.cluster.drift import Drift
from organizer.library.clustering.preprocessing import clusters_bursts, describe_preprocessing
from organizer.library.clustering.space import centred_by
from organizer.library.status import LibraryStatus


def print_status(
    status: LibraryStatus, *, json: bool, unfinished: ArrangeRecord | None = None
) -> None:
    """Counts to stdout, advice to stderr."""
    if json:
        to = unfinished.plan.to if unfinished is not None else None
        print_json({**_fields(status), "unfinished_arrangement": to})
    else:
        print_facts(_lines(status), paths=("library", "folder"))
    if unfinished is not None:
        arrange_output.print_unfinished(unfinished)
    if not status.images:
        say_next("to begin", "organizer ingest FOLDER", json=json)
    elif status.clustering is None:
        say_next("no clusters yet; to make them", "organizer recluster --k auto", json=json)
    elif status.drift is not None and status.drift.reasons:
        say(f"{'; '.join(status.drift.reasons)}: organizer recluster may help")
    else:
        say_next("to look at the clusters and name them", "organizer open", json=json)


def _fields(status: LibraryStatus) -> dict[str, object]:
    clustering = status.clustering
    return {
        "library": status.library,
        "roots": status.roots,
        "images": status.images,
        "files": status.files,
        "missing": status.missing,
        "problems": status.problems,
        "embedder": status.embedder.name if status.embedder else None,
        "embedders": [
            {"name": spec.name, "version": spec.version, "images": count}
            for spec, count in status.embedders
        ],
        "k": status.k,
        "clustering_id": clustering.clustering_id if clustering else None,
        "clustered_at": clustering.created_at if clustering else None,
        "algorithm": clustering.algorithm if clustering else None,
        "bursts": bool(clustering and clusters_bursts(clustering.clusterer)),
        "center": centred_by(clustering.reducer) if clustering else None,
        "clustered": status.clustered,
        "added_since": status.added_since,
        "unsure": status.unassigned,
        "drift": _drift_fields(status.drift),
    }


def _lines(status: LibraryStatus) -> list[tuple[str, str]]:
    lines = [("library", str(status.library))]
    lines += [("folder", str(root)) for root in status.roots]
    lines += [
        ("images", f"{status.images:,}"),
        ("files", f"{status.files:,} here, {status.missing:,} missing"),
        ("problems", f"{status.problems:,}"),
    ]
    for spec, count in status.embedders:
        used = " (in use)" if spec == status.embedder else ""
        lines.append(("embedder", f"{spec.name} on {count_text(count, 'image')}{used}"))
    clustering = status.clustering
    if clustering is None:
        return [*lines, ("clusters", "none")]
    prepared = describe_preprocessing(clustering)
    return [
        *lines,
        ("clusters", f"{status.k} in clustering {clustering.clustering_id}"),
        ("made", ", ".join([time_text(clustering.created_at), clustering.algorithm, *prepared])),
        ("since then", f"{count_text(status.added_since, 'image')} added"),
        ("unassigned", f"{status.unassigned:,} of {count_text(status.clustered, 'image')}"),
        *_drift(status.drift),
    ]


def _drift_fields(drift: Drift | None) -> dict[str, object] | None:
    if drift is None:
        return None
    fields = asdict(drift)
    fields["born"], fields["unsure_share"] = fields.pop("novel"), fields.pop("unassigned_share")
    return fields


def _drift(drift: Drift | None) -> list[tuple[str, str]]:
    if drift is None or (not drift.novel and drift.distance_growth == 1.0):
        return []
    novel = f"{count_text(len(drift.novel), 'novel cluster')}, " if drift.novel else ""
    return [("drift", f"{novel}mean distance to the centroid {drift.distance_growth - 1:+.0%}")]
