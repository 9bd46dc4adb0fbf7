"""Clusters against truth as PNG: bars, pies and the confusion matrix."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from organizer.report import charts, drawing, tables
from organizer.report.contents import ReportContents
from organizer.report.drawing import ACCENT, INK, QUIET, colour_of, simplify_axes, text_of
from organizer.report.palette import NEUTRAL, class_tints
from organizer.report.wording import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

_MOST_IN_KEY = 24


def composition_png(contents: ReportContents) -> bytes | None:
    """The classes of each cluster, as stacked bars."""
    mixes = tables.mix_lines(contents, tables.cluster_names(contents))
    if not mixes:
        return None
    made = drawing.figure(9, 1.1 + 0.34 * len(mixes))
    axes = made.add_subplot()
    for place, mix in enumerate(mixes):
        for part in mix.parts:
            colour = _colour(contents, part)
            axes.barh(place, part.share, left=part.start, height=0.78, color=colour, ec="white")
    labels = [f"{text_of(mix.named.label)}  {percent(mix.parts[0].share)}" for mix in mixes]
    axes.set_yticks(range(len(mixes)), labels, color=INK)
    axes.set_ylim(len(mixes) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    simplify_axes(axes, grid="none")
    _key(contents, mixes, made)
    drawing.note_omitted(made, len(mixes), _clusters(contents))
    return drawing.png_of(made)


def pies_png(contents: ReportContents) -> bytes | None:
    """The classes of each cluster, as pies."""
    mixes = tables.mix_lines(contents, tables.cluster_names(contents))
    if not mixes:
        return None
    columns = min(5, len(mixes))
    rows = math.ceil(len(mixes) / columns)
    made = drawing.figure(2.2 * columns + 1.6, 2.4 * rows + 0.3)
    for place, mix in enumerate(mixes, start=1):
        axes = made.add_subplot(rows, columns, place)
        axes.pie(
            [part.share for part in mix.parts],
            colors=[_colour(contents, part) for part in mix.parts],
            startangle=90,
            counterclock=False,
            wedgeprops={"edgecolor": "white", "linewidth": 1},
        )
        axes.set_title(text_of(mix.named.label, 22), fontsize=10, color=INK, pad=2)
        axes.set_xlabel(_head(contents, mix), fontsize=8.5, color=QUIET, labelpad=-8)
    _key(contents, mixes, made)
    drawing.note_omitted(made, len(mixes), _clusters(contents))
    return drawing.png_of(made)


def confusion_png(contents: ReportContents) -> bytes | None:
    """The confusion matrix, ordered by the best one-to-one matching."""
    matrix = tables.matrix_of(contents, tables.cluster_names(contents))
    if matrix is None:
        return None
    shares = np.array([[cell.share for cell in cells] for _, _, cells in matrix.rows])
    tall, wide = shares.shape
    side = 0.5 if matrix.has_numbers else 0.2
    made = drawing.figure(2.6 + side * wide, 1.8 + (0.32 if matrix.has_numbers else side) * tall)
    axes = made.add_subplot()
    axes.imshow(shares, cmap=_ramp(), vmin=0, vmax=1, aspect="auto")
    for y, (_, _, cells) in enumerate(matrix.rows):
        for x, cell in enumerate(cells):
            _cell(axes, x, y, cell, has_number=matrix.has_numbers)
    names = [text_of(name, 24) for name in matrix.columns]
    axes.set_xticks(range(wide), names, rotation=90, color=INK)
    axes.set_yticks(range(tall), [text_of(row[0].label) for row in matrix.rows], color=INK)
    axes.xaxis.tick_top()
    simplify_axes(axes, grid="none")
    if not matrix.has_numbers:
        axes.tick_params(labelsize=6)
    drawing.note_omitted(made, tall, _clusters(contents))
    return drawing.png_of(made)


def _clusters(contents: ReportContents) -> int:
    return len(contents.truth.cluster_ids) if contents.truth else 0


def _cell(axes: Axes, x: int, y: int, cell: tables.MatrixCell, *, has_number: bool) -> None:
    from matplotlib.patches import Rectangle

    if has_number and cell.count:
        colour = "white" if cell.share > 0.6 else INK
        axes.text(x, y, f"{cell.count:,}", ha="center", va="center", fontsize=8, color=colour)
    if cell.is_matched:
        outline = Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=1.2)
        axes.add_patch(outline)


def _ramp() -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("share", ["white", ACCENT])


def _colour(contents: ReportContents, part: charts.PieSlice) -> str:
    if part.class_ is None or contents.truth is None:
        return NEUTRAL
    named = tables.class_names(contents)[contents.truth.classes[part.class_]]
    return colour_of(named.sign, class_tints())


def _head(contents: ReportContents, mix: tables.MixLine) -> str:
    """The most frequent class of a cluster and its share."""
    first = mix.parts[0]
    if contents.truth is None or first.class_ is None:
        return ""
    return f"{percent(first.share)} {text_of(contents.truth.classes[first.class_], 20)}"


def _key(contents: ReportContents, mixes: tuple[tables.MixLine, ...], made: Figure) -> None:
    """A legend of the classes, cut to the most frequent."""
    from matplotlib.patches import Patch

    shown = {part.class_ for mix in mixes for part in mix.parts}
    classes = contents.truth.classes if contents.truth else ()
    names = tables.class_names(contents)
    entries = [
        Patch(color=colour_of(names[name].sign, class_tints()), label=text_of(name))
        for name in names
        if name in classes and classes.index(name) in shown
    ]
    more = len(entries) - _MOST_IN_KEY
    if more > 0:
        entries = [*entries[:_MOST_IN_KEY], Patch(alpha=0, label=f"and {more} more")]
    if None in shown:
        entries.append(Patch(color=NEUTRAL, label="all others"))
    made.legend(handles=entries, loc="outside right upper", frameon=False, fontsize=9)
