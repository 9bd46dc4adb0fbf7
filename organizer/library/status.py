"""The status of a library: what is in it, and how far its clusters have drifted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organizer.cluster.drift import Drift, drift_of
from organizer.library import embedders
from organizer.store import Store, StoredClustering
from organizer.types import FileState, PartSpec


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """What is in a library, and how far its clusters have drifted.

    Attributes:
        library: Its folder.
        roots: The ingested folders.
        images: Number of images.
        files: Number of present files.
        missing: Number of missing files.
        problems: Number of files that could not be used.
        embedders: The embedders with vectors, and the number of these.
        embedder: The embedder that the library works with; None for an empty library.
        clustering: The current clustering; None where there is none.
        k: Number of clusters.
        clustered: Number of images of the clustering.
        unassigned: Number of unassigned images.
        added_since: Number of images that were added since the clustering was made.
        drift: How far the clusters have drifted since then; None where there is no clustering.
    """

    library: Path
    roots: tuple[Path, ...]
    images: int
    files: int
    missing: int
    problems: int
    embedders: tuple[tuple[PartSpec, int], ...]
    embedder: PartSpec | None
    clustering: StoredClustering | None
    k: int
    clustered: int
    unassigned: int
    added_since: int
    drift: Drift | None


def library_status(store: Store) -> LibraryStatus:
    """Read the status of a library, from counts and narrow columns only."""
    photos, clusterings = store.photos, store.clusterings
    current = clusterings.current()
    members = clusterings.assignments(current.clustering_id) if current else None
    drift = None
    if current is not None and members is not None:
        drift = drift_of(
            clusterings.models(current.clustering_id, as_made=True),
            clusterings.models(current.clustering_id),
            unassigned=int(members.unassigned.sum()),
            images=len(members),
        )
    return LibraryStatus(
        library=store.path,
        roots=tuple(root.folder for root in store.roots.all()),
        images=photos.count_images(),
        files=photos.count_files(FileState.PRESENT),
        missing=photos.count_files(FileState.MISSING),
        problems=photos.count_problems(),
        embedders=tuple((spec, store.vectors.count(spec)) for spec in store.vectors.specs()),
        embedder=embedders.library_embedder(store),
        clustering=current,
        k=drift.clusters if drift is not None else 0,
        clustered=len(members) if members else 0,
        unassigned=int(members.unassigned.sum()) if members else 0,
        added_since=int(np.count_nonzero(members.since)) if members else 0,
        drift=drift,
    )
