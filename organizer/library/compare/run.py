"""The grid at work: every run is kept as soon as it is done."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from organizer import registry
from organizer.cluster.limits import require_within
from organizer.errors import ClusteringError, SettingsError
from organizer.evaluate.internal import METRIC
from organizer.library import embedders
from organizer.library.clustering.fit import CLUSTERERS
from organizer.library.compare.grid import CLASSES, ComparisonPlan, FeatureSpec
from organizer.library.compare.run_cache import CachedRun, RunCache
from organizer.library.compare.scores import (
    NOTHING_KNOWN,
    KnownTruth,
    in_title_order,
    read_known_truth,
    score_by_truth,
    score_by_vectors,
)
from organizer.library.compare.vectors import (
    Ingest,
    common_ids,
    comparison_vectors,
    embed_missing,
    reduced_points,
    with_substitutes,
)
from organizer.library.compare.verdict import find_verdict
from organizer.library.progress import Progress
from organizer.report.comparison import TITLES, Comparison, ComparisonCell, ScoredRun
from organizer.settings import Settings
from organizer.store import Store
from organizer.types import NOISE, Labels, PartSpec, Vectors

SEEDS_APART = 1_000
"""From one repeat to the next. K-means takes the numbers after its seed for its other starts: with
seeds that follow each other the repeats would share nine of ten starts, and hardly differ."""

KEPT_METRIC = "euclidean, on vectors of the length that the embedder gave them"

_LONGEST_COVARIANCE = 8_000
"""Dimensions beyond which a mixture's covariance and its factors take more than 2 GB."""


@dataclass(frozen=True, slots=True)
class ComparisonTask:
    """A cell to do.

    Attributes:
        cell: What it is, without its runs.
        feature: Its vectors.
        seeds: A run each.
    """

    cell: ComparisonCell
    feature: FeatureSpec
    seeds: tuple[int, ...]


@dataclass(slots=True)
class ComparisonResult:
    """What a comparison gave, with the labels behind it.

    Attributes:
        comparison: The result.
        image_ids: The images, in the order of all labels.
        known: Their truth.
        labels_of: The labels of a cell's first run.
    """

    comparison: Comparison
    image_ids: Sequence[str]
    known: KnownTruth
    labels_of: Callable[[ComparisonCell], Labels]


def run_comparison(
    store: Store,
    plan: ComparisonPlan,
    *,
    ingest: Ingest,
    settings: Settings,
    labels: str | None,
    below: Path,
    progress: Progress,
    stop: Callable[[], bool],
) -> ComparisonResult:
    """See `organizer.library.Library.compare`."""
    plan.check()
    if not store.photos.count_images():
        raise SettingsError("there are no images in this library", "organizer ingest FOLDER")
    names = [feature.embedder for grid in plan.grids for feature in grid.features]
    used = with_substitutes(store, names, plan.substitutes, settings)
    here = embed_missing(store, used.values(), ingest)
    seed = settings.seed
    if not here:
        return _nothing(plan, seed)
    return ComparisonRun(store, plan, used, labels, below, seed, progress, stop).run()


