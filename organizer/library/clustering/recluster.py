"""Recluster: cluster all images again; clusters keep the ids of those that they continue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from organizer import registry
from organizer.cluster.choose_k import KChoice
from organizer.cluster.decisions import Constraints, compile_constraints, with_counterparts
from organizer.cluster.limits import require_within
from organizer.cluster.lineage import compare_clusterings
from organizer.library import embedders
from organizer.library.clustering.build import PreparedImages
from organizer.library.clustering.changes import (
    cluster_changes,
    dropped_clusters,
    require_none_dropped,
)
from organizer.library.clustering.cluster_count import (
    choose_count,
    require_enough,
)
from organizer.library.clustering.constraints import constraint_keys
from organizer.library.clustering.fit import CLUSTERERS, finds_own_k, fit_clusters
from organizer.library.clustering.identify import identify_clusters
from organizer.library.clustering.observations import Observations, make_observations
from organizer.library.clustering.options import ReclusterOptions
from organizer.library.clustering.preprocessing import Preprocessor, clusters_bursts, with_bursts
from organizer.library.clustering.previous import PreviousClusters, previous_clusters
from organizer.library.clustering.report import ReclusterReport
from organizer.library.clustering.required import required_clusters
from organizer.library.clustering.space import (
    NO_REDUCER,
    ClusterSpace,
    centred_by,
    read_unit_vectors,
)
from organizer.library.clustering.trained import ClusterTraining, require_savable
from organizer.library.images.crops import active_vectors
from organizer.library.images.decided import (
    PhotoCrops,
    crossing_notes,
    decided_singly,
    read_photo_crops,
)
from organizer.library.progress import Progress
from organizer.settings import DEFAULT_REDUCER, Settings
from organizer.store import Store
from organizer.training import TrainingSpace
from organizer.types import (
    Clustering,
    ClusterModels,
    Decision,
    Labels,
    PartSpec,
    Vectors,
    is_crop_embedder,
)


def run_recluster(
    store: Store,
    options: ReclusterOptions,
    *,
    settings: Settings,
    progress: Progress,
    training: ClusterTraining | None = None,
) -> ReclusterReport:
    """See `organizer.library.Library.recluster`.

    A dry run holds nothing. Otherwise the caller keeps other writers out, but for decisions: the
    library is held for writing only while it is read and while the clustering is stored. Where
    somebody decided in between, it is clustered again, and held from the beginning to the end.

    Args:
        store: The library.
        options: How to recluster.
        settings: The settings.
        progress: Receives the progress.
        training: The training, of a clusterer that trains; what it trained before is used.
    """
    if options.dry_run:
        with store.snapshot():
            read = _read(store, options, settings=settings, progress=progress)
        fitted = _fit(read, options, settings, progress, training)
        return _store_clustering(store, fitted, options)
    if _is_joined(options):
        return _recluster_held(
            store, options, settings=settings, progress=progress, training=training
        )
    with store.writing():
        read, revision = (
            _read(store, options, settings=settings, progress=progress),
            store.revision(),
        )
    fitted = _fit(read, options, settings, progress, training)
    with store.writing():
        if store.revision() == revision:
            with store.transaction():
                return _store_clustering(store, fitted, options)
        progress.note("decisions were made meanwhile: clustering again, with them")
        return _recluster_held(
            store, options, settings=settings, progress=progress, training=training
        )


def run_training(
    store: Store,
    options: ReclusterOptions,
    *,
    settings: Settings,
    progress: Progress,
    training: ClusterTraining,
) -> None:
    """Train as a recluster does, and store nothing.

    Raises:
        SettingsError: What is trained could not be saved as an embedder.
        ClusteringError: The images cannot be clustered so, or names would be dropped.
    """
    if _is_joined(options):
        with store.writing(), store.transaction():
            _require_vectors(store, options, progress)
    with store.snapshot():
        read = _read(store, replace(options, dry_run=True), settings=settings, progress=progress)
    if options.save_embedder is not None:
        require_savable(
            options.algorithm,
            options.save_embedder,
            embedder=read.embedder,
            reducer=options.reducer,
            settings=settings,
        )
    _cluster(read, options, settings=settings, progress=progress, training=training)


def _recluster_held(
    store: Store,
    options: ReclusterOptions,
    *,
    settings: Settings,
    progress: Progress,
    training: ClusterTraining | None = None,
) -> ReclusterReport:
    """Recluster while nobody else may decide."""
    with store.writing():
        return recluster_in_write(
            store, options, settings=settings, progress=progress, training=training
        )


def recluster_in_write(
    store: Store,
    options: ReclusterOptions,
    *,
    settings: Settings,
    progress: Progress,
    training: ClusterTraining | None = None,
) -> ReclusterReport:
    """Recluster in one transaction. The caller holds the library for writing."""
    # A recluster that is refused leaves no joined vectors either.
    with store.transaction():
        read = _read(store, options, settings=settings, progress=progress)
        return _store_clustering(store, _fit(read, options, settings, progress, training), options)


def _is_joined(options: ReclusterOptions) -> bool:
    """Whether the embedder is one of several, whose vectors may have to be stored first."""
    return options.embedder is not None and len(registry.joined_names(options.embedder)) > 1


@dataclass(frozen=True, slots=True)
class _Read:
    """What is clustered, as it is stored at one time.

    Attributes:
        embedder: Whose vectors.
        reducer: The space, told where the vectors of one network end.
        preprocessor: What was done to the vectors.
        observations: The observations.
        constraints: What decisions demand of their images.
        singly: The images that were decided about by themselves.
        previous: The clusters until now.
        next_id: The id of the next cluster.
    """

    embedder: PartSpec
    reducer: PartSpec
    preprocessor: Preprocessor
    observations: Observations
    constraints: Constraints
    singly: set[str]
    previous: PreviousClusters
    next_id: int


def _read(
    store: Store, options: ReclusterOptions, *, settings: Settings, progress: Progress
) -> _Read:
    spec = _require_vectors(store, options, progress)
    reducer = _with_parts(store, spec, options.reducer, settings)
    if lacking := embedders.missing_vectors_note(store, spec):
        progress.note(lacking)
    preprocessor = Preprocessor.read(
        store, by=centred_by(reducer), bursts=options.bursts, gap=settings.burst_gap
    )
    decisions, crops = _read_decisions(store, spec, progress)
    observations, constraints = _read_observations(store, spec, preprocessor, decisions)
    for line in preprocessor.remarks(observations.image_ids.tolist()):
        progress.note(line)
    return _Read(
        embedder=spec,
        reducer=reducer,
        preprocessor=preprocessor,
        observations=observations,
        constraints=constraints,
        singly=decided_singly(decisions),
        previous=previous_clusters(store, observations.image_ids, embedder=spec, crops=crops),
        next_id=store.clusterings.next_cluster_id(),
    )


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A clustering of images, and of what and how it was made.

    Attributes:
        read: What was clustered.
        made: How.
        clustering: The clustering; its members are images.
    """

    read: _Read
    made: _Made
    clustering: Clustering


