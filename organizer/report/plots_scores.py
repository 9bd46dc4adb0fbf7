"""Silhouette, evidence for the number of clusters, and factors as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from organizer.report import charts, drawing, tables
from organizer.report.contents import ReportContents
from organizer.report.drawing import ACCENT, INK, QUIET, colour_of, simplify_axes, text_of
from organizer.report.palette import cluster_tints
from organizer.report.wording import score_text
from organizer.types import Candidate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = {"chosen": ("o", ACCENT), "second": ("s", "white"), "elbow": ("D", "white")}
_CHART_HEIGHT = 480.0
_UNITS_AN_INCH = 96
_GAP = 4.0


def silhouette_png(contents: ReportContents) -> bytes | None:
    """The silhouette plot (Rousseeuw 1987)."""
    if contents.silhouette is None:
        return None
    named = tables.cluster_names(contents)
    order = [row.cluster_id for row in contents.clusters][: tables.MOST_ROWS]
    chart = charts.silhouette_chart(
        contents.silhouette, contents.cluster_ids, order, height=_CHART_HEIGHT
    )
    total = sum(bar.height + _GAP for bar in chart.bars)
    made = drawing.figure(8, 0.8 + total / _UNITS_AN_INCH)
    axes = made.add_subplot()
    top, middles = 0.0, []
    for bar in chart.bars:
        edges = top + np.linspace(0, bar.height, len(bar.values) + 1)
        values = np.append(bar.values, bar.values[-1])
        colour = colour_of(named[bar.cluster_id].sign, cluster_tints())
        axes.fill_betweenx(edges, 0, values, step="post", color=colour, linewidth=0)
        middles.append(top + bar.height / 2)
        top += bar.height + _GAP
    axes.axvline(mean := contents.silhouette.mean, color=INK, linestyle="--", linewidth=1)
    axes.set_xlim(chart.low, chart.high)
    axes.set_ylim(top, -_GAP)
    labels = [f"{text_of(named[k.cluster_id].label)}  {score_text(k.mean, 2)}" for k in chart.bars]
    axes.set_yticks(middles, labels, color=INK)
    axes.set_xlabel(f"silhouette, mean {score_text(mean)}", color=QUIET)
    drawing.note_omitted(made, len(chart.bars), len(contents.silhouette.per_cluster))
    simplify_axes(axes, grid="x")
    return drawing.png_of(made)


def evidence_png(contents: ReportContents) -> bytes | None:
    """The silhouette and the inertia against the number of clusters."""
    tried = contents.evidence
    shown = [
        (title, values)
        for title, values in (
            ("silhouette (space)", [c.silhouette for c in tried]),
            ("inertia (space)", [c.inertia for c in tried]),
        )
        if np.isfinite(values).sum() >= 2
    ]
    if not shown:
        return None
    made = drawing.figure(5.2 * len(shown), 3.6)
    for place, (title, values) in enumerate(shown, start=1):
        _line(made.add_subplot(1, len(shown), place), tried, values, title)
    return drawing.png_of(made)


def factors_png(contents: ReportContents) -> bytes | None:
    """NMI of the clusters with each factor, and its value by chance."""
    if contents.explanation is None or not contents.explanation.factors:
        return None
    factors = contents.explanation.factors
    made = drawing.figure(7, 1.2 + 0.5 * len(factors))
    axes = made.add_subplot()
    places = np.arange(len(factors))
    axes.barh(places, [f.nmi for f in factors], height=0.6, color=ACCENT, label="measured")
    chance = [f.by_chance for f in factors]
    axes.plot(chance, places, "|", color=INK, markersize=22, markeredgewidth=2.5, label="by chance")
    labels = [f"{text_of(f.name)} ({tables.groups_of(f)})" for f in factors]
    axes.set_yticks(places, labels, color=INK)
    axes.set_ylim(len(factors) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.set_xlabel("normalised mutual information with the clusters", color=QUIET)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, markerscale=0.5)
    simplify_axes(axes, grid="x")
    return drawing.png_of(made)


def _line(axes: Axes, tried: Sequence[Candidate], values: Sequence[float], title: str) -> None:
    ks = [c.k for c in tried]
    axes.plot(ks, values, color=ACCENT, marker="o", markersize=3, linewidth=1.6)
    for name, (marker, face) in _MARKS.items():
        at = [i for i, c in enumerate(tried) if name in charts.marks_of(c)]
        if at:
            axes.plot(
                [ks[i] for i in at],
                [values[i] for i in at],
                marker,
                color=ACCENT,
                markerfacecolor=face,
                markersize=9,
                markeredgewidth=1.8,
                label=f"{name} {', '.join(str(ks[i]) for i in at)}",
            )
    if charts.is_wide(ks):
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("number of clusters", color=QUIET)
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    if any(charts.marks_of(c) for c in tried):
        axes.legend(frameon=False, fontsize=9)
    simplify_axes(axes)
