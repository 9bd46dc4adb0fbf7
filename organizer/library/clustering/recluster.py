"""Make a new clustering whose clusters keep the ids of those that they continue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from organizer import registry
from organizer.cluster.choose_k import (
    CLEAR_SILHOUETTE,
    SWEPT,
    WEAK,
    KChoice,
    KMethod,
    candidate_ks,
    choose_k,
)
from organizer.cluster.decisions import Constraints, compile_constraints
from organizer.cluster.hysteresis import keeps_cluster
from organizer.cluster.incremental import place_in_cluster
from organizer.cluster.limits import require_within
from organizer.cluster.lineage import compare_clusterings, match_clusters
from organizer.errors import SettingsError
from organizer.library import embedders
from organizer.library.clustering.build import (
    ModeNames,
    PreparedImages,
    assignment_states,
    build_assignments,
    build_models,
    rebuild_models,
)
from organizer.library.clustering.constraints import apply_constraints
from organizer.library.clustering.fit import (
    CLUSTERERS,
    FittedLabels,
    finds_own_k,
    fit_clusters,
    required_clusters,
)
from organizer.library.clustering.observations import Observations, make_observations
from organizer.library.clustering.preprocessing import (
    Preprocessor,
    clusters_bursts,
    demands_by_image,
    parse_centring,
    with_bursts,
)
from organizer.library.clustering.previous import PreviousClusters, previous_clusters
from organizer.library.clustering.space import (
    ClusterSpace,
    centred_by,
    parse_reducer,
    read_unit_vectors,
    with_centring,
)
from organizer.library.images.crops import active_vectors
from organizer.library.progress import Progress
from organizer.settings import DEFAULT_REDUCER, Settings
from organizer.store import Store
from organizer.types import (
    NOISE,
    Candidate,
    Clustering,
    ClusterModels,
    Labels,
    LineageReport,
    PartSpec,
    Vectors,
)

K = int | Literal["auto"] | tuple[int, int]


@dataclass(frozen=True, slots=True)
class ReclusterOptions:
    """How to cluster anew.

    Attributes:
        k: Number of clusters; "auto", or the lowest and the highest to choose from.
        k_method: What chooses.
        algorithm: The clusterer.
        reducer: The space, with what its vectors are centred by.
        embedder: Whose vectors; the library's own where None.
        dry_run: Whether to tell only what would change.
        bursts: Whether the images of a burst are one observation.
    """

    k: K
    k_method: KMethod
    algorithm: str
    reducer: PartSpec
    embedder: str | None
    dry_run: bool
    bursts: bool = False


@dataclass(frozen=True, slots=True)
class ReclusterReport:
    """A new clustering and what it made of the one before.

    Attributes:
        clustering_id: Its id; None for a dry run.
        clusters: Id, name and images of each, the largest first.
        unsure: Images that are in no cluster.
        choice: How k was chosen; None where it was given.
        observations: What was clustered: the images, or fewer where bursts are one.
        bursts: Whether they are.
    """

    clustering_id: int | None
    clusters: tuple[tuple[int, str | None, int], ...]
    unsure: int
    lineage: LineageReport
    choice: KChoice | None
    algorithm: str
    reducer: PartSpec
    embedder: PartSpec
    images: int
    observations: int
    bursts: bool

    @property
    def k(self) -> int:
        """Number of clusters."""
        return len(self.clusters)

    @property
    def evidence(self) -> tuple[Candidate, ...]:
        """What was tried to choose k."""
        return self.choice.candidates if self.choice else ()

    @property
    def is_weak(self) -> bool:
        """Whether the evidence says that there is no clear number of clusters."""
        return self.choice is not None and not self.choice.clear


def parse_options(
    *,
    k: K,
    k_method: KMethod,
    algorithm: str,
    reduce: str | None,
    embedder: str | None,
    bursts: bool,
    center: str | None,
    dry_run: bool,
) -> ReclusterOptions:
    """Options as they are given to `organizer.library.Library.recluster`.

    Raises:
        SettingsError: A name is unknown, or the space or the centring cannot be.
    """
    space = with_centring(parse_reducer(reduce or DEFAULT_REDUCER), parse_centring(center))
    return ReclusterOptions(k, k_method, algorithm, space, embedder, dry_run, bursts)


def run_recluster(
    store: Store, plan: ReclusterOptions, *, settings: Settings, progress: Progress
) -> ReclusterReport:
    """See `organizer.library.Library.recluster`. The caller holds the library for writing."""
    spec = embedders.require_spec(store, plan.embedder)
    _require_sane(plan.k)
    if lacking := embedders.missing_vectors_note(store, spec):
        progress.note(lacking)
    by, gap = centred_by(plan.reducer), settings.burst_gap
    preprocessor = Preprocessor(store, by=by, bursts=plan.bursts, gap=gap)
    whole, constraints = _seen(store, spec, preprocessor)
    for line in preprocessor.remarks(whole.image_ids.tolist()):
        progress.note(line)
    n = len(whole.firsts)
    require_within(registry.part_factory(CLUSTERERS, plan.algorithm), plan.algorithm, n)
    different = _count_different(whole.vectors)
    _require_enough(plan.k, different, "bursts" if plan.bursts else "images")
    progress.begin(f"reducing {n:,} vectors", None)
    space, points = ClusterSpace.fit(plan.reducer, whole.vectors, seed=settings.seed)
    images = PreparedImages(whole.names, whole.vectors, points)
    before = previous_clusters(store, whole.image_ids)
    rows_before = whole.before(before)
    demanded = whole.constraints(constraints)
    required = required_clusters(demanded, images, rows_before)
    choice, k = _number(plan, images, different, len(required), settings, progress)
    progress.begin(f"clustering {n:,} {'bursts' if plan.bursts else 'images'}", None)
    found = fit_clusters(
        images,
        rows_before,
        required,
        demanded,
        k=k,
        algorithm=plan.algorithm,
        seed=settings.seed,
        tell=progress.note,
    )
    clustering = _identified(store, images, rows_before, demanded, found, seed=settings.seed)
    clustering = replace(
        clustering,
        members=whole.members(clustering.members, constraints),
        embedder=spec,
        reducer=plan.reducer,
        space={**space.state(), **preprocessor.state()},
        clusterer=with_bursts(clustering.clusterer) if plan.bursts else clustering.clusterer,
        evidence=choice.candidates if choice else (),
    )
    return _stored(store, clustering, before, constraints, choice, n, dry_run=plan.dry_run)


def _seen(
    store: Store, spec: PartSpec, preprocessor: Preprocessor
) -> tuple[Observations, Constraints]:
    """What is clustered, and what a person demands of the images."""
    decisions = store.decisions.all()
    constraints = compile_constraints(decisions)
    ids, vectors = active_vectors(store, spec, *read_unit_vectors(store, spec), constraints)
    vectors = preprocessor.fit_centred(ids, vectors)
    numbers = None
    if preprocessor.bursts:
        preprocessor.measure_bursts(ids, vectors)
        words = demands_by_image(ids, preprocessor.bursts_of(ids), decisions, constraints)
        numbers = preprocessor.observations(ids, vectors, words)
    return make_observations(ids, vectors, numbers), constraints


def _require_sane(k: K) -> None:
    least = k[0] if isinstance(k, tuple) else k
    if least != "auto" and least < 2:
        raise SettingsError(f"k = {least} makes no clusters", "k is 2 or more, or auto")
    if isinstance(k, tuple) and k[1] < k[0]:
        raise SettingsError(f"k from {k[0]} to {k[1]} is no range", "for example --k 2:40")


def _require_enough(k: K, different: int, what: str) -> None:
    least = k[0] if isinstance(k, tuple) else k
    if least != "auto" and least > different:
        raise SettingsError(
            f"k = {least} is more than the {different} different {what} in the library",
            f"k is 2 to {different}, or auto" if different > 1 else "ingest more photos",
        )


def _number(
    plan: ReclusterOptions,
    images: PreparedImages,
    different: int,
    required: int,
    settings: Settings,
    progress: Progress,
) -> tuple[KChoice | None, int]:
    """How many clusters to make, and why."""
    if isinstance(plan.k, int):
        return None, plan.k
    if finds_own_k(plan.algorithm):
        return None, 0
    if isinstance(plan.k, tuple):
        ks = list(range(plan.k[0], min(plan.k[1], different) + 1))
    else:
        ks = candidate_ks(different)
    if ks and ks[-1] < required:
        return None, required
    n = len(images.image_ids)
    if n > SWEPT:
        progress.note(f"k is chosen on a sample of {SWEPT:,} of the {n:,} images")
    progress.begin("choosing k", len(ks))
    choice = choose_k(
        images.points,
        ks,
        method=plan.k_method,
        seed=settings.seed,
        least=max(required, 1),
        clear_from=CLEAR_SILHOUETTE if plan.reducer.name == "smooth" else WEAK,
        progress=lambda _: progress.advance(),
    )
    return choice, choice.k


def _identified(
    store: Store,
    images: PreparedImages,
    before: PreviousClusters,
    constraints: Constraints,
    found: FittedLabels,
    *,
    seed: int,
) -> Clustering:
    """Clusters by their ids, with every image where it belongs."""
    cluster_of, settled = found.clusters()
    labels = np.where(found.labels == NOISE, NOISE, cluster_of[found.labels])
    both = before.known & (labels != NOISE)
    ids, _ = match_clusters(
        before.labels[both],
        labels[both],
        old_ids=before.ids,
        k=int(cluster_of.max()) + 1,
        next_id=store.clusterings.next_cluster_id(),
        decided=settled,
    )
    mode_clusters = ids[cluster_of]
    modes = ModeNames(
        mode_clusters.tolist(), range(1, len(mode_clusters) + 1), ["recluster"] * len(mode_clusters)
    )
    models, exemplars = build_models(images, found.labels, modes, seed=seed)
    where = np.where(found.labels == NOISE, NOISE, mode_clusters[found.labels])
    where = _with_hysteresis(images, where, before, models, constraints)
    where = apply_constraints(images, where, models, exemplars, constraints)
    models, exemplars = rebuild_models(images, where, models, seed=seed)
    states = assignment_states(images.image_ids, where, constraints.fixed)
    since = np.zeros(len(where), dtype=np.int64)
    members = build_assignments(images, where, models, states=states, since=since)
    nothing = PartSpec("")
    return Clustering(
        members, models, exemplars, nothing, nothing, {}, found.clusterer, (), found.algorithm
    )


def _with_hysteresis(
    images: PreparedImages,
    where: Labels,
    before: PreviousClusters,
    models: ClusterModels,
    constraints: Constraints,
) -> Labels:
    """Leave images where they were unless another cluster is clearly nearer."""
    survivors = np.array(models.ids, dtype=np.int64)
    rows = np.flatnonzero((where != before.labels) & np.isin(before.labels, survivors))
    if not len(rows):
        return where
    old = before.labels[rows]
    at_old = place_in_cluster(images.points[rows], models.centroids, models.cluster_ids, old)
    is_named = np.isin(old, list(constraints.required))
    stay = keeps_cluster(at_old, models.deviations[at_old.nearest], is_named)
    loyal = where.copy()
    loyal[rows[stay]] = old[stay]
    return loyal


def _stored(
    store: Store,
    clustering: Clustering,
    before: PreviousClusters,
    constraints: Constraints,
    choice: KChoice | None,
    observations: int,
    *,
    dry_run: bool,
) -> ReclusterReport:
    members = clustering.members
    lineage = compare_clusterings(
        before.labels[before.known],
        members.cluster_ids[before.known],
        old_ids=before.ids,
        new_ids=clustering.models.ids,
    )
    clustering_id = None
    if not dry_run:
        parent = before.clustering.clustering_id if before.clustering else None
        clustering_id = store.clusterings.add(clustering, parent_id=parent, lineage=lineage)
    return ReclusterReport(
        clustering_id=clustering_id,
        clusters=_listed(clustering.models, members.cluster_ids, constraints.names),
        unsure=int(members.unsure.sum()),
        lineage=lineage,
        choice=choice,
        algorithm=clustering.algorithm,
        reducer=clustering.reducer,
        embedder=clustering.embedder,
        images=len(members),
        observations=observations,
        bursts=clusters_bursts(clustering.clusterer),
    )


def _listed(
    models: ClusterModels, cluster_ids: Labels, names: Mapping[int, str]
) -> tuple[tuple[int, str | None, int], ...]:
    found = [(i, names.get(i), int(np.count_nonzero(cluster_ids == i))) for i in models.ids]
    return tuple(sorted(found, key=lambda row: (-row[2], row[0])))


def _count_different(vectors: Vectors) -> int:
    """Number of different vectors, by a 64-bit hash of each."""
    return len({hash(row.tobytes()) for row in vectors})
