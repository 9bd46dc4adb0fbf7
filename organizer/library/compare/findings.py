"""What a recipe finds besides the scores of its cells: elbow, clusters, index difference rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from organizer import registry
from organizer.cluster.evidence import elbow
from organizer.evaluate.external import against_truth
from organizer.evaluate.internal import silhouette
from organizer.library import embedders
from organizer.library.compare.preparing import vectors_of
from organizer.library.compare.ranking import difference_rate
from organizer.library.compare.recipes import Published, Recipe
from organizer.library.compare.running import Compared
from organizer.report.comparison import Cell, Made
from organizer.store import Store
from organizer.types import Labels, Vectors

_SAMPLES = 10
_OF_RATES = ("jaccard", "fmi", "nmi", "ari", "acc")


@dataclass(frozen=True, slots=True)
class Beside:
    """A published figure and the cell that stands for it here; None where there is none."""

    published: Published
    cell: Cell | None


@dataclass(frozen=True, slots=True)
class RateFound:
    """An index difference rate: here, and as it was published for as many clusters, or None.

    Attributes:
        algorithm: The clusterer.
        score: The index.
        features: Of which features.
        value: The rate; None where the mean of the index is 0.
        published: The same in the source, for its images.
        on: The images of the source.
    """

    algorithm: str
    score: str
    features: tuple[str, ...]
    value: float | None
    published: float | None
    on: str


@dataclass(frozen=True, slots=True)
class Elbow:
    """Where the inertia of a feature bends."""

    source: str
    k: int
    inertias: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Clusters:
    """The clusters of a cell's first run.

    Attributes:
        cell: The cell.
        made: Its clusters, the largest first.
        vectors: ``(n, dim)`` of all images, as they were scored.
    """

    cell: Cell
    made: tuple[Made, ...]
    vectors: Vectors = field(repr=False, compare=False)

    @property
    def mean_share(self) -> float | None:
        """The mean over the clusters of the share of their most frequent class."""
        shares = [made.share for made in self.made if made.share is not None]
        return float(np.mean(shares)) if shares else None


@dataclass(frozen=True, slots=True)
class Findings:
    """All that belongs to a recipe besides the grid."""

    beside: tuple[Beside, ...]
    elbows: tuple[Elbow, ...]
    clusters: tuple[Clusters, ...]
    rates: tuple[RateFound, ...]


def findings_of(store: Store, recipe: Recipe, compared: Compared) -> Findings:
    """What a recipe finds.

    Args:
        store: The library.
        recipe: The recipe.
        compared: What its plan gave.
    """
    cells = compared.comparison.cells
    elbows = tuple(_elbows(cells)) if recipe.elbow else ()
    ks = {*recipe.clusters, *(found.k for found in elbows if recipe.clusters)} - {1}
    shown = [cell for cell in cells if cell.runs and (cell.k in ks or recipe.map_method)]
    return Findings(
        tuple(Beside(figure, _standing_for(figure, cells)) for figure in recipe.published),
        elbows,
        tuple(_clusters(store, compared, cell) for cell in shown),
        tuple(_rates(recipe, cells)) if recipe.rates else (),
    )


def _standing_for(figure: Published, cells: Sequence[Cell]) -> Cell | None:
    return next((cell for cell in cells if cell.runs and _matches(figure, cell)), None)


def _matches(figure: Published, cell: Cell) -> bool:
    name = registry.canonical(embedders.GROUP, figure.embedder)
    who = name == cell.embedder or figure.embedder in cell.in_place_of
    where = (figure.space, figure.algorithm, figure.k) == (cell.space, cell.algorithm, cell.k)
    return who and where


def _elbows(cells: Sequence[Cell]) -> Iterator[Elbow]:
    for source in dict.fromkeys(cell.source for cell in cells):
        mine = [cell for cell in cells if cell.source == source and cell.values("inertia")]
        curve = [(cell.k, cell.mean("inertia")) for cell in mine]
        known = [(k, inertia) for k, inertia in curve if k is not None and inertia is not None]
        if len(known) > 2:
            ks, inertias = zip(*known, strict=True)
            yield Elbow(source, elbow(ks, inertias), tuple(known))


def _clusters(store: Store, compared: Compared, cell: Cell) -> Clusters:
    spec = embedders.required_spec(store, cell.embedder)
    vectors = vectors_of(store, spec, compared.image_ids, kept=cell.lengths == "kept")
    return Clusters(cell, tuple(_made(store, compared, cell, vectors)), vectors)


def _made(store: Store, compared: Compared, cell: Cell, vectors: Vectors) -> Iterator[Made]:
    """The clusters of a cell's first run, the largest first."""
    labels = compared.labels_of(cell)
    found = silhouette(vectors, labels)
    each = found.per_cluster if found else {}
    known = compared.known
    inside = labels[known.rows]
    truth = against_truth(inside, known.truth) if len(known.rows) else None
    counts = np.bincount(labels[labels >= 0])
    for number in np.argsort(-counts, kind="stable").tolist():
        members = np.flatnonzero(labels == number)
        parts: dict[str, int] = {}
        if truth is not None and number in truth.cluster_ids:
            row = truth.table[truth.cluster_ids.index(number)]
            parts = {n: int(c) for n, c in zip(truth.classes, row, strict=True) if c}
        rows = _typical(vectors, members)
        files = store.photos.files_of(compared.image_ids[row] for row in rows)
        yield Made(
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


def _rates(recipe: Recipe, cells: Sequence[Cell]) -> Iterator[RateFound]:
    """Of all features, and without raw pixels as the source has them on all sets but one."""
    for algorithm in dict.fromkeys(cell.algorithm for cell in cells):
        mine = [cell for cell in cells if cell.algorithm == algorithm and cell.runs]
        reduced = [cell for cell in mine if (cell.embedder, cell.space) != ("raw", "none")]
        for chosen in (mine, reduced) if len(reduced) < len(mine) else (mine,):
            for score in _OF_RATES:
                yield _rate(recipe, chosen, algorithm, score, whole=chosen is mine)


def _rate(
    recipe: Recipe, cells: Sequence[Cell], algorithm: str, score: str, *, whole: bool
) -> RateFound:
    means = [mean for cell in cells if (mean := cell.mean(score)) is not None]
    k = cells[0].k if cells else None
    names = tuple(cell.embedder if cell.space == "none" else f"{cell.embedder} {cell.space}"
                  for cell in cells)  # fmt: skip
    published = next(
        (
            rate
            for rate in recipe.rates
            if (rate.score, rate.k) == (score, k)
            and algorithm == "kmeans"
            and rate.with_raw == whole
        ),
        None,
    )
    return RateFound(
        algorithm,
        score,
        names,
        difference_rate(means),
        published.value if published else None,
        published.on if published else "",
    )
