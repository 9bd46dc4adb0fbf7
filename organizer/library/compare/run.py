"""Run a comparison: every run is cached as soon as it is finished."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from organizer import registry
from organizer.cluster.limits import require_within
from organizer.counts import count_text
from organizer.errors import ClusteringError, SettingsError
from organizer.evaluate.internal import METRIC
from organizer.library import embedders
from organizer.library.clustering.fit import CLUSTERERS, trains
from organizer.library.compare.fit import fit_cell
from organizer.library.compare.grid import ComparisonPlan, FeatureSpec
from organizer.library.compare.run_cache import CachedRun, RunCache
from organizer.library.compare.scores import (
    NOTHING_KNOWN,
    KnownTruth,
    in_title_order,
    read_known_truth,
    score_by_truth,
    score_by_vectors,
    score_trained,
)
from organizer.library.compare.tasks import ComparisonTask, comparison_tasks, replaced_embedders
from organizer.library.compare.vectors import (
    FeatureVectors,
    Ingest,
    common_ids,
    embed_missing,
    with_substitutes,
)
from organizer.library.compare.verdict import find_verdict
from organizer.library.progress import Progress
from organizer.report.comparison import TITLES, Comparison, ComparisonCell, ScoredRun
from organizer.settings import Settings
from organizer.store import Store
from organizer.training import PictureReader
from organizer.types import NOISE, Labels, PartSpec

Pictures = Callable[[Sequence[str]], PictureReader]

KEPT_METRIC = "euclidean, on vectors of the length that the embedder gave them"


@dataclass(slots=True)
class ComparisonResult:
    """The result of a comparison, with the labels behind it.

    Attributes:
        comparison: The cells with their scores, and the verdict.
        image_ids: The images, in the order of all labels.
        known: Their known classes.
        labels_of: Gives the labels of a cell's first run.
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
    pictures: Pictures,
    settings: Settings,
    labels: str | None,
    below: Path,
    progress: Progress,
    stop: Callable[[], bool],
) -> ComparisonResult:
    """See `organizer.library.Library.compare`.

    Args:
        store: The library.
        plan: What to compare.
        ingest: Embeds the images with an embedder whose vectors are missing.
        pictures: Makes a reader of the pictures of images, for algorithms that train on them.
        settings: The seed of the first repeat and of the spaces; where weights may be.
        labels: Source of the truth, or None.
        below: What its relative path is relative to.
        progress: Receives each run.
        stop: Asked before each run; True ends the comparison.
    """
    plan.check()
    if not store.photos.count_images():
        raise SettingsError("there are no images in this library", "organizer ingest FOLDER")
    names = [feature.embedder for grid in plan.grids for feature in grid.features]
    used = with_substitutes(store, names, plan.substitutes, settings)
    if not embed_missing(store, used.values(), ingest):
        return _empty_result(plan, settings.seed)
    image_ids, left_out = common_ids(store, dict.fromkeys(used.values()))
    known = read_known_truth(store, labels, below, image_ids)
    run = _ComparisonRun(
        store,
        plan,
        used,
        image_ids,
        known,
        settings=settings,
        pictures=pictures,
        progress=progress,
        stop=stop,
    )
    cells, interrupted = run.run()
    remarks = _remarks(cells, used, known, plan, len(image_ids), left_out, labels=labels)
    comparison = Comparison(
        images=len(image_ids),
        labelled=len(known.rows),
        classes=known.classes,
        seed=settings.seed,
        repeats=plan.repeats,
        cells=tuple(cells),
        verdict=find_verdict(cells, run.labels_of),
        remarks=tuple(remarks),
        computed=run.computed,
        kept=run.cached,
        interrupted=interrupted,
    )
    return ComparisonResult(comparison, image_ids, known, run.labels_of)


def _empty_result(plan: ComparisonPlan, seed: int) -> ComparisonResult:
    """The result of a comparison that was stopped while images were embedded."""
    verdict = find_verdict([], lambda _: np.empty(0, dtype=np.int64))
    comparison = Comparison(0, 0, 0, seed, plan.repeats, (), verdict, (), 0, 0, interrupted=True)
    return ComparisonResult(comparison, (), NOTHING_KNOWN, lambda _: np.empty(0, dtype=np.int64))


