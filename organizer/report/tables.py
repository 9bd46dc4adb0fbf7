"""The rows of the page's tables and charts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from organizer.counts import count_text
from organizer.report import charts
from organizer.report.contents import ClusterRow, ReportContents
from organizer.report.palette import Sign, class_sign, cluster_sign
from organizer.report.wording import ALONE, FEW_CLUSTERS, NO_LABEL, NOT_DRAWN, label_of
from organizer.types import (
    NOISE,
    ClusterPurity,
    ClusterShape,
    Factor,
    Proportion,
    Reason,
    TruthScores,
)

MOST_ROWS = 60
"""The most clusters and classes in the charts against truth, the largest first."""

_GROUPS = {
    "camera": ("camera", "cameras"),
    "light": ("kind of light", "kinds of light"),
    "burst": ("burst", "bursts"),
    "brightness": ("level of brightness", "levels of brightness"),
}


@dataclass(frozen=True, slots=True)
class SignedName:
    """The label and the sign of a cluster or a class, the same in every chart."""

    label: str
    sign: Sign | None


@dataclass(frozen=True, slots=True)
class ClusterLine:
    """A row of the table of clusters."""

    row: ClusterRow
    named: SignedName
    silhouette: float | None
    why_no_silhouette: str
    shape: ClusterShape | None
    nearest: str
    why_no_separation: str
    purity: ClusterPurity | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class MixLine:
    """The classes of a cluster."""

    named: SignedName
    count: int
    parts: tuple[charts.PieSlice, ...]


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """A cell of the confusion matrix."""

    count: int
    share: float
    is_matched: bool


@dataclass(frozen=True, slots=True)
class ConfusionMatrix:
    """The confusion matrix.

    Attributes:
        columns: Classes, at most `MOST_ROWS`.
        rows: Clusters, each with its cells.
        has_numbers: Whether it is small enough to show numbers.
        classes_left_out: How many classes are left out.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[SignedName, int, tuple[MatrixCell, ...]], ...]
    has_numbers: bool
    classes_left_out: int


@dataclass(frozen=True, slots=True)
class AuditLine:
    """The review of one cluster."""

    named: SignedName
    found: Proportion


def cluster_names(contents: ReportContents) -> dict[int, SignedName]:
    """Every cluster by id, in the order of the report, and last NOISE."""
    named = {
        row.cluster_id: SignedName(label_of(row.cluster_id, row.name), cluster_sign(rank))
        for rank, row in enumerate(contents.clusters)
    }
    return {**named, NOISE: SignedName(label_of(NOISE, None), None)}


def classes_of(contents: ReportContents) -> tuple[str, ...]:
    """The classes, the most frequent first: the order in which they have their signs."""
    counts: Counter[str] = Counter()
    if contents.truth is not None:
        sums = contents.truth.table.sum(axis=0).tolist()
        counts.update(dict(zip(contents.truth.classes, sums, strict=True)))
    elif contents.map is not None:
        counts.update(name for name in contents.map.truth if name is not None)
    known = sorted(counts, key=lambda name: (-counts[name], name))
    on_map = contents.map.truth if contents.map is not None else ()
    return (*known, *sorted({n for n in on_map if n is not None} - set(known)))


def cluster_lines(
    contents: ReportContents, named: Mapping[int, SignedName]
) -> tuple[ClusterLine, ...]:
    """The table of clusters."""
    shapes = {shape.cluster_id: shape for shape in contents.internal.clusters}
    reasons: dict[int, list[Reason]] = {}
    for reason in contents.explanation.reasons if contents.explanation else ():
        reasons.setdefault(reason.cluster_id, []).append(reason)
    per_cluster = contents.silhouette.per_cluster if contents.silhouette else {}
    purities = contents.truth.per_cluster if contents.truth else {}
    return tuple(
        ClusterLine(
            row=row,
            named=named[row.cluster_id],
            silhouette=per_cluster.get(row.cluster_id),
            why_no_silhouette=NOT_DRAWN if contents.silhouette else FEW_CLUSTERS,
            shape=shapes.get(row.cluster_id),
            nearest=_nearest(shapes.get(row.cluster_id), named),
            why_no_separation=ALONE,
            purity=purities.get(row.cluster_id),
            reasons=tuple(reasons.get(row.cluster_id, ())),
        )
        for row in contents.clusters
    )


