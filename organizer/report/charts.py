"""Numbers -> the geometry of a chart, which the page and the plots draw."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.report.wording import score_text
from organizer.types import Candidate, Labels, Silhouette

PLOT_WIDTH, PLOT_HEIGHT = 520, 300
"""The size of a line chart, in its own unit."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 14, 54
_CHART_HEIGHT = 560.0
_LEAST_BAR = 15.0
_DIGIT, _APART = 10.5, 12.0
"""Width of a digit at the largest size of a tick's text, on a narrow screen, and the least gap."""

_MOST_STEPS = 5
"""Ticks of a silhouette plot, which on a narrow screen is 160 pixels wide."""

_FLAT = 1e-6
"""A line whose rise relative to its values is smaller is flat; smaller values are zero."""


@dataclass(frozen=True, slots=True)
class AxisTick:
    """A tick on an axis: its position and its text."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class SilhouetteBar:
    """The silhouettes of one cluster, sorted (Rousseeuw 1987).

    Attributes:
        cluster_id: The cluster.
        values: Descending; quantiles where there are more images than lines to draw.
        scored: Images that were scored.
        mean: Their mean.
        height: Pixels.
        path: SVG path; the width of the chart is 1000 and the height of the bar 1.
    """

    cluster_id: int
    values: NDArray[np.float64]
    scored: int
    mean: float
    height: float
    path: str


@dataclass(frozen=True, slots=True)
class SilhouetteChart:
    """A silhouette plot.

    Attributes:
        bars: One per cluster, in the order asked for.
        low: Left end of the axis.
        high: Right end.
        ticks: Positions in percent of the width.
        zero_at: Zero, in percent of the width.
        mean_at: The mean, in percent of the width.
        is_thinned: Whether quantiles are drawn because there are more images than pixels.
    """

    bars: tuple[SilhouetteBar, ...]
    low: float
    high: float
    ticks: tuple[AxisTick, ...]
    zero_at: float
    mean_at: float
    is_thinned: bool


@dataclass(frozen=True, slots=True)
class LineDot:
    """A point of a line chart.

    Attributes:
        x: In the chart's unit.
        y: In the chart's unit.
        k: Number of clusters.
        text: The value as text.
        marks: Any of "chosen", "second", "elbow".
    """

    x: float
    y: float
    k: int
    text: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineChart:
    """A line chart over the number of clusters; `is_log`: that axis is logarithmic."""

    dots: tuple[LineDot, ...]
    path: str
    x_ticks: tuple[AxisTick, ...]
    y_ticks: tuple[AxisTick, ...]
    is_log: bool
    left: float
    right: float = PLOT_WIDTH - _RIGHT
    bottom: float = PLOT_HEIGHT - _BOTTOM


@dataclass(frozen=True, slots=True)
class PieSlice:
    """A class within a cluster.

    Attributes:
        class_: Its position in the table's columns; None for all other classes together.
        count: Its images.
        share: Its share of the cluster.
        start: Where its slice begins, as a share.
    """

    class_: int | None
    count: int
    share: float
    start: float

    @property
    def slice(self) -> str:
        """An SVG path of the slice, in a pie of radius 1, clockwise from the top."""
        if self.share >= 1:
            return "M0-1A1 1 0 1 1 0 1A1 1 0 1 1 0-1Z"
        (x0, y0), (x1, y1) = _on_circle(self.start), _on_circle(self.start + self.share)
        is_large = int(self.share > 1 / 2)
        return f"M0 0L{x0:.4f} {y0:.4f}A1 1 0 {is_large} 1 {x1:.4f} {y1:.4f}Z"


def silhouette_chart(
    found: Silhouette, cluster_ids: Labels, order: Sequence[int], *, height: float = _CHART_HEIGHT
) -> SilhouetteChart:
    """The silhouette plot of clusters in a given order, without those that have no scored image."""
    own = cluster_ids[found.rows]
    sorted_rows = np.argsort(own, kind="stable")
    names, starts = np.unique(own[sorted_rows], return_index=True)
    groups = np.split(found.values[sorted_rows], starts[1:])
    by_cluster = {int(n): np.sort(g)[::-1] for n, g in zip(names, groups, strict=True)}
    shown = [cluster_id for cluster_id in order if cluster_id in by_cluster]
    total = sum(len(by_cluster[i]) for i in shown) or 1
    everything = [by_cluster[i] for i in shown]
    low, high = _range_of(everything, found.mean)
    made = []
    for cluster_id, values in zip(shown, everything, strict=True):
        tall = max(_LEAST_BAR, height * len(values) / total)
        kept = _thinned(values, round(tall * 2))
        made.append(
            SilhouetteBar(
                cluster_id=cluster_id,
                values=kept,
                scored=len(values),
                mean=found.per_cluster[cluster_id],
                height=round(tall, 1),
                path=_bar_path(kept, low, high),
            )
        )
    return SilhouetteChart(
        bars=tuple(made),
        low=low,
        high=high,
        ticks=tuple(
            AxisTick(100 * (value - low) / (high - low), score_text(value, 1))
            for value in _steps(low, high)
        ),
        zero_at=100 * (0 - low) / (high - low),
        mean_at=100 * (found.mean - low) / (high - low),
        is_thinned=any(len(k.values) < k.scored for k in made),
    )


def line_chart(
    candidates: Sequence[Candidate], values: Sequence[float], *, digits: int
) -> LineChart | None:
    """A line chart of a score by number of clusters; None for fewer than two finite values."""
    pairs = [
        (candidate, value)
        for candidate, value in zip(candidates, values, strict=True)
        if math.isfinite(value)
    ]
    if len(pairs) < 2:
        return None
    lowest, highest = min(v for _, v in pairs), max(v for _, v in pairs)
    ticks = nice_ticks(lowest, highest)
    step = ticks[1] - ticks[0]
    low, high = min(lowest, ticks[0]), max(highest, ticks[-1])
    ks = [candidate.k for candidate, _ in pairs]
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    texts = [score_text(tick, places) for tick in ticks]
    left = max(_LEFT, 8 + _DIGIT * max(map(len, texts)))
    wide, tall = PLOT_WIDTH - left - _RIGHT, PLOT_HEIGHT - _TOP - _BOTTOM

    is_log = is_wide(ks)
    along = [math.log(k) if is_log else float(k) for k in ks]

    def x(at: float) -> float:
        return left + wide * (0.03 + 0.94 * (at - along[0]) / (along[-1] - along[0] or 1))

    def y(value: float) -> float:
        return _TOP + tall * (1 - (value - low) / (high - low))

    dots = tuple(
        LineDot(round(x(at), 1), round(y(v), 1), c.k, score_text(v, digits), marks_of(c))
        for at, (c, v) in zip(along, pairs, strict=True)
    )
    return LineChart(
        dots=dots,
        path="M" + "L".join(f"{dot.x} {dot.y}" for dot in dots),
        x_ticks=_apart([AxisTick(dot.x, str(dot.k)) for dot in dots]),
        y_ticks=tuple(AxisTick(round(y(t), 1), s) for t, s in zip(ticks, texts, strict=True)),
        is_log=is_log,
        left=round(left, 1),
    )


def marks_of(candidate: Candidate) -> tuple[str, ...]:
    """The marks of a number of clusters: "chosen", "second", "elbow"."""
    flags = {
        "chosen": candidate.chosen,
        "second": candidate.second,
        "elbow": candidate.elbow,
    }
    return tuple(name for name, is_so in flags.items() if is_so)


def pie_slices(row: Labels, *, most: int = 6) -> tuple[PieSlice, ...]:
    """The most frequent classes of a cluster, then all others together."""
    total = int(row.sum())
    by_count = [int(i) for i in np.argsort(-row, kind="stable") if row[i]]
    head, tail = by_count[:most], by_count[most:]
    if len(tail) == 1:
        head, tail = head + tail, []
    counts: list[tuple[int | None, int]] = [(i, int(row[i])) for i in head]
    if tail:
        counts.append((None, int(row[tail].sum())))
    made, start = [], 0
    for class_, count in counts:
        made.append(PieSlice(class_, count, count / total, start / total))
        start += count
    return tuple(made)


def columns_by_matching(
    rows: Sequence[int], matched: Mapping[int, str | None], classes: Sequence[str], table: Labels
) -> tuple[int, ...]:
    """The order of the classes that puts the matched ones on the diagonal, others by size."""
    at = {name: i for i, name in enumerate(classes)}
    first = [at[name] for row in rows if (name := matched.get(row)) is not None]
    by_size = np.argsort(-table.sum(axis=0), kind="stable").tolist()
    return tuple(dict.fromkeys([*first, *by_size]))


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers that cover a range, at least two."""
    span, scale = high - low, max(abs(low), abs(high))
    if span <= _FLAT * scale or scale < _FLAT:
        span = scale if scale >= _FLAT else 1.0
    rough = span / (most - 1)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= rough * (1 - 1e-9))
    first = math.floor(low / step + 1e-9)
    last = max(first + 1, math.ceil(high / step - 1e-9))
    return [round(i * step, 12) for i in range(first, last + 1)]


