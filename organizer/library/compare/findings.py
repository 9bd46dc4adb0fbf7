"""The findings of a recipe besides scores: elbow, example clusters, index difference rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from organizer import registry
from organizer.cluster.evidence import elbow
from organizer.evaluate.external import against_truth
from organizer.evaluate.internal import silhouette
from organizer.library import embedders
from organizer.library.compare.recipe import PublishedFigure, Recipe
from organizer.library.compare.run import ComparisonResult
from organizer.library.compare.vectors import comparison_vectors
from organizer.library.compare.verdict import difference_rate
from organizer.report.comparison import ClusterSample, ComparisonCell
from organizer.store import Store
from organizer.types import Labels, Vectors

_SAMPLES = 10
_OF_RATES = ("jaccard", "fmi", "nmi", "ari", "acc")


@dataclass(frozen=True, slots=True)
class FigureComparison:
    """A published score and the cell of the same setting here; None where there is none."""

    published: PublishedFigure
    cell: ComparisonCell | None


@dataclass(frozen=True, slots=True)
class MeasuredRate:
    """An index difference rate as it was measured, and as it was published.

    Attributes:
        algorithm: Name of the clusterer.
        score: Name of the index.
        features: The features that it is measured across.
        value: The rate; None where the mean of the index is 0.
        published: The rate of the source for as many clusters; None where there is none.
        on: The images of the source.
    """

    algorithm: str
    score: str
    features: tuple[str, ...]
    value: float | None
    published: float | None
    on: str


@dataclass(frozen=True, slots=True)
class ElbowFinding:
    """The elbow of a feature's inertia over k."""

    source: str
    k: int
    inertias: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class ClusteringExample:
    """The clusters of a cell's first run.

    Attributes:
        cell: The cell.
        made: Its clusters, the largest first.
        vectors: ``(n, dim)`` of all images, as they were scored.
    """

    cell: ComparisonCell
    made: tuple[ClusterSample, ...]
    vectors: Vectors = field(repr=False, compare=False)

    @property
    def mean_share(self) -> float | None:
        """The mean over the clusters of the share of their most frequent class."""
        shares = [made.share for made in self.made if made.share is not None]
        return float(np.mean(shares)) if shares else None


@dataclass(frozen=True, slots=True)
class RecipeFindings:
    """The findings of a recipe besides the scores of its grid.

    Attributes:
        beside: The published scores beside those here.
        elbows: The elbow of each feature, where the recipe reads k off it.
        clusters: The clusters that the recipe shows.
        rates: The index difference rates.
    """

    beside: tuple[FigureComparison, ...]
    elbows: tuple[ElbowFinding, ...]
    clusters: tuple[ClusteringExample, ...]
    rates: tuple[MeasuredRate, ...]


def recipe_findings(store: Store, recipe: Recipe, compared: ComparisonResult) -> RecipeFindings:
    """Collect the findings of a recipe.

    Args:
        store: The library.
        recipe: The recipe.
        compared: The result of its plan.
    """
    cells = compared.comparison.cells
    elbows = tuple(_elbows(cells)) if recipe.elbow else ()
    ks = {*recipe.clusters, *(found.k for found in elbows if recipe.clusters)} - {1}
    shown = [cell for cell in cells if cell.runs and (cell.k in ks or recipe.map_method)]
    return RecipeFindings(
        tuple(
            FigureComparison(figure, _matching_cell(figure, cells)) for figure in recipe.published
        ),
        elbows,
        tuple(_clusters(store, compared, cell) for cell in shown),
        tuple(_rates(recipe, cells)) if recipe.rates else (),
    )


def _matching_cell(
    figure: PublishedFigure, cells: Sequence[ComparisonCell]
) -> ComparisonCell | None:
    return next((cell for cell in cells if cell.runs and _matches(figure, cell)), None)


def _matches(figure: PublishedFigure, cell: ComparisonCell) -> bool:
    name = registry.canonical_name(embedders.EMBEDDERS, figure.embedder)
    same_embedder = name == cell.embedder or figure.embedder in cell.in_place_of
    setting = (figure.space, figure.algorithm, figure.k)
    return same_embedder and setting == (cell.space, cell.algorithm, cell.k)