class _ComparisonRun:
    """One comparison, from its beginning to its end.

    Args:
        store: The library; it has the vectors of all embedders of the plan.
        plan: What to compare.
        used: The embedder that is used for each embedder of the plan.
        image_ids: The images, sorted.
        known: Their known classes.
        settings: The seed of the first repeat and of the spaces; what a training needs.
        pictures: Makes a reader of the pictures of images.
        progress: Receives each run.
        stop: Asked before each run; True ends the comparison.

    Attributes:
        computed: Number of runs that were computed.
        cached: Number of runs that were cached before.
    """

    def __init__(
        self,
        store: Store,
        plan: ComparisonPlan,
        used: Mapping[str, str],
        image_ids: Sequence[str],
        known: KnownTruth,
        *,
        settings: Settings,
        pictures: Pictures,
        progress: Progress,
        stop: Callable[[], bool],
    ) -> None:
        self._store, self._plan, self._used = store, plan, used
        self._image_ids, self._known, self._seed = image_ids, known, settings.seed
        self._settings, self._pictures = settings, pictures
        self._progress, self._stop = progress, stop
        self._caches: dict[tuple[str, str, str, str], RunCache] = {}
        self.computed = self.cached = 0

    def run(self) -> tuple[list[ComparisonCell], bool]:
        """Do the runs that are not cached; returns the cells, and whether it was stopped.

        Raises:
            SettingsError: The plan cannot be run.
            StoreError: A run cannot be cached.
        """
        images, classes = len(self._image_ids), self._known.classes
        tasks = list(
            comparison_tasks(
                self._plan, self._used, images=images, classes=classes, seed=self._seed
            )
        )
        self._progress.begin("comparing", sum(len(task.seeds) for task in tasks))
        cells: list[ComparisonCell] = []
        vectors: FeatureVectors | None = None
        for task in tasks:
            if vectors is None or vectors.feature != task.feature:
                vectors = self._vectors(task.feature)  # one feature is held at a time
            cell = self._run_task(task, vectors)
            if cell.runs or cell.refused:
                cells.append(cell)
            if not cell.refused and len(cell.runs) < len(task.seeds):
                return cells, True
        return cells, False

    def labels_of(self, cell: ComparisonCell) -> Labels:
        """The labels of the first run of a cell that was run."""
        key = (cell.embedder, cell.space, cell.lengths, cell.algorithm)
        entry = self._caches[key].get(cell.k, cell.runs[0].seed)
        assert entry is not None  # noqa: S101 - it was run
        return entry.labels

    def _spec(self, feature: FeatureSpec) -> PartSpec:
        return embedders.require_spec(self._store, self._used[feature.embedder])

    def _vectors(self, feature: FeatureSpec) -> FeatureVectors:
        spec = self._spec(feature)
        return FeatureVectors(self._store, spec, feature, self._image_ids, seed=self._seed)

    def _run_task(self, task: ComparisonTask, vectors: FeatureVectors) -> ComparisonCell:
        """The cell with its runs; with fewer than it should have where it was stopped."""
        runs: list[ScoredRun] = []
        try:
            for run in self._runs(task, vectors):
                runs.append(run)
                self._progress.advance()
        except ClusteringError as error:
            self._progress.advance(len(task.seeds) - len(runs))
            return replace(task.cell, runs=tuple(runs), refused=error.message)
        return replace(task.cell, runs=tuple(runs))

    def _runs(self, task: ComparisonTask, vectors: FeatureVectors) -> Iterator[ScoredRun]:
        """The runs, cached or computed, until it is stopped.

        Raises:
            ClusteringError: The images cannot be clustered so.
        """
        cell = task.cell
        require_within(
            registry.part_factory(CLUSTERERS, cell.algorithm), cell.algorithm, cell.images
        )
        if cell.k is not None and cell.k > cell.images:
            raise ClusteringError(
                f"{count_text(cell.images, 'image')} cannot make {cell.k} clusters"
            )
        cache = self._cache(cell, task.feature)
        for seed in task.seeds:
            entry = cache.get(cell.k, seed)
            if entry is not None:
                self.cached += 1
            elif self._stop():
                return
            else:
                entry = self._compute(cell, seed, vectors)
                cache.add(cell.k, seed, entry)
                self.computed += 1
            yield _scored_run(entry, seed, self._known)

    def _compute(self, cell: ComparisonCell, seed: int, vectors: FeatureVectors) -> CachedRun:
        begun = time.monotonic()
        found = fit_cell(
            cell.algorithm,
            vectors.points,
            cell.k,
            seed,
            kept=cell.lengths == "kept",
            pictures=self._pictures(self._image_ids),
            settings=self._settings,
            progress=_NotesOf(self._progress),
        )
        seconds, rounds = time.monotonic() - begun, None
        scores = score_by_vectors(vectors.vectors, found.labels, seed=self._seed)
        if found.trained is not None:
            scores.update(score_trained(vectors.vectors, found.trained))
            rounds = found.trained.rounds
        return CachedRun(found.labels, scores, seconds, rounds)

    def _cache(self, cell: ComparisonCell, feature: FeatureSpec) -> RunCache:
        key = (cell.embedder, cell.space, cell.lengths, cell.algorithm)
        if key not in self._caches:
            options = {"n_clusters": 2}
            clusterer, _ = registry.create_part(
                CLUSTERERS, PartSpec(cell.algorithm), options=options
            )
            about = {
                "embedder": self._spec(feature).to_json(),
                "reducer": feature.reducer.to_json(),
                "lengths": feature.lengths,
                "clusterer": clusterer.to_json(),
                "seed": self._seed,  # of the space, and of the silhouette's sample
            }
            provider = registry.part_provider(CLUSTERERS, cell.algorithm)
            others = (provider, "torch") if trains(cell.algorithm) else (provider,)
            self._caches[key] = RunCache.open(
                self._store.path, about, self._image_ids, distributions=others
            )
        return self._caches[key]


