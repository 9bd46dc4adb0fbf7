"""Clusters, their images, decisions and history on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.cells import cell_len

from organizer.cli.next_step import say_next
from organizer.cli.output import (
    cluster_text,
    count_text,
    distance_digits,
    number_text,
    path_text,
    print_facts,
    print_json,
    print_line,
    print_table,
    print_text,
    time_text,
    usual_text,
)
from organizer.cli.recluster_output import lineage_lines
from organizer.cli.session import plain, say
from organizer.cluster.decisions import describe_decision
from organizer.fields.recluster import lineage_fields
from organizer.library.clusters.summaries import ClusterMember, ClusterSummary, GroupPhoto
from organizer.library.corrections.history import HistoryEvent
from organizer.library.corrections.report import DecisionReport
from organizer.library.images.crops import PhotoGroup
from organizer.library.search.text import NameSuggestion
from organizer.typed import as_typed
from organizer.types import UsualDistance


def print_clusters(
    rows: Sequence[ClusterSummary], unassigned: int, groups: Mapping[PhotoGroup, int], *, json: bool
) -> None:
    """The clusters and groups of photos to stdout; the number of unassigned images to stderr."""
    if json:
        print_json(
            {
                "clusters": [asdict(row) for row in rows],
                "unsure": unassigned,
                "groups": dict(groups),
            }
        )
        return
    _print_summaries(rows)
    if groups:
        print_table(
            ["group", ">photos", "shown by"],
            [[group, f"{count:,}", _shown_by(group)] for group, count in groups.items()],
        )
    if unassigned:
        say(f"{count_text(unassigned, 'image')} unassigned: organizer clusters show unassigned")
    _say_unnamed(rows)


def print_new(rows: Sequence[ClusterSummary], *, json: bool) -> None:
    """The clusters that the last ingest found."""
    if json:
        print_json({"clusters": [asdict(row) for row in rows]})
    elif rows:
        _print_summaries(rows)
        _say_unnamed(rows)
    else:
        say("the last ingest found no new cluster")
        say_next("all clusters", "organizer clusters", json=json)


def _print_summaries(rows: Sequence[ClusterSummary]) -> None:
    table = [
        [
            str(c.cluster_id),
            c.name or "-",
            f"{c.count:,}",
            f"{c.share:.1%}",
            number_text(c.usual.typical if c.usual else None),
            f"{c.decided:,}",
            "\n".join(plain(path_text(path, missing=c.missing)) for path in c.examples),
        ]
        for c in rows
    ]
    columns = [">id", "name", ">images", ">share", ">typical distance", ">decided", "examples"]
    print_table(columns, table, paths=("examples",))


def _say_unnamed(rows: Sequence[ClusterSummary]) -> None:
    """How to name the largest cluster that has no name; else what to do with named ones."""
    unnamed = next((row.cluster_id for row in rows if row.name is None), None)
    if unnamed is not None:
        say_next("to name one", f'organizer clusters rename {unnamed} "Red fox"')
    elif rows:
        say_next("to look at one", f"organizer clusters show {as_typed(rows[0].name)}")


def _shown_by(group: PhotoGroup) -> str:
    return f"organizer clusters show {group.value.replace(' ', '-')}"


def print_photos(rows: Sequence[GroupPhoto], group: PhotoGroup, *, json: bool) -> None:
    """The photos of a group."""
    if json:
        print_json({"group": group, "images": [asdict(row) for row in rows]})
        return
    if not rows:
        print_line(f"{group}: no photos")
        return
    title = f"{group}: {count_text(len(rows), 'photo')}"
    cells = [[path_text(row.path, missing=row.missing)] for row in rows]
    print_table(["path"], cells, title=title, paths=("path",))


def print_members(
    rows: Sequence[ClusterMember],
    cluster_id: int | None,
    names: Mapping[int, str],
    usual: Mapping[int, UsualDistance],
    *,
    json: bool,
) -> None:
    """The images of a cluster, or the unassigned images.

    Args:
        rows: The images.
        cluster_id: The cluster; None for the unassigned images.
        names: The names of clusters.
        usual: How far the images of each cluster lie from its centroid.
        json: Whether JSON is printed.
    """
    name = None if cluster_id is None else names.get(cluster_id)
    near = {row.candidate for row in rows} if cluster_id is None else {cluster_id}
    usual = {i: usual[i] for i in sorted(near) if i in usual}
    if json:
        scale = [{"cluster_id": i, **asdict(found)} for i, found in usual.items()]
        images = [asdict(row) for row in rows]
        print_json(
            {
                "cluster_id": cluster_id,
                "name": name,
                "distances_to_centroid": scale,
                "images": images,
            }
        )
        return
    digits = distance_digits([row.distance for row in rows])
    what = "unassigned" if cluster_id is None else f"cluster {cluster_id}"
    title = what + (f", {name}" if name else "") + f": {count_text(len(rows), 'image')}"
    if not rows:
        print_line(title)
    elif cluster_id is None:
        table = [
            [
                _path(m),
                number_text(m.distance, digits),
                number_text(usual[m.candidate].border if m.candidate in usual else None, digits),
                cluster_text(m.candidate, names.get(m.candidate)),
            ]
            for m in rows
        ]
        columns = ["path", ">distance", ">its border", "nearest cluster"]
        print_table(columns, table, title=title, paths=("path",))
    else:
        table = [[_path(m), number_text(m.distance, digits), m.state] for m in rows]
        print_table(["path", ">distance", "state"], table, title=title, paths=("path",))
        for found in usual.values():
            print_text(f"distance to the centroid: {usual_text(found, digits)}")
    if cluster_id is None and rows:
        say_next("to put one into a cluster", "organizer clusters move PHOTO --to CLUSTER")
    elif rows:
        cluster = as_typed(name or str(cluster_id))
        say_next("to take one out", f"organizer clusters exclude PHOTO --in {cluster}")


def _path(member: ClusterMember) -> str:
    return path_text(member.path, member.box, missing=member.missing)


def print_hidden(count: int) -> None:
    """How many images are left out without ``--with-people``."""
    if count:
        say(f"left out, a person or a vehicle is in the photo: {count:,} (--with-people)")


def print_decision(report: DecisionReport, *, json: bool) -> None:
    """A decision and its effect on the clusters."""
    if json:
        decision = report.decision
        print_json(
            {
                "decision_id": decision.decision_id,
                "kind": decision.kind,
                "cluster_id": decision.cluster_id,
                "name": decision.name or None,
                "others": decision.others,
                "images": len(decision.image_ids),
                "lineage": lineage_fields(report.lineage),
                "notes": report.notes,
            }
        )
        return
    print_line(describe_decision(report.decision))
    for line in lineage_lines(report.lineage):
        print_line(line)
    for note in report.notes:
        say(note)
    say_next("to take it back", "organizer undo")


def print_suggestions(rows: Sequence[NameSuggestion], *, json: bool) -> None:
    """Proposed names to stdout, how to accept one to stderr."""
    if json:
        print_json({"suggestions": [asdict(row) for row in rows]})
        return
    table = [
        [
            str(row.cluster_id),
            row.name or "-",
            f"{row.images:,}",
            row.suggestion,
            f"{row.confidence:.0%}",
            f"{row.second} {row.second_confidence:.0%}" if row.second else "-",
        ]
        for row in rows
    ]
    print_table([">id", "name", ">images", "suggestion", ">confidence", "or"], table)
    say(f'to accept one: organizer clusters rename {rows[0].cluster_id} "NAME"')


def print_history(events: Sequence[HistoryEvent], *, all_steps: bool, json: bool) -> None:
    """What happened to the clusters, in order.

    Args:
        events: The events.
        all_steps: Whether what was undone is printed too, marked.
        json: Whether JSON is printed, which has all of them.
    """
    if json:
        print_json({"events": [asdict(event) for event in events]})
        return
    width = max((cell_len(event.user) for event in events), default=0)

    def label(event: HistoryEvent) -> str:
        space = " " * (width - cell_len(event.user))
        return time_text(event.at) + (f"  {event.user}{space}" if width else "")

    shown = [event for event in events if event.stands or all_steps]
    print_facts([(label(event), _marked(event)) for event in shown])
    if hidden := len(events) - len(shown):
        say(f"left out, as it was undone: {count_text(hidden, 'line')} (--all)")


def _marked(event: HistoryEvent) -> str:
    """What happened; what was undone is marked, an undo and a redo say so themselves."""
    is_return = event.what.startswith(("undone: ", "redone: "))
    return event.what if event.stands or is_return else f"{event.what} (undone)"
