"""Late images: those with a vector that are not assigned yet, or were assigned and not counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.assign import NOVEL_ORIGIN
from organizer.cluster.decisions import Constraints, compile_constraints
from organizer.cluster.incremental import grow_models, place_in_cluster
from organizer.library.clustering.observations import observation_vectors
from organizer.library.clustering.preprocessing import (
    Preprocessor,
    uses_capture_info,
)
from organizer.library.clustering.space import ClusterSpace
from organizer.library.images.crops import active_crops
from organizer.library.ingest.assign import Assigner, AssignmentSummary
from organizer.library.ingest.loaded import members_with_vectors
from organizer.store import Store, StoredClustering
from organizer.types import NOISE, Assignments, ClusterModels, Vectors, is_crop_embedder


def assign_late(
    store: Store,
    clustering: StoredClustering | None,
    *,
    seed: int,
    constraints: Constraints | None = None,
) -> AssignmentSummary:
    """Assign images with a vector that are not in a clustering to its clusters.

    They came after a clustering that an undo brought back, or an ingest was interrupted between
    their vectors and their assignments. Where there are none, it costs two counts.

    Args:
        store: The library.
        clustering: The clustering; None where there is none.
        seed: Random seed.
        constraints: The constraints; those of all decisions of the library where None.
    """
    if clustering is None:
        return AssignmentSummary()
    clustering_id, embedder = clustering.clustering_id, clustering.embedder
    if store.vectors.count(embedder) == store.clusterings.count(clustering_id):
        return AssignmentSummary()
    members = set(store.clusterings.assignments(clustering_id).image_ids.tolist())
    image_ids, vectors = _late(store, clustering, members, constraints)
    if not image_ids:
        return AssignmentSummary()
    assigner = Assigner.open(store, clustering, seed=seed)
    assigner.assign(image_ids, vectors)
    return assigner.finish()


def _late(
    store: Store, clustering: StoredClustering, members: set[str], constraints: Constraints | None
) -> tuple[list[str], Vectors]:
    """The images that should be among the members and are not, with their vectors."""
    embedder = clustering.embedder
    of_crops = is_crop_embedder(embedder)
    if of_crops or uses_capture_info(clustering):  # every ingest comes here: only what is new
        photos = store.photos
        every = (
            active_crops(store, constraints) if of_crops else photos.columns("image_id")["image_id"]
        )
        embedded = store.vectors.ids(embedder)
        late = [i for i in every if i not in members and i in embedded]
        return late, store.vectors.read_rows(embedder, late)
    image_ids, vectors = store.vectors.read(embedder)
    rows = [row for row, image_id in enumerate(image_ids) if image_id not in members]
    return [image_ids[row] for row in rows], vectors[rows]


def recount_members(store: Store, clustering: StoredClustering | None, *, seed: int) -> None:
    """Bring the clusters in line with their members after an interrupted writer.

    Members that were not counted are counted; a novel cluster that got no members is removed.
    """
    if clustering is None:
        return
    clustering_id = clustering.clustering_id
    models = store.clusterings.models(clustering_id)
    members = store.clusterings.assignments(clustering_id)
    late = members.take(
        (members.since > store.clusterings.revision(clustering_id)) & ~members.unassigned
    )
    empty = _empty_novel(store, models, members)
    if not len(late) and not empty.any():
        return
    if len(late):
        state = store.clusterings.space(clustering_id)
        space = ClusterSpace.restored(clustering.reducer, state, seed=seed)
        preprocessor = Preprocessor.restored(store, clustering, state)
        late, vectors = _uncounted(store, clustering, preprocessor, members, late)
        points = space.points(vectors)
        at = place_in_cluster(points, models.centroids, models.cluster_ids, late.cluster_ids)
        models = grow_models(models, points, at.nearest, late.distances)
    models = models.take(~empty)
    number = store.clusterings.begin_ingest()
    store.clusterings.revise(clustering_id, models, revision=number)


def _empty_novel(store: Store, models: ClusterModels, members: Assignments) -> NDArray[np.bool_]:
    """``(m,)`` which modes are of novel clusters without members."""
    held = set(members.cluster_ids.tolist())
    required = compile_constraints(store.decisions.all()).required
    empty = [
        i not in held and i not in required and origin.startswith(NOVEL_ORIGIN)
        for i, origin in zip(models.cluster_ids.tolist(), models.origins, strict=True)
    ]
    return np.array(empty, dtype=np.bool_)


def _uncounted(
    store: Store,
    clustering: StoredClustering,
    preprocessor: Preprocessor,
    members: Assignments,
    late: Assignments,
) -> tuple[Assignments, Vectors]:
    """The late members that add to their clusters: one for each burst that was not counted yet."""
    late, vectors = members_with_vectors(store, clustering, late)
    ids = late.image_ids.tolist()
    vectors = preprocessor.centred(ids, vectors)
    numbers = preprocessor.observations(ids, vectors, late.cluster_ids.tolist())
    if numbers is None:
        return late, vectors
    early = members.take(~np.isin(members.image_ids, late.image_ids))
    bursts = preprocessor.bursts_of(early.image_ids).tolist()
    counted = set(zip(bursts, early.cluster_ids.tolist(), strict=True))
    pairs = zip(preprocessor.bursts_of(ids).tolist(), late.cluster_ids.tolist(), strict=True)
    new = np.array([pair[0] == NOISE or pair not in counted for pair in pairs], dtype=np.bool_)
    first = np.unique(numbers, return_index=True)[1]
    rows = first[new[first]]
    return late.take(rows), observation_vectors(vectors, numbers)[rows]
