"""Make a new clustering whose clusters keep the ids of those that they continue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from organizer import registry
from organizer.cluster.choose_k import WEAK, candidates, sweep
from organizer.cluster.incremental import Placement, place, spread, unit
from organizer.cluster.kmeans import KMeans, warm_start
from organizer.cluster.lineage import follow
from organizer.errors import ClusteringError, SettingsError
from organizer.library import embedders
from organizer.library.joining import join_late
from organizer.library.progress import Progress
from organizer.settings import Settings
from organizer.store import ClusterModels, Store, StoredClustering
from organizer.types import (
    Candidate,
    Clustering,
    Labels,
    LineageReport,
    PartSpec,
    Vectors,
)

Space = Literal["pca", "umap"]


@dataclass(frozen=True, slots=True)
class ReclusterReport:
    """A new clustering and what it made of the one before."""

    clustering_id: int
    clusters: tuple[tuple[int, str | None, int], ...]
    lineage: LineageReport
    evidence: tuple[Candidate, ...]
    algorithm: str
    embedder: PartSpec
    images: int

    @property
    def k(self) -> int:
        """Number of clusters."""
        return len(self.clusters)

    @property
    def is_weak(self) -> bool:
        """Whether the evidence says that there is no clear number of clusters."""
        return any(item.chosen and item.silhouette < WEAK for item in self.evidence)


def recluster(
    store: Store,
    *,
    k: int | None,
    embedder: str | None,
    space: Space,
    settings: Settings,
    progress: Progress,
) -> ReclusterReport:
    """See `organizer.library.Library.recluster`. The caller holds the library for writing."""
    spec = embedders.required_spec(store, embedder)
    if k is not None and k < 2:
        raise SettingsError(f"k = {k} makes no clusters", "k is 2 or more, or auto")
    image_ids, vectors = store.vectors.read(spec)
    vectors = unit(vectors)
    different = _count_different(vectors)
    if k is not None and k > different:
        raise SettingsError(
            f"k = {k} is more than the {different} different images in the library",
            f"k is 2 to {different}, or auto",
        )
    evidence: tuple[Candidate, ...] = ()
    if k is None:
        evidence = _evidence(vectors, different, space, settings, progress)
        k = next(candidate.k for candidate in evidence if candidate.chosen)
    progress.begin(f"clustering {len(image_ids):,} images into {k}", None)
    before = store.clusterings.current()
    fitted, params = _fit(store, vectors, k, spec, before, seed=settings.seed)
    if len(fitted.cluster_centers_) < k:
        told_apart = len(fitted.cluster_centers_)
        progress.note(f"the images are too alike for {k} clusters: there are {told_apart}")
    placement = place(vectors, fitted.cluster_centers_)
    clustering = _clustering(image_ids, placement, fitted, spec, params, evidence)
    return _store(store, clustering, placement, before)


def undo(store: Store) -> StoredClustering:
    """See `organizer.library.Library.undo`. The caller holds the library for writing."""
    current = store.clusterings.current()
    if current is None or current.parent_id is None:
        raise ClusteringError(
            "there is no former clustering to go back to",
            "undo takes back a recluster; there has been none, or one only",
        )
    former = store.clusterings.get(current.parent_id)
    join_late(store, former)
    store.clusterings.make_current(former.clustering_id, action="undo")
    return former


def _evidence(
    vectors: Vectors, different: int, space: Space, settings: Settings, progress: Progress
) -> tuple[Candidate, ...]:
    ks = candidates(different)
    spec = PartSpec(space, {"random_state": settings.seed})
    _, reducer = registry.create("organizer.reducers", spec)
    progress.begin("choosing k", len(ks))
    return sweep(vectors, ks, reducer, seed=settings.seed, progress=lambda _: progress.advance())


def _fit(
    store: Store,
    vectors: Vectors,
    k: int,
    spec: PartSpec,
    before: StoredClustering | None,
    *,
    seed: int,
) -> tuple[KMeans, PartSpec]:
    init = None
    if before is not None and before.embedder == spec:
        models = store.clusterings.models(before.clustering_id)
        members = store.clusterings.assignments(before.clustering_id).cluster_ids
        counts = np.array([np.count_nonzero(members == i) for i in models.cluster_ids])
        init = warm_start(vectors, models.centroids, counts, k, seed=seed)
    params = {"n_clusters": k, "random_state": seed}
    _, part = registry.create(
        "organizer.clusterers", PartSpec("kmeans", params), options={"init": init}
    )
    assert isinstance(part, KMeans)  # noqa: S101 - other clusterers come with their own issue
    part.fit_predict(vectors)
    return part, PartSpec("kmeans", params)


def _clustering(
    image_ids: tuple[str, ...],
    placement: Placement,
    fitted: KMeans,
    embedder: PartSpec,
    clusterer: PartSpec,
    evidence: Sequence[Candidate],
) -> Clustering:
    """The fitted model with its clusters still numbered by row."""
    return Clustering(
        image_ids=image_ids,
        labels=placement.nearest,
        distances=placement.distances,
        cluster_ids=np.arange(len(fitted.cluster_centers_), dtype=np.int64),
        centroids=fitted.cluster_centers_,
        embedder=embedder,
        clusterer=clusterer,
        evidence=tuple(evidence),
        algorithm=fitted.algorithm_,
    )


def _store(
    store: Store, rows: Clustering, placement: Placement, before: StoredClustering | None
) -> ReclusterReport:
    known = _in_both(store, rows, before)
    ids, lineage = follow(
        known.old[known.core],
        known.new[known.core],
        old_ids=known.ids,
        k=len(rows.centroids),
        next_id=store.clusterings.next_cluster_id(),
    )
    moved = int(np.count_nonzero(ids[known.new] != known.old)) if len(known.old) else 0
    lineage = replace(lineage, images_moved=moved)
    found = spread(placement, len(rows.centroids))
    medoids = tuple(rows.image_ids[row] for row in found.medoids)
    models = ClusterModels(ids, rows.centroids, found.means, found.deviations, medoids)
    named = replace(rows, labels=ids[rows.labels], cluster_ids=ids)
    clustering_id = store.clusterings.add(
        named,
        models,
        placement.margins,
        parent_id=before.clustering_id if before else None,
        lineage=lineage,
    )
    names = store.clusterings.names()
    found_ids, counts = np.unique(named.labels, return_counts=True)
    clusters = sorted(zip(found_ids.tolist(), counts.tolist(), strict=True), key=lambda c: -c[1])
    return ReclusterReport(
        clustering_id=clustering_id,
        clusters=tuple((i, names.get(i), count) for i, count in clusters),
        lineage=lineage,
        evidence=named.evidence,
        algorithm=named.algorithm,
        embedder=named.embedder,
        images=len(named.image_ids),
    )


@dataclass(frozen=True, slots=True)
class _Before:
    """The images that are in the former clustering and in the new one, row by row.

    Attributes:
        old: ``(m,)`` former cluster id.
        new: ``(m,)`` new row.
        core: ``(m,)`` whether the image was there when the former clustering was made. What an
            ingest put beside it since is not asked which cluster is which: a card of a new species
            would outvote the members of the clusters that it was put to.
        ids: The ids of all former clusters.
    """

    old: Labels
    new: Labels
    core: NDArray[np.bool_]
    ids: tuple[int, ...]


def _in_both(store: Store, rows: Clustering, before: StoredClustering | None) -> _Before:
    if before is None:
        nothing = np.empty(0, dtype=np.int64)
        return _Before(nothing, nothing, nothing == 0, ())
    members = store.clusterings.assignments(before.clustering_id)
    made_of = sum(store.clusterings.counts_when_made(before.clustering_id))
    row_of = {image_id: row for row, image_id in enumerate(members.image_ids.tolist())}
    old_rows = np.array([row_of.get(image_id, -1) for image_id in rows.image_ids], dtype=np.int64)
    both = old_rows >= 0
    old_rows = old_rows[both]
    ids = store.clusterings.models(before.clustering_id).cluster_ids.tolist()
    core = old_rows < made_of
    return _Before(members.cluster_ids[old_rows], rows.labels[both], core, tuple(ids))


def _count_different(vectors: Vectors) -> int:
    """Number of different vectors, by a 64-bit hash of each."""
    return len({hash(row.tobytes()) for row in vectors})