def _fit(
    read: _Read,
    options: ReclusterOptions,
    settings: Settings,
    progress: Progress,
    training: ClusterTraining | None,
) -> _Fitted:
    made = _cluster(read, options, settings=settings, progress=progress, training=training)
    clustering = replace(
        made.clustering,
        members=read.observations.assignments(made.clustering.members, read.constraints),
        embedder=read.embedder,
        space={**made.clustering.space, **read.preprocessor.state()},
    )
    return _Fitted(read, made, clustering)


def _require_vectors(store: Store, options: ReclusterOptions, progress: Progress) -> PartSpec:
    """The embedder, which must have vectors; those of several are joined from what is stored."""
    if options.embedder is not None and not options.dry_run:
        joined = embedders.join_vectors(store, options.embedder)
        if joined:
            progress.note(f"joined the vectors of {options.embedder} for {joined:,} images")
    return embedders.require_spec(store, options.embedder)


def _with_parts(store: Store, spec: PartSpec, reducer: PartSpec, settings: Settings) -> PartSpec:
    """The reducer, told where the vectors of one network end and those of the next begin."""
    lengths = embedders.part_lengths(store, spec, settings)
    if not lengths or reducer.name != DEFAULT_REDUCER:
        return reducer
    return replace(reducer, params={**reducer.params, "parts": lengths})


