"""Embedders and algorithms compared: the values, and the plots that show them.

matplotlib is used through its objects: nothing here knows of a display, or is kept between calls.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from organizer.report.drawing import SOFTWARE
from organizer.report.folder import write_pngs

TITLES: Mapping[str, str] = {
    "silhouette": "silhouette",
    "davies_bouldin": "Davies-Bouldin",
    "calinski_harabasz": "Calinski-Harabasz",
    "inertia": "inertia",
    "purity": "purity",
    "nmi": "NMI",
    "ami": "AMI",
    "ari": "ARI",
    "acc": "ACC",
    "fmi": "FMI",
    "jaccard": "JC",
    "homogeneity": "homogeneity",
    "completeness": "completeness",
    "bcubed_precision": "BCubed precision",
    "bcubed_recall": "BCubed recall",
    "bcubed_f1": "BCubed F1",
}
"""Names of scores and what a person reads; those after the inertia need truth."""

_DRAWN = ("nmi", "ari", "purity", "silhouette", "davies_bouldin", "inertia")
_NAMES = re.compile(rf"(?:{'|'.join(_DRAWN)})-(?:by-k|heat-map)\.png")

_LINES = ("-o", "--s", "-.^", ":D", "-v", "--P", "-.X", ":*")
_COLOURS = (  # Okabe and Ito: told apart by colour-blind readers
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#7F7F7F",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """One clustering of a cell.

    Attributes:
        seed: Of the algorithm.
        found: Clusters that there are.
        noise: Images in none.
        scores: By name, those of `TITLES` that are defined for it.
    """

    seed: int
    found: int
    noise: int
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ComparisonCell:
    """One embedder, space, algorithm and number of clusters, over its repeats.

    Attributes:
        embedder: Whose vectors these are.
        in_place_of: The embedders whose weights are missing and that it stands for.
        space: The reducer as it is typed.
        lengths: "unit" where vectors have length one, "kept" where they are as they came.
        algorithm: The clusterer's name.
        k: Clusters asked for; None for an algorithm that finds its own number.
        seeded: Whether the algorithm draws; one that does not runs once.
        images: Images that were clustered.
        runs: What was done of it.
        refused: Why it was not done; empty where it was.
    """

    embedder: str
    in_place_of: tuple[str, ...]
    space: str
    lengths: str
    algorithm: str
    k: int | None
    seeded: bool
    images: int
    runs: tuple[ScoredRun, ...] = ()
    refused: str = ""

    @property
    def source(self) -> str:
        """The embedder, and for whom it stands."""
        stands = f" (for {', '.join(self.in_place_of)})" if self.in_place_of else ""
        return f"{self.embedder}{stands}"

    @property
    def name(self) -> str:
        """All that makes the cell, on one line."""
        lengths = "" if self.lengths == "unit" else ", lengths kept"
        number = "" if self.k is None else f", k = {self.k}"
        return f"{self.source}, {self.space}{lengths}, {self.algorithm}{number}"

    def values(self, score: str) -> list[float]:
        """A score of each run for which it is defined."""
        return [run.scores[score] for run in self.runs if score in run.scores]

    def mean(self, score: str) -> float | None:
        """The mean over the runs; None where no run has it."""
        values = self.values(score)
        return fmean(values) if values else None

    def deviation(self, score: str) -> float | None:
        """The sample standard deviation over the runs; None of fewer than two."""
        values = self.values(score)
        return stdev(values) if len(values) > 1 else None

    @property
    def found(self) -> float | None:
        """Mean number of clusters found."""
        return fmean(run.found for run in self.runs) if self.runs else None

    @property
    def noise(self) -> float:
        """Mean number of images in no cluster."""
        return fmean(run.noise for run in self.runs) if self.runs else 0.0


@dataclass(frozen=True, slots=True)
class ClusterSample:
    """One cluster of a run.

    Attributes:
        number: Its label.
        count: Its images.
        silhouette: Their mean; None where it is not defined.
        parts: Images of each class, of those that have a label.
        rows: Its most typical images, the most typical first, by their place among all.
        samples: A file of each of these.
    """

    number: int
    count: int
    silhouette: float | None
    parts: Mapping[str, int]
    rows: tuple[int, ...]
    samples: tuple[Path, ...]

    @property
    def majority(self) -> str | None:
        """The most frequent class; of equally frequent ones the first by name."""
        return min(self.parts, key=lambda name: (-self.parts[name], name), default=None)

    @property
    def share(self) -> float | None:
        """Share of the most frequent class, of the images that have a label."""
        total = sum(self.parts.values())
        return max(self.parts.values()) / total if total else None


@dataclass(frozen=True, slots=True)
class ComparisonVerdict:
    """The best, by a rule.

    Attributes:
        rule: The rule, one line.
        best: The best cell; None where the rule names none.
        lines: What it says, a line each.
    """

    rule: str
    best: ComparisonCell | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A grid of embedders, spaces, algorithms and numbers of clusters.

    Attributes:
        images: Images that were compared.
        labelled: Of these, how many have a label.
        classes: Their classes.
        seed: Of the first repeat.
        repeats: Runs of each cell whose algorithm draws.
        cells: In the order of the grid.
        verdict: The best.
        remarks: What a reader has to know, a line each.
        computed: Runs that were done now.
        kept: Runs that had been done before.
        interrupted: Whether it was stopped before its end.
    """

    images: int
    labelled: int
    classes: int
    seed: int
    repeats: int
    cells: tuple[ComparisonCell, ...]
    verdict: ComparisonVerdict
    remarks: tuple[str, ...]
    computed: int
    kept: int
    interrupted: bool = field(default=False)

    @property
    def scores(self) -> list[str]:
        """The scores that any cell has."""
        return [name for name in TITLES if any(cell.values(name) for cell in self.cells)]


def write_comparison_plots(comparison: Comparison, folder: Path) -> tuple[Path, ...]:
    """Score against k and the heat maps, as PNG files.

    Plots of an earlier comparison are replaced, and those that would now be stale are taken away;
    no other file is touched.

    Args:
        comparison: What to show.
        folder: Where to; made if it is not there.

    Returns:
        The files.

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
    """A score against k: a panel an algorithm, a line an embedder and space, bars of one deviation.

    Algorithms that find their own number are points at the number they found.
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
    """A score by embedder and algorithm: the best mean over the numbers of clusters.

    Without truth the colours are those of a row: silhouettes of different vectors cannot be
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
                axes.text(column, row, _told(cell, score), ha="center", va="center",
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


def _told(cell: ComparisonCell, score: str) -> str:
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