@dataclass
class ComparisonRun:
    """One comparison, from its beginning to its end.

    Attributes:
        store: The library; it has the vectors of all embedders of the plan.
        plan: What to compare.
        used: What is taken for each embedder of the plan.
        labels: Source of the truth, or None.
        below: What its relative path is relative to.
        seed: Of the first repeat, and of the spaces.
        progress: Told of each run.
        stop: Asked before each run.
    """

    store: Store
    plan: ComparisonPlan
    used: Mapping[str, str]
    labels: str | None
    below: Path
    seed: int
    progress: Progress
    stop: Callable[[], bool]
    _ledgers: dict[tuple[str, str, str, str], RunCache] = field(default_factory=dict, init=False)
    _computed: int = field(default=0, init=False)
    _kept: int = field(default=0, init=False)

    def run(self) -> ComparisonResult:
        """Do what is not done yet.

        Raises:
            SettingsError: The labels cannot be used.
            StoreError: A run cannot be kept.
        """
        tasks = list(self._tasks())
        self.progress.begin("comparing", sum(len(task.seeds) for task in tasks))
        cells: list[ComparisonCell] = []
        vectors = _Vectors(self, None)
        interrupted = False
        for task in tasks:
            if vectors.feature != task.feature:
                vectors = _Vectors(self, task.feature)  # one feature is held at a time
            cell = self._done(task, vectors)
            interrupted = not cell.refused and len(cell.runs) < len(task.seeds)
            if cell.runs or cell.refused:
                cells.append(cell)
            if interrupted:
                break
        return self._told(cells, interrupted=interrupted)

    @cached_property
    def image_ids(self) -> list[str]:
        """The images that all embedders have seen, sorted."""
        return self._common[0]

    @cached_property
    def known(self) -> KnownTruth:
        """The truth about them."""
        return read_known_truth(self.store, self.labels, self.below, self.image_ids)

    def spec(self, feature: FeatureSpec) -> PartSpec:
        """The embedder that is taken."""
        return embedders.require_spec(self.store, self.used[feature.embedder])

    def labels_of(self, cell: ComparisonCell) -> Labels:
        """The labels of the first run of a cell that was done."""
        key = (cell.embedder, cell.space, cell.lengths, cell.algorithm)
        entry = self._ledgers[key].get(cell.k, cell.runs[0].seed)
        assert entry is not None  # noqa: S101 - it was done
        return entry.labels

    @cached_property
    def _common(self) -> tuple[list[str], int]:
        return common_ids(self.store, dict.fromkeys(self.used.values()))

    @cached_property
    def _stands(self) -> dict[str, tuple[str, ...]]:
        """For each substitute the embedders for which it stands."""
        asked_of: dict[str, list[str]] = {}
        for asked, used in self.used.items():
            if registry.canonical_name(embedders.EMBEDDERS, asked) != used:
                asked_of.setdefault(used, []).append(asked)
        return {used: tuple(asked) for used, asked in asked_of.items()}

    def _tasks(self) -> Iterator[ComparisonTask]:
        """The cells of the plan; those that two substituted embedders share are one."""
        seeds = tuple(self.seed + SEEDS_APART * number for number in range(self.plan.repeats))
        seen: set[ComparisonCell] = set()
        for grid in self.plan.grids:
            if grid.ks == CLASSES and not self.known.classes:
                raise SettingsError(
                    "as many clusters as classes: there are no labels", "--labels folders"
                )
            for feature, algorithm, k in grid.rows(self.known.classes):
                name = self.used[feature.embedder]
                stands = self._stands.get(name, ())
                seeded = "random_state" in _parameters(algorithm)
                made = (feature.space, feature.lengths, algorithm, k, seeded)
                cell = ComparisonCell(name, stands, *made, images=len(self.image_ids))
                if cell not in seen:
                    seen.add(cell)
                    yield ComparisonTask(cell, feature, seeds if seeded else seeds[:1])

    def _done(self, task: ComparisonTask, vectors: _Vectors) -> ComparisonCell:
        """The cell with its runs; with fewer than it should have where it was stopped."""
        runs: list[ScoredRun] = []
        try:
            for run in self._runs(task, vectors):
                runs.append(run)
                self.progress.advance()
        except ClusteringError as error:
            self.progress.advance(len(task.seeds) - len(runs))
            return replace(task.cell, runs=tuple(runs), refused=error.message)
        return replace(task.cell, runs=tuple(runs))

    def _runs(self, task: ComparisonTask, vectors: _Vectors) -> Iterator[ScoredRun]:
        """The runs, from the ledger or done now, until it is stopped.

        Raises:
            ClusteringError: The images cannot be clustered so.
        """
        cell = task.cell
        require_within(
            registry.part_factory(CLUSTERERS, cell.algorithm), cell.algorithm, cell.images
        )
        if cell.k is not None and cell.k > cell.images:
            raise ClusteringError(f"{cell.images:,} images cannot make {cell.k} clusters")
        ledger = self._ledger(cell, task.feature)
        for seed in task.seeds:
            entry = ledger.get(cell.k, seed)
            if entry is not None:
                self._kept += 1
            elif self.stop():
                return
            else:
                entry = self._computed_entry(cell, seed, vectors)
                ledger.add(cell.k, seed, entry)
                self._computed += 1
            yield _run(entry, seed, self.known)

    def _computed_entry(self, cell: ComparisonCell, seed: int, vectors: _Vectors) -> CachedRun:
        _require_memory(cell, vectors)
        labels = fit_labels(
            cell.algorithm, vectors.points, cell.k, seed, kept=cell.lengths == "kept"
        )
        return CachedRun(labels, score_by_vectors(vectors.whole, labels, seed=self.seed))

    def _ledger(self, cell: ComparisonCell, feature: FeatureSpec) -> RunCache:
        key = (cell.embedder, cell.space, cell.lengths, cell.algorithm)
        if key not in self._ledgers:
            options = {"n_clusters": 2}
            clusterer, _ = registry.create_part(
                CLUSTERERS, PartSpec(cell.algorithm), options=options
            )
            about = {
                "embedder": self.spec(feature).to_json(),
                "reducer": feature.reducer.to_json(),
                "lengths": feature.lengths,
                "clusterer": clusterer.to_json(),
                "seed": self.seed,  # of the space, and of the silhouette's sample
            }
            self._ledgers[key] = RunCache.open(self.store.path, about, self.image_ids)
        return self._ledgers[key]

    def _told(self, cells: Sequence[ComparisonCell], *, interrupted: bool) -> ComparisonResult:
        comparison = Comparison(
            images=len(self.image_ids),
            labelled=len(self.known.rows),
            classes=self.known.classes,
            seed=self.seed,
            repeats=self.plan.repeats,
            cells=tuple(cells),
            verdict=find_verdict(cells, self.labels_of),
            remarks=tuple(self._remarks(cells)),
            computed=self._computed,
            kept=self._kept,
            interrupted=interrupted,
        )
        return ComparisonResult(comparison, self.image_ids, self.known, self.labels_of)

    def _remarks(self, cells: Sequence[ComparisonCell]) -> Iterator[str]:
        kept = any(cell.lengths == "kept" for cell in cells)
        yield (
            f"silhouette, Davies-Bouldin and inertia: {KEPT_METRIC if kept else METRIC}, "
            "before any reduction"
        )
        for used, asked in self._stands.items():
            yield f"{used} stands for {', '.join(asked)}, whose weights are not here"
        left_out = self._common[1]
        if left_out:
            yield f"{left_out:,} images are left out: an embedder has no vectors of them"
        if any(cell.noise for cell in cells):
            yield "images in no cluster count as one more cluster in the scores against truth"
        if any(not cell.seeded and cell.runs for cell in cells) and self.plan.repeats > 1:
            names = dict.fromkeys(cell.algorithm for cell in cells if not cell.seeded)
            yield f"run once, because nothing is drawn in them: {', '.join(names)}"
        known = self.known
        if self.labels is not None and len(known.rows) < len(self.image_ids):
            yield (
                f"scored against truth are the {len(known.rows):,} of {len(self.image_ids):,} "
                "images with a label"
            )
        if known.unmatched:
            yield f"{known.unmatched:,} labels are of files that are not in the library"
        if known.conflict is not None:
            yield known.conflict