@dataclass(frozen=True, slots=True)
class _Made:
    """A clustering of observations, and how it was made.

    Attributes:
        clustering: The clustering; its members are observations.
        choice: How k was chosen; None where it was given.
        points: ``(m, d)`` those of the observations.
        learned: See `ReclusterReport`.
    """

    clustering: Clustering
    choice: KChoice | None
    points: Vectors
    learned: int


def _read_decisions(
    store: Store, spec: PartSpec, progress: Progress
) -> tuple[tuple[Decision, ...], PhotoCrops]:
    """The decisions, also about the crops of photos and the photos of crops, and these crops."""
    as_stored, current = store.decisions.current(), store.clusterings.current()
    of_crops = is_crop_embedder(spec)
    crosses = current is not None and of_crops != is_crop_embedder(current.embedder)
    about = {image_id for decision in as_stored for image_id in decision.image_ids}
    crops = read_photo_crops(store, as_stored, None if crosses else about)
    if crosses and of_crops:
        for line in crossing_notes(store, as_stored, crops):
            progress.note(line)
    return with_counterparts(as_stored, crops.counterparts), crops


def _read_observations(
    store: Store, spec: PartSpec, preprocessor: Preprocessor, decisions: Sequence[Decision]
) -> tuple[Observations, Constraints]:
    """The observations to cluster, and the constraints on their images."""
    constraints = compile_constraints(decisions)
    ids, vectors = active_vectors(store, spec, *read_unit_vectors(store, spec), constraints)
    vectors = preprocessor.fit_centred(ids, vectors)
    numbers = None
    if preprocessor.bursts:
        preprocessor.measure_bursts(ids, vectors)
        keys = constraint_keys(ids, preprocessor.bursts_of(ids), decisions, constraints)
        numbers = preprocessor.observations(ids, vectors, keys)
    return make_observations(ids, vectors, numbers), constraints


def _cluster(
    read: _Read,
    options: ReclusterOptions,
    *,
    settings: Settings,
    progress: Progress,
    training: ClusterTraining | None,
) -> _Made:
    """Cluster the observations; the members of the clustering are observations."""
    observations = read.observations
    n, seed = len(observations.firsts), settings.seed
    what = "bursts" if options.bursts else "images"
    require_within(registry.part_factory(CLUSTERERS, options.algorithm), options.algorithm, n)
    different = _count_different(observations.vectors)
    require_enough(options.k, different, what)
    progress.begin(f"reducing {n:,} vectors", None)
    space, points = ClusterSpace.fit(read.reducer, observations.vectors, seed=seed)
    images = PreparedImages(observations.names, observations.vectors, points)
    previous = observations.previous(read.previous)
    constraints = observations.constraints(read.constraints)
    required = required_clusters(constraints, images, previous)
    if not (options.dry_run or options.drop_names):  # said before minutes of work
        lacking = set(constraints.required) - required.keys()
        require_none_dropped(
            dropped_clusters(
                sorted(lacking & {*previous.ids}), (), names=constraints.names, decided=lacking
            )
        )
    choice, k = _known_choice(training) or _choose_k(
        images, options, different, len(required), settings, progress
    )
    progress.begin(f"clustering {n:,} {what}", None)
    if training is None:
        algorithm = PartSpec(options.algorithm, options.params)
        fitted = fit_clusters(
            images,
            previous,
            required,
            constraints,
            k=k,
            algorithm=algorithm,
            seed=seed,
            note=progress.note,
        )
    else:
        training.choice = choice
        made_of = TrainingSpace(read.embedder, read.reducer, space.state())
        fitted = training.fit(
            images,
            observations,
            previous,
            required,
            constraints,
            k=k,
            seed=seed,
            space=made_of,
        )
    members, models, exemplars, learned = identify_clusters(
        images,
        previous,
        constraints,
        fitted,
        singly=observations.names_of(read.singly),
        points_of=space.points,
        next_id=read.next_id,
        seed=seed,
    )
    clusterer = with_bursts(fitted.clusterer) if options.bursts else fitted.clusterer
    clustering = Clustering(
        members=members,
        models=models,
        exemplars=exemplars,
        embedder=PartSpec(""),  # the caller knows it
        reducer=read.reducer,
        space=space.state(),
        clusterer=clusterer,
        evidence=choice.candidates if choice else (),
        algorithm=fitted.algorithm,
    )
    return _Made(clustering, choice, points, learned)


