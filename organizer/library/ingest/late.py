"""Late images: those with a vector that are not assigned yet."""

from __future__ import annotations

from dataclasses import replace

from organizer.library.clustering.preprocessing import uses_capture_info
from organizer.library.images.crops import active_crops
from organizer.library.ingest.assign import Assigner, AssignmentSummary
from organizer.store import Store, StoredClustering
from organizer.types import Vectors, is_crop_embedder


def assign_late(
    store: Store,
    clustering: StoredClustering | None,
    *,
    seed: int,
) -> AssignmentSummary:
    """Assign images with a vector that are not in a clustering to its clusters.

    They came after a clustering that an undo brought back, or an ingest was interrupted between
    their vectors and their assignments. Where there are none, it costs two counts.

    Args:
        store: The library.
        clustering: The clustering; None where there is none.
        seed: Random seed.
    """
    if clustering is None:
        return AssignmentSummary()
    clustering_id, embedder = clustering.clustering_id, clustering.embedder
    if store.vectors.count(embedder) == store.clusterings.count(clustering_id):
        return AssignmentSummary()
    members = set(store.clusterings.assignments(clustering_id).image_ids.tolist())
    image_ids, vectors = late_images(store, clustering, members)
    if not image_ids:
        return AssignmentSummary()
    with store.transaction():
        assigner = Assigner.open(store, clustering, seed=seed)
        assigned = assigner.assign(image_ids, vectors)
        return replace(assigner.finish(), assigned=tuple(assigned.cluster_ids.tolist()))


def late_images(
    store: Store, clustering: StoredClustering, members: set[str]
) -> tuple[list[str], Vectors]:
    """The images that should be among the members and are not, with their vectors."""
    embedder = clustering.embedder
    of_crops = is_crop_embedder(embedder)
    if of_crops or uses_capture_info(clustering):  # every ingest comes here: only what is new
        photos = store.photos
        every = active_crops(store) if of_crops else photos.columns("image_id")["image_id"]
        embedded = store.vectors.ids(embedder)
        late = [i for i in every if i not in members and i in embedded]
        return late, store.vectors.read_rows(embedder, late)
    image_ids, vectors = store.vectors.read(embedder)
    rows = [row for row, image_id in enumerate(image_ids) if image_id not in members]
    return [image_ids[row] for row in rows], vectors[rows]