def dashes(contents: ReportContents) -> tuple[str, ...]:
    """The reasons for dashes in the table of clusters."""
    ids = {row.cluster_id for row in contents.clusters}
    found = contents.silhouette
    why = []
    if found is None:
        why.append(f"for the silhouette: it {FEW_CLUSTERS}.")
    elif not ids <= set(found.per_cluster):
        why.append(f"for the silhouette of a cluster: {NOT_DRAWN}.")
    if any(shape.separation is None for shape in contents.internal.clusters):
        why.append(f"for the separation: {ALONE}.")
    if contents.truth is not None and not ids <= set(contents.truth.per_cluster):
        why.append(f"for the purity of a cluster: {NO_LABEL}.")
    return tuple(why)


def mix_lines(contents: ReportContents, named: Mapping[int, SignedName]) -> tuple[MixLine, ...]:
    """The classes of each cluster, the largest clusters first."""
    if contents.truth is None:
        return ()
    truth, at = contents.truth, _rows_of(contents)
    return tuple(
        MixLine(named[i], int(truth.table[at[i]].sum()), charts.pie_slices(truth.table[at[i]]))
        for i in _in_order(named, at)[:MOST_ROWS]
    )


def matrix_of(contents: ReportContents, named: Mapping[int, SignedName]) -> ConfusionMatrix | None:
    """The confusion matrix, ordered by the best one-to-one matching."""
    truth = contents.truth
    if truth is None:
        return None
    at = _rows_of(contents)
    shown = _in_order(named, at)[:MOST_ROWS]
    matched = dict(zip(truth.cluster_ids, truth.matched, strict=True))
    columns = charts.columns_by_matching(shown, matched, truth.classes, truth.table)
    kept = columns[:MOST_ROWS]
    return ConfusionMatrix(
        columns=tuple(truth.classes[c] for c in kept),
        rows=tuple((named[i], *_matrix_row(truth, at[i], kept)) for i in shown),
        has_numbers=len(kept) <= 24,
        classes_left_out=len(columns) - len(kept),
    )


def audit_lines(contents: ReportContents, named: Mapping[int, SignedName]) -> tuple[AuditLine, ...]:
    """The review of each cluster."""
    if contents.audit is None:
        return ()
    found = contents.audit.per_cluster
    return tuple(AuditLine(named[i], found[i]) for i in named if i in found)


def class_names(contents: ReportContents) -> dict[str, SignedName]:
    """Every class by name."""
    return {
        name: SignedName(name, class_sign(rank)) for rank, name in enumerate(classes_of(contents))
    }


def groups_of(factor: Factor) -> str:
    """How many groups a factor has: "6 cameras"."""
    return count_text(factor.groups, *_GROUPS.get(factor.name, ("group", "groups")))


def _nearest(shape: ClusterShape | None, named: Mapping[int, SignedName]) -> str:
    if shape is None or shape.nearest is None:
        return ""
    found = named.get(shape.nearest)
    return found.label if found else label_of(shape.nearest, None)


def _rows_of(contents: ReportContents) -> dict[int, int]:
    ids = contents.truth.cluster_ids if contents.truth else ()
    return {cluster_id: row for row, cluster_id in enumerate(ids)}


def _in_order(named: Mapping[int, SignedName], at: Mapping[int, int]) -> list[int]:
    return [cluster_id for cluster_id in named if cluster_id in at]


def _matrix_row(
    truth: TruthScores, row: int, columns: tuple[int, ...]
) -> tuple[int, tuple[MatrixCell, ...]]:
    counts, total = truth.table[row].tolist(), int(truth.table[row].sum())
    return total, tuple(
        MatrixCell(counts[c], counts[c] / total, truth.classes[c] == truth.matched[row])
        for c in columns
    )