def _known_choice(training: ClusterTraining | None) -> tuple[KChoice | None, int] | None:
    """How k was chosen for what is trained already; None where nothing is."""
    if training is None or training.found is None:
        return None
    return training.choice, int(training.found.labels.max()) + 1


def _choose_k(
    images: PreparedImages,
    options: ReclusterOptions,
    different: int,
    required: int,
    settings: Settings,
    progress: Progress,
) -> tuple[KChoice | None, int]:
    """The number of clusters, with the evidence for it; 0 for a clusterer that finds its own."""
    if not isinstance(options.k, int) and finds_own_k(options.algorithm):
        return None, 0
    return choose_count(
        images,
        options.k,
        method=options.k_method,
        reducer=options.reducer.name,
        different=different,
        required=required,
        seed=settings.seed,
        progress=progress,
    )


def _store_clustering(store: Store, fitted: _Fitted, options: ReclusterOptions) -> ReclusterReport:
    made, clustering = fitted.made, fitted.clustering
    previous, constraints = fitted.read.previous, fitted.read.constraints
    members = clustering.members
    dropped = dropped_clusters(
        previous.ids,
        clustering.models.ids,
        names=constraints.names,
        decided=constraints.required,
    )
    if not (options.dry_run or options.drop_names):
        require_none_dropped(dropped)
    lineage = compare_clusterings(
        previous.labels[previous.known],
        members.cluster_ids[previous.known],
        old_ids=previous.ids,
        new_ids=clustering.models.ids,
    )
    clustering_id = None
    if not options.dry_run:
        parent = previous.clustering.clustering_id if previous.clustering else None
        clustering_id = store.clusterings.add(clustering, parent_id=parent, lineage=lineage)
        if fitted.read.preprocessor.is_plain and options.reducer.name != NO_REDUCER:
            store.points.append(clustering_id, members.image_ids.tolist(), made.points)
    return ReclusterReport(
        clustering_id=clustering_id,
        clusters=_listed(clustering.models, members.cluster_ids, constraints.names),
        unassigned=int(members.unassigned.sum()),
        lineage=lineage,
        choice=made.choice,
        algorithm=clustering.algorithm,
        reducer=clustering.reducer,
        embedder=clustering.embedder,
        images=len(members),
        observations=len(made.points),
        bursts=clusters_bursts(clustering.clusterer),
        learned=made.learned,
        changes=cluster_changes(
            previous.labels,
            members.cluster_ids,
            former_ids=previous.ids,
            ids=clustering.models.ids,
            names=constraints.names,
            decided=constraints.required,
        )
        if previous.ids
        else (),
        dropped=dropped,
    )


def _listed(
    models: ClusterModels, cluster_ids: Labels, names: Mapping[int, str]
) -> tuple[tuple[int, str | None, int], ...]:
    found = [(i, names.get(i), int(np.count_nonzero(cluster_ids == i))) for i in models.ids]
    return tuple(sorted(found, key=lambda row: (-row[2], row[0])))


def _count_different(vectors: Vectors) -> int:
    """The number of different vectors, by a 64-bit hash of each."""
    return len({hash(row.tobytes()) for row in vectors})
