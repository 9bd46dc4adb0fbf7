"""A new clustering, the evidence for k, and the lineage of its clusters."""

from __future__ import annotations

from organizer.cli.next_step import say_next
from organizer.cli.output import (
    count_text,
    number_text,
    print_json,
    print_line,
    print_table,
    print_text,
)
from organizer.cli.session import say
from organizer.cluster.choose_k import CLEAR_STABILITY, KChoice
from organizer.fields.recluster import recluster_fields
from organizer.library.clustering.report import ReclusterReport
from organizer.library.clustering.space import centring_text, reducer_text
from organizer.types import Candidate, LineageReport

_COLUMNS = {
    "silhouette": ("silhouette (space)", 4),
    "inertia": ("inertia (space)", 2),
    "davies_bouldin": ("Davies-Bouldin (space)", 3),
    "calinski_harabasz": ("Calinski-Harabasz (space)", 1),
    "gap": ("gap", 4),
    "stability": ("stability", 3),
}
"""Kinds of evidence: heading and digits."""

_CLOSE = 0.01
"""A second best silhouette that is no farther below the best is almost as good."""


def print_recluster(report: ReclusterReport, *, evidence: bool, json: bool) -> None:
    """The result to stdout; to stderr what to do next, and a warning where no k stands out.

    Args:
        report: The clustering.
        evidence: Whether the scores of all numbers of clusters that were tried are printed.
        json: Whether JSON is printed instead.
    """
    if json:
        print_json(recluster_fields(report))
    else:
        if report.choice is not None:
            if evidence:
                _evidence(report)
            for line in evidence_lines(report.choice):
                print_text(line)
        elif evidence:
            say("no evidence: the number of clusters was given, so no others were tried")
        _tables(report)
    if report.is_weak:
        say(
            "no number of clusters stands out: treat these as a rough grouping, or give --k; "
            "organizer report shows how good they are"
        )
    if report.clustering_id is not None:
        say_next("look at the clusters and name them", "organizer open", json=json)
    else:
        say_next("to make these clusters", "the same command without --dry-run", json=json)


def _tables(report: ReclusterReport) -> None:
    rows = [
        [str(cluster_id), name or "-", f"{count:,}"] for cluster_id, name, count in report.clusters
    ]
    print_table([">id", "name", ">images"], rows)
    if is_dry := report.clustering_id is None:
        print_line("dry run: nothing was changed")
    space = "" if report.reducer.name == "none" else f", in {reducer_text(report.reducer)}"
    centred = f", {text}" if (text := centring_text(report.reducer)) else ""
    print_text(
        f"{count_text(report.images, 'image')} in {count_text(report.k, 'cluster')}: "
        f"{report.algorithm}{space}{centred}"
    )
    if report.bursts:
        print_line(f"bursts as one: {count_text(report.observations, 'observation')} clustered")
    if report.learned:
        what = count_text(report.learned, "burst" if report.bursts else "image")
        print_text(f"{what} in another cluster than the nearest, as learned from your decisions")
    if report.unassigned:
        print_line(f"{report.unassigned:,} of them unassigned: organizer clusters show unassigned")
    for line in lineage_lines(report.lineage):
        print_text(line)
    if report.dropped:
        listed = ", ".join(map(str, report.dropped))
        drop = "would be dropped, so it needs --drop-names" if is_dry else "were dropped"
        print_text(f"clusters that you named, pinned or made {drop}: {listed}")
    for change in report.at_risk:
        print_text(
            f"look at cluster {change.cluster_id} {change.name or '(no name)'}: of its "
            f"{count_text(change.before, 'image')} {change.stayed:,} stay, "
            f"{change.after - change.stayed:,} come from elsewhere"
        )


def evidence_lines(choice: KChoice) -> list[str]:
    """Which number of clusters was chosen and why, against which, and how sure that is."""
    best = choice.chosen
    second = next((item for item in choice.candidates if item.second), None)
    ks = [item.k for item in choice.candidates]
    tried = f"{ks[0]} to {ks[-1]} tried" if len(ks) > 1 else "no other tried"
    scores = f"silhouette (space) {best.silhouette:.3f}"
    stability = f"stability {number_text(best.stability)}"
    if second is not None:
        scores += f", second best {second.silhouette:.3f} (k = {second.k})"
        stability += f" and {number_text(second.stability)}"
    return [
        f"k = {best.k} ({tried}): {choice.rule}",
        f"{scores}; {stability}",
        _doubt(choice, best, second),
    ]


def _doubt(choice: KChoice, best: Candidate, second: Candidate | None) -> str:
    """How sure a choice is, and what is doubtful about it."""
    unclear = best.silhouette < choice.clear_from
    if unclear or (best.stability is not None and best.stability < CLEAR_STABILITY):
        why = (
            f"a silhouette (space) below {choice.clear_from:g}: the images have no clear groups"
            if unclear
            else f"a stability below {CLEAR_STABILITY:g}: halves of the images make other clusters"
        )
        return f"doubtful: {why}"
    if second is not None and best.silhouette - second.silhouette < _CLOSE:
        return f"the clusters are clear; {second.k} are almost as good: --k {second.k} makes them"
    if best.stability is None:
        return "the clusters are clear; too few images to tell whether halves of them agree"
    return "sure: the clusters are clear, and halves of the images make the same ones"


def _evidence(report: ReclusterReport) -> None:
    """Print the candidates for k, with the scores that were computed."""
    columns = [
        name
        for name in _COLUMNS
        if any(getattr(c, name, None) is not None for c in report.evidence)
    ]
    rows = []
    for candidate in report.evidence:
        marks = [mark for mark in ("chosen", "second", "elbow") if getattr(candidate, mark, False)]
        values = [getattr(candidate, name) for name in columns]
        shown = [
            "-" if v is None else f"{v:.{_COLUMNS[n][1]}f}"
            for n, v in zip(columns, values, strict=True)
        ]
        rows.append([str(candidate.k), *shown, ", ".join(marks)])
    heads = [f">{_COLUMNS[name][0]}" for name in columns]
    print_table(
        [">k", *heads, ""], rows, title="evidence for k, measured in the space of the clustering"
    )


def lineage_lines(lineage: LineageReport) -> list[str]:
    """The lineage, a line for each kind of change; none for a first clustering."""
    if not lineage.kept and not lineage.retired:
        return []
    changes = (
        f"kept {len(lineage.kept)}, new {len(lineage.new)}, retired {len(lineage.retired)}, "
        f"split {len(lineage.split)}, merged {len(lineage.merged)}"
    )
    lines = [f"{changes}; {count_text(lineage.images_moved, 'image')} moved"]
    lines += [f"cluster {s.cluster_id} split into {_listed(s.into)}" for s in lineage.split]
    lines += [f"cluster {m.cluster_id} merged from {_listed(m.sources)}" for m in lineage.merged]
    if lineage.new:
        lines.append(f"new: {_listed(lineage.new)}")
    if lineage.retired:
        lines.append(f"retired: {_listed(lineage.retired)}")
    return lines


def _listed(ids: tuple[int, ...]) -> str:
    return ", ".join(map(str, ids))