@dataclass(frozen=True, slots=True)
class _NotesOf:
    """Progress of a part of a run: what a person should read, and no steps of its own."""

    progress: Progress

    def begin(self, task: str, total: int | None) -> None:
        """Nothing: the task is the comparison."""

    def advance(self, steps: int = 1) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """As the whole."""
        self.progress.note(text)


def _scored_run(entry: CachedRun, seed: int, known: KnownTruth) -> ScoredRun:
    labels = entry.labels
    scores = {**entry.scores, **score_by_truth(labels, known)}
    noise = int(np.count_nonzero(labels == NOISE))
    return ScoredRun(
        seed,
        int(labels.max(initial=NOISE)) + 1,
        noise,
        in_title_order(scores, TITLES),
        seconds=entry.seconds,
        rounds=entry.rounds,
    )


def _remarks(
    cells: Sequence[ComparisonCell],
    used: Mapping[str, str],
    known: KnownTruth,
    plan: ComparisonPlan,
    images: int,
    left_out: int,
    *,
    labels: str | None,
) -> Iterator[str]:
    """What a reader of the scores has to know, a line each."""
    kept = any(cell.lengths == "kept" for cell in cells)
    yield (
        f"silhouette, Davies-Bouldin and inertia: {KEPT_METRIC if kept else METRIC}, "
        "before any reduction"
    )
    for name, asked in replaced_embedders(used).items():
        yield f"{name} stands for {', '.join(asked)}, whose weights are not here"
    if left_out:
        yield f"{count_text(left_out, 'image')} left out: an embedder has no vectors of them"
    if any(cell.noise for cell in cells):
        yield "images in no cluster count as one more cluster in the scores against truth"
    if any(not cell.seeded and cell.runs for cell in cells) and plan.repeats > 1:
        names = dict.fromkeys(cell.algorithm for cell in cells if not cell.seeded)
        yield f"run once, because nothing is drawn in them: {', '.join(names)}"
    if labels is not None and len(known.rows) < images:
        yield f"scored against truth are the {len(known.rows):,} of {images:,} images with a label"
    yield from known.reasons
    if known.conflict is not None:
        yield known.conflict