def _nothing(plan: ComparisonPlan, seed: int) -> ComparisonResult:
    """What there is of a comparison that was stopped while images were embedded."""
    verdict = find_verdict([], lambda _: np.empty(0, dtype=np.int64))
    comparison = Comparison(0, 0, 0, seed, plan.repeats, (), verdict, (), 0, 0, interrupted=True)
    return ComparisonResult(comparison, (), NOTHING_KNOWN, lambda _: np.empty(0, dtype=np.int64))


def fit_labels(algorithm: str, points: Vectors, k: int | None, seed: int, *, kept: bool) -> Labels:
    """The labels that a clusterer gives, from 0; -1 is noise.

    Args:
        algorithm: Its name.
        points: ``(n, dim)``.
        k: Clusters to make; None for one that finds its own number.
        seed: Of what it draws.
        kept: Whether lengths count: K-means is then the plain one, not the spherical.

    Raises:
        ClusteringError: The images cannot be clustered so.
    """
    options: dict[str, object] = {"n_clusters": k, "random_state": seed}
    if algorithm == "kmeans" and kept:
        options["metric"] = "euclidean"
    _, part = registry.create_part(CLUSTERERS, PartSpec(algorithm), options=options)
    labels = np.asarray(part.fit_predict(points), dtype=np.int64)
    found, numbers = np.unique(labels, return_inverse=True)
    return numbers.astype(np.int64) - (1 if found[0] == NOISE else 0)


class _Vectors:
    """The vectors of a feature, read when they are needed."""

    def __init__(self, comparing: ComparisonRun, feature: FeatureSpec | None) -> None:
        self._comparing, self.feature = comparing, feature

    @cached_property
    def whole(self) -> Vectors:
        """As the embedder gave them, scaled to length one or not."""
        assert self.feature is not None  # noqa: S101 - there is a task
        spec, kept = self._comparing.spec(self.feature), self.feature.lengths == "kept"
        return comparison_vectors(self._comparing.store, spec, self._comparing.image_ids, kept=kept)

    @cached_property
    def points(self) -> Vectors:
        """In the space of the feature."""
        assert self.feature is not None  # noqa: S101 - there is a task
        return reduced_points(self.feature, self.whole, seed=self._comparing.seed)


def _require_memory(cell: ComparisonCell, vectors: _Vectors) -> None:
    dim = vectors.points.shape[1]
    if cell.algorithm == "gmm" and dim > _LONGEST_COVARIANCE:
        raise ClusteringError(
            f"gmm keeps a covariance of all pairs of {dim:,} dimensions: reduce them, --reduce "
            "pca:64"
        )


def _run(entry: CachedRun, seed: int, known: KnownTruth) -> ScoredRun:
    labels = entry.labels
    scores = {**entry.scores, **score_by_truth(labels, known)}
    noise = int(np.count_nonzero(labels == NOISE))
    return ScoredRun(
        seed, int(labels.max(initial=NOISE)) + 1, noise, in_title_order(scores, TITLES)
    )


def _parameters(algorithm: str) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(registry.part_factory(CLUSTERERS, algorithm)).parameters