def _elbows(cells: Sequence[ComparisonCell]) -> Iterator[ElbowFinding]:
    for source in dict.fromkeys(cell.source for cell in cells):
        mine = [cell for cell in cells if cell.source == source and cell.values("inertia")]
        curve = [(cell.k, cell.mean("inertia")) for cell in mine]
        known = [(k, inertia) for k, inertia in curve if k is not None and inertia is not None]
        if len(known) > 2:
            ks, inertias = zip(*known, strict=True)
            yield ElbowFinding(source, elbow(ks, inertias), tuple(known))


def _clusters(store: Store, compared: ComparisonResult, cell: ComparisonCell) -> ClusteringExample:
    spec = embedders.require_spec(store, cell.embedder)
    vectors = comparison_vectors(store, spec, compared.image_ids, kept=cell.lengths == "kept")
    return ClusteringExample(cell, tuple(_made(store, compared, cell, vectors)), vectors)


def _made(
    store: Store, compared: ComparisonResult, cell: ComparisonCell, vectors: Vectors
) -> Iterator[ClusterSample]:
    """The clusters of a cell's first run, the largest first."""
    labels = compared.labels_of(cell)
    found = silhouette(vectors, labels)
    each = found.per_cluster if found else {}
    known = compared.known
    truth = against_truth(labels[known.rows], known.truth) if len(known.rows) else None
    counts = np.bincount(labels[labels >= 0])
    for number in np.argsort(-counts, kind="stable").tolist():
        members = np.flatnonzero(labels == number)
        parts: dict[str, int] = {}
        if truth is not None and number in truth.cluster_ids:
            row = truth.table[truth.cluster_ids.index(number)]
            parts = {n: int(c) for n, c in zip(truth.classes, row, strict=True) if c}
        rows = _typical(vectors, members)
        files = store.photos.files_of(compared.image_ids[row] for row in rows)
        yield ClusterSample(
            number=number,
            count=len(members),
            silhouette=each.get(number),
            parts=parts,
            rows=rows,
            samples=tuple(
                files[compared.image_ids[row]][0].file
                for row in rows
                if compared.image_ids[row] in files
            ),
        )


def _typical(vectors: Vectors, members: Labels) -> tuple[int, ...]:
    """The members nearest to their mean, the nearest first."""
    mean = vectors[members].mean(axis=0, dtype=np.float64)
    order = np.argsort(((vectors[members] - mean) ** 2).sum(axis=1), kind="stable")
    return tuple(members[order[:_SAMPLES]].tolist())


def _rates(recipe: Recipe, cells: Sequence[ComparisonCell]) -> Iterator[MeasuredRate]:
    """The rates across all features, and without raw pixels as in most of the source."""
    for algorithm in dict.fromkeys(cell.algorithm for cell in cells):
        mine = [cell for cell in cells if cell.algorithm == algorithm and cell.runs]
        reduced = [cell for cell in mine if (cell.embedder, cell.space) != ("raw", "none")]
        for chosen in (mine, reduced) if len(reduced) < len(mine) else (mine,):
            if len(chosen) < 2:  # of one feature nothing differs
                continue
            for score in _OF_RATES:
                yield _rate(recipe, chosen, algorithm, score, with_raw=chosen is mine)


def _rate(
    recipe: Recipe, cells: Sequence[ComparisonCell], algorithm: str, score: str, *, with_raw: bool
) -> MeasuredRate:
    means = [mean for cell in cells if (mean := cell.mean(score)) is not None]
    k = cells[0].k if cells else None
    names = tuple(cell.embedder if cell.space == "none" else f"{cell.embedder} {cell.space}"
                  for cell in cells)  # fmt: skip
    published = next(
        (
            rate
            for rate in recipe.rates
            if (rate.score, rate.k) == (score, k)
            and rate.algorithm == algorithm
            and rate.with_raw == with_raw
        ),
        None,
    )
    return MeasuredRate(
        algorithm,
        score,
        names,
        difference_rate(means),
        published.value if published else None,
        published.on if published else "",
    )
