"""Draws a comparison: scores against k, and heat maps.

matplotlib's objects are used without pyplot: no display, and no state between calls.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from organizer.report.comparison import TITLES, Comparison, ComparisonCell
from organizer.report.drawing import SOFTWARE
from organizer.report.folder import write_pngs

_DRAWN = ("nmi", "ari", "purity", "silhouette", "davies_bouldin", "inertia")
_NAMES = re.compile(rf"(?:{'|'.join(_DRAWN)})-(?:by-k|heat-map)\.png")

_LINES = ("-o", "--s", "-.^", ":D", "-v", "--P", "-.X", ":*")
_COLOURS = (  # Okabe and Ito: safe for colour-blind readers
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#7F7F7F",
)  # fmt: skip


def write_comparison_plots(comparison: Comparison, folder: Path) -> tuple[Path, ...]:
    """Write plots of scores against k and heat maps, as PNG files.

    Plots of an earlier comparison are replaced or removed; no other file is touched.

    Args:
        comparison: The comparison.
        folder: Where; created if it does not exist.

    Returns:
        The files that were written.

    Raises:
        SettingsError: See `organizer.report.folder.write_pngs`.
    """
    scores = [name for name in _DRAWN if name in comparison.scores]
    drawn = {
        f"{score}-by-k": curves(comparison.cells, score)
        for score in scores
        if any(cell.k is not None and cell.values(score) for cell in comparison.cells)
    }
    score = "nmi" if comparison.labelled else "silhouette"
    if score in comparison.scores:
        drawn[f"{score}-heat-map"] = heat_map(comparison.cells, score)
    pngs = ((f"{name}.png", _png_of(figure)) for name, figure in drawn.items())
    return write_pngs(pngs, folder, names=_NAMES)


def curves(cells: Sequence[ComparisonCell], score: str) -> Any:
    """Plot a score against k: a panel per algorithm, a line per embedder and space.

    Error bars are one standard deviation. Algorithms that find their own number of clusters are
    points at the number they found.
    """
    from matplotlib.figure import Figure

    shown = [cell for cell in cells if cell.values(score)]
    algorithms = _in_order(cell.algorithm for cell in shown)
    features = _in_order(_feature(cell) for cell in shown)
    figure = Figure(figsize=(4.2 * len(algorithms) + 1.2, 4.4), layout="constrained")
    panels = figure.subplots(1, len(algorithms), sharey=True, squeeze=False)[0]
    for panel, algorithm in zip(panels, algorithms, strict=True):
        for number, feature in enumerate(features):
            mine = [c for c in shown if c.algorithm == algorithm and _feature(c) == feature]
            _line(panel, mine, score, number, feature)
        panel.set_title(algorithm)
        panel.set_xlabel("clusters")
        panel.grid(alpha=0.3)
        panel.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    panels[0].set_ylabel(TITLES[score])
    handles: dict[str, Any] = {}
    for panel in panels:
        shapes, labels = panel.get_legend_handles_labels()
        handles.update(zip(labels, shapes, strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", fontsize="small")
    return figure


def heat_map(cells: Sequence[ComparisonCell], score: str) -> Any:
    """Plot the best mean of a score over k, by embedder and algorithm.

    Colours of silhouettes are scaled by row, because silhouettes of different vectors cannot be
    compared.
    """
    import numpy as np
    from matplotlib.figure import Figure

    shown = [cell for cell in cells if cell.values(score)]
    algorithms = _in_order(cell.algorithm for cell in shown)
    features = _in_order(_feature(cell) for cell in shown)
    best = {(f, a): _best(shown, f, a, score) for f in features for a in algorithms}
    means = np.array(
        [[np.nan if (cell := best[f, a]) is None else cell.mean(score) for a in algorithms]
         for f in features], dtype=float)  # fmt: skip
    shades = _by_row(means) if score == "silhouette" else means
    names = max(map(len, features), default=0)
    size = (max(5.0, 1.0 + 0.085 * names + 1.4 * len(algorithms)), 1.4 + 0.6 * len(features))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    picture: Any = axes.imshow(np.ma.masked_invalid(shades), cmap="viridis", aspect="auto")
    axes.set_xticks(range(len(algorithms)), algorithms)
    axes.set_yticks(range(len(features)), features)
    rows = " (shades within each row)" if score == "silhouette" else ""
    figure.suptitle(f"{TITLES[score]}, best mean over k{rows}", fontsize="medium")
    for row, feature in enumerate(features):
        for column, algorithm in enumerate(algorithms):
            cell = best[feature, algorithm]
            if cell is not None:
                colour = "black" if picture.norm(shades[row, column]) > 0.5 else "white"
                axes.text(column, row, _cell_text(cell, score), ha="center", va="center",
                          color=colour, fontsize="small")  # fmt: skip
    return figure


def _line(panel: Any, cells: Sequence[ComparisonCell], score: str, number: int, label: str) -> None:
    pairs = [(cell.found if cell.k is None else cell.k, cell) for cell in cells]
    pairs.sort(key=lambda pair: pair[0] or 0)
    if pairs:
        panel.errorbar(
            [k for k, _ in pairs],
            [cell.mean(score) for _, cell in pairs],
            yerr=[cell.deviation(score) or 0.0 for _, cell in pairs],
            fmt=_LINES[number % len(_LINES)],
            color=_COLOURS[number % len(_COLOURS)],
            capsize=2,
            markersize=4,
            label=label,
        )


def _cell_text(cell: ComparisonCell, score: str) -> str:
    number = "" if cell.k is None else f"\nk = {cell.k}"
    return f"{cell.mean(score):.3f}{number}"


def _best(
    cells: Iterable[ComparisonCell], feature: str, algorithm: str, score: str
) -> ComparisonCell | None:
    mine = [c for c in cells if _feature(c) == feature and c.algorithm == algorithm]
    return max(mine, key=lambda cell: cell.mean(score) or 0.0, default=None)


def _by_row(means: Any) -> Any:
    import numpy as np

    low = np.nanmin(means, axis=1, keepdims=True)
    spread = np.nanmax(means, axis=1, keepdims=True) - low
    return (means - low) / np.where(spread > 0, spread, 1)


def _feature(cell: ComparisonCell) -> str:
    lengths = "" if cell.lengths == "unit" else ", lengths kept"
    return f"{cell.source}, {cell.space}{lengths}"


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _png_of(figure: Any) -> bytes:
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=120, metadata={"Software": SOFTWARE})
    return held.getvalue()
