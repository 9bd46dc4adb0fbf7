"""The verdict of a comparison: which cell is the best, by a rule that is stated."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from organizer.evaluate.external import against_truth
from organizer.report.comparison import ComparisonCell, ComparisonVerdict
from organizer.types import Labels

_WITH_TRUTH = "the largest mean NMI; those within one standard deviation of it are named"
_WITHOUT = (
    "without labels: for each embedder the largest mean silhouette, an image in no cluster "
    "counting as 0; silhouettes of different vectors cannot be compared, so of the embedders none "
    "is called the best"
)
_OF_ONE = (
    "without labels: the largest mean silhouette, an image in no cluster counting as 0; those "
    "within one standard deviation of it are named"
)
_NAMED = 5


def find_verdict(
    cells: Sequence[ComparisonCell], labels_of: Callable[[ComparisonCell], Labels]
) -> ComparisonVerdict:
    """Find the best of some cells.

    With labels it is the one with the largest mean NMI. Without them a silhouette shows which
    algorithm and k suit an embedder's vectors, but silhouettes of vectors of different dimensions
    cannot be compared: the best of each embedder is named, with its agreement (ARI) with those of
    the others, which is high for groups that several kinds of vectors show.

    Args:
        cells: The cells.
        labels_of: Gives the labels of a cell's first run.
    """
    with_truth = [cell for cell in cells if cell.values("nmi")]
    if with_truth:
        return _best(with_truth, "nmi", _WITH_TRUTH)
    done = [cell for cell in cells if _covered(cell) is not None]
    groups: dict[tuple[str, str], list[ComparisonCell]] = {}
    for cell in done:
        groups.setdefault((cell.embedder, cell.lengths), []).append(cell)
    if not groups:
        return ComparisonVerdict(_WITHOUT, None, ("no clustering has a score",))
    if len(groups) == 1:
        return _best(done, "silhouette", _OF_ONE)
    best = [max(group, key=_by_silhouette) for group in groups.values()]
    lines = [f"best of {cell.source}: {_silhouette_text(cell)}" for cell in best]
    lines += _agreement(best, labels_of)
    return ComparisonVerdict(_WITHOUT, None, tuple(lines))


def difference_rate(values: Sequence[float]) -> float | None:
    """The index difference rate: standard deviation over mean of an index across features.

    Small is robust. Equation 19 of the feature-weak-relevant method, whose tables divide by n - 1.
    """
    mean = float(np.mean(values)) if len(values) > 1 else 0.0
    return float(np.std(values, ddof=1)) / mean if mean else None


def cell_text(cell: ComparisonCell, score: str, digits: int = 3) -> str:
    """Mean and standard deviation of a score; a dash where there is none."""
    mean, deviation = cell.mean(score), cell.deviation(score)
    if mean is None:
        return "-"
    spread = "" if deviation is None else f" ± {deviation:.{digits}f}"
    return f"{mean:.{digits}f}{spread}"


def _best(cells: Sequence[ComparisonCell], score: str, rule: str) -> ComparisonVerdict:
    title = "NMI" if score == "nmi" else "silhouette"

    def value(cell: ComparisonCell) -> float:
        found = cell.mean(score) if score == "nmi" else _covered(cell)
        return -1.0 if found is None else found

    order = sorted(cells, key=lambda cell: -value(cell))
    first = order[0]
    equal = [
        cell
        for cell in order[1:]
        if value(first) - value(cell) <= max(_spread(first, score), _spread(cell, score))
    ]
    what = cell_text(first, score) if score == "nmi" else _silhouette_text(first, named=False)
    label = f"{title} {what}" if score == "nmi" else what
    lines = [f"best: {first.name}, because its {label} is the largest of {len(cells)}"]
    if equal:
        names = "; ".join(f"{cell.name} ({cell_text(cell, score)})" for cell in equal[:_NAMED])
        more = f"; and {len(equal) - _NAMED} more" if len(equal) > _NAMED else ""
        lines.append(f"within one standard deviation of it: {names}{more}")
    return ComparisonVerdict(rule, first, tuple(lines))


def _spread(cell: ComparisonCell, score: str) -> float:
    return cell.deviation(score) or 0.0


def _covered(cell: ComparisonCell) -> float | None:
    """The mean silhouette, an image in no cluster counting as 0."""
    mean = cell.mean("silhouette")
    if mean is None:
        return None
    n = len(cell.runs)
    total = [run for run in cell.runs if "silhouette" in run.scores]
    return mean * (1 - _noise_share(cell)) * len(total) / n


def _noise_share(cell: ComparisonCell) -> float:
    return cell.noise / cell.images if cell.images else 0.0


def _by_silhouette(cell: ComparisonCell) -> float:
    return _covered(cell) or 0.0


def _silhouette_text(cell: ComparisonCell, *, named: bool = True) -> str:
    share = _noise_share(cell)
    outside = f", {share:.0%} of the images in no cluster" if share else ""
    text = f"silhouette {cell_text(cell, 'silhouette')}{outside}"
    return f"{cell.name} ({text})" if named else text


def _agreement(
    best: Sequence[ComparisonCell], labels_of: Callable[[ComparisonCell], Labels]
) -> list[str]:
    labels = [labels_of(cell) for cell in best]
    lines = []
    for row, cell in enumerate(best):
        others = [
            against_truth(labels[row], [str(label) for label in labels[other]]).ari
            for other in range(len(best))
            if other != row
        ]
        lines.append(f"{cell.source} agrees with the others' best by {np.mean(others):.3f} (ARI)")
    return lines