def is_wide(ks: Sequence[int]) -> bool:
    """Whether the numbers of clusters span so much that a logarithmic axis shows them best."""
    return ks[-1] >= 8 * ks[0]


def _apart(ticks: Sequence[AxisTick]) -> tuple[AxisTick, ...]:
    """The ticks without those that would overlap."""
    kept: list[AxisTick] = []
    for tick in ticks:
        if not kept or tick.at - kept[-1].at >= _width(tick, kept[-1]) + _APART:
            kept.append(tick)
    return tuple(kept)


def _width(*ticks: AxisTick) -> float:
    """The mean width of the texts of ticks, which are centred below them."""
    return _DIGIT * sum(len(tick.text) for tick in ticks) / len(ticks)


def _range_of(groups: Sequence[NDArray[np.float64]], mean: float) -> tuple[float, float]:
    lowest = min((float(g[-1]) for g in groups if len(g)), default=mean)
    highest = max((float(g[0]) for g in groups if len(g)), default=mean)
    low = max(-1.0, math.floor(min(0.0, lowest) * 10) / 10)
    high = min(1.0, max(math.ceil(highest * 10) / 10, low + 0.2, 0.1))
    return low, high


def _steps(low: float, high: float) -> list[float]:
    step = next(s for s in (0.1, 0.2, 0.5) if (high - low) / s <= _MOST_STEPS - 1 + 1e-9)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 2) + 0.0 for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _thinned(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """At most `most` evenly spaced quantiles of sorted values, with the extremes."""
    if len(values) <= most:
        return values
    return values[np.linspace(0, len(values) - 1, most).round().astype(np.int64)]


def _bar_path(values: NDArray[np.float64], low: float, high: float) -> str:
    """Bars from zero, one below the other, as one outline."""
    scale = 1000 / (high - low)
    zero = -low * scale
    edges = np.arange(len(values) + 1) / len(values)
    steps = (
        f"V{edges[i]:.4g}H{(value - low) * scale:.0f}V{edges[i + 1]:.4g}"
        for i, value in enumerate(values)
    )
    return f"M{zero:.0f} 0{''.join(steps)}H{zero:.0f}Z"


def _on_circle(share: float) -> tuple[float, float]:
    angle = 2 * math.pi * share
    return math.sin(angle), -math.cos(angle)
