"""The results of a comparison of embedders, spaces, algorithms and numbers of clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev

TITLES: Mapping[str, str] = {
    "silhouette": "silhouette",
    "davies_bouldin": "Davies-Bouldin",
    "davies_bouldin_ratio": "Davies-Bouldin ratio",
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
"""The titles of scores by name; those after the inertia need truth."""


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """One clustering of a cell.

    Attributes:
        seed: The algorithm's seed.
        found: Number of clusters found.
        noise: Images in no cluster.
        scores: The scores of `TITLES` that are defined for it, by name.
        seconds: What the algorithm took when it ran.
        rounds: Of a training; None of other algorithms.
    """

    seed: int
    found: int
    noise: int
    scores: Mapping[str, float]
    seconds: float = field(compare=False, kw_only=True)
    rounds: int | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class ComparisonCell:
    """One embedder, space, algorithm and number of clusters, over its repeats.

    Attributes:
        embedder: The embedder of the vectors.
        in_place_of: The embedders that it replaces because their weights are missing.
        space: The reducer as it is typed.
        lengths: "unit" where vectors are normalised to length one, "kept" where they are not.
        algorithm: The clusterer's name.
        k: The requested number of clusters; None for an algorithm that finds its own.
        seeded: Whether the algorithm is random; one that is not runs once.
        images: Images that were clustered.
        runs: The finished runs.
        refused: Why it was not run; empty where it was.
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
        """The embedder, and those that it replaces."""
        replaced = f" (for {', '.join(self.in_place_of)})" if self.in_place_of else ""
        return f"{self.embedder}{replaced}"

    @property
    def name(self) -> str:
        """The cell on one line."""
        lengths = "" if self.lengths == "unit" else ", lengths kept"
        number = "" if self.k is None else f", k = {self.k}"
        return f"{self.source}, {self.space}{lengths}, {self.algorithm}{number}"

    def values(self, score: str) -> list[float]:
        """The values of a score, of the runs for which it is defined."""
        return [run.scores[score] for run in self.runs if score in run.scores]

    def mean(self, score: str) -> float | None:
        """The mean of a score over the runs; None where no run has it."""
        values = self.values(score)
        return fmean(values) if values else None

    def deviation(self, score: str) -> float | None:
        """The sample standard deviation over the runs; None for fewer than two."""
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

    @property
    def seconds(self) -> float | None:
        """Mean seconds that the algorithm took; None where it did not run."""
        return fmean(run.seconds for run in self.runs) if self.runs else None

    @property
    def rounds(self) -> float | None:
        """Mean number of rounds of a training; None of other algorithms."""
        rounds = [run.rounds for run in self.runs if run.rounds is not None]
        return fmean(rounds) if rounds else None


@dataclass(frozen=True, slots=True)
class ClusterSample:
    """One cluster of a run.

    Attributes:
        number: Its label.
        count: Its images.
        silhouette: Their mean silhouette; None where it is not defined.
        parts: Images of each class, of those that have a label.
        rows: The rows of its most typical images, the most typical first.
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
        """The most frequent class; on a tie the first by name."""
        return min(self.parts, key=lambda name: (-self.parts[name], name), default=None)

    @property
    def share(self) -> float | None:
        """The share of the most frequent class among the labelled images."""
        total = sum(self.parts.values())
        return max(self.parts.values()) / total if total else None


@dataclass(frozen=True, slots=True)
class ComparisonVerdict:
    """The best cell, by a rule.

    Attributes:
        rule: The rule, one line.
        best: The best cell; None where the rule selects none.
        lines: The verdict, as lines of text.
    """

    rule: str
    best: ComparisonCell | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A grid of embedders, spaces, algorithms and numbers of clusters.

    Attributes:
        images: Images that were compared.
        labelled: How many of these have a label.
        classes: The number of their classes.
        seed: The seed of the first repeat.
        repeats: Runs of each cell whose algorithm is random.
        cells: In the order of the grid.
        verdict: The best cell.
        remarks: Notes to the reader, one per line.
        computed: Runs that were computed by this call.
        kept: Runs that were kept from an earlier call.
        interrupted: Whether it was interrupted.
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
