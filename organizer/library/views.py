"""What a person is shown: read from the store, changed by nobody."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organizer.cluster.decisions import compiled
from organizer.cluster.drift import Drift, drift_of
from organizer.field import Box
from organizer.library import embedders
from organizer.library.crops import Group, homes
from organizer.library.current import require_cluster, require_clustering
from organizer.store import Store, StoredClustering
from organizer.types import NOISE, Assignments, AssignmentState, FileState, PartSpec

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class ClusterSummary:
    """One cluster of the current clustering.

    Attributes:
        share: Of all clustered images.
        cohesion: Mean cosine similarity of the members to the centroid.
        decided: Members that a person put here, or that stand for the cluster.
        medoid: A file of the most typical image that may be shown; None where there is none.
        examples: Files of the members nearest to the centroid.
    """

    cluster_id: int
    name: str | None
    count: int
    share: float
    cohesion: float
    decided: int
    medoid: Path | None
    examples: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """An image in a cluster, or in the pile.

    Attributes:
        cluster_id: Its cluster; NOISE in the pile.
        candidate: The nearest cluster, for an image in the pile.
        box: Where in the photo it is, for a crop.
    """

    path: Path
    image_id: str
    cluster_id: int
    candidate: int
    distance: float
    state: AssignmentState
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of a group: empty, people, vehicles, without a detector's result."""

    path: Path
    image_id: str


@dataclass(frozen=True, slots=True)
class Status:
    """What is in a library and how current it is."""

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
    unsure: int
    added_since: int
    drift: Drift | None


def cluster_summaries(store: Store) -> list[ClusterSummary]:
    """The clusters, largest first."""
    current = require_clustering(store)
    members = store.clusterings.assignments(current.clustering_id)
    models = store.clusterings.models(current.clustering_id)
    constraints = compiled(store.decisions.all())
    names, decided = constraints.names, Counter(constraints.fixed.values())
    medoids = dict(zip(models.cluster_ids.tolist()[::-1], models.medoids[::-1], strict=True))
    hidden = store.photos.hidden(members.image_ids.tolist())
    visible = members.take(~np.isin(members.image_ids, list(hidden))) if hidden else members
    nearest = {i: _nearest(visible, i, _EXAMPLES) for i in models.ids}
    shown = set(medoids.values()).union(*(set(ids) for ids in nearest.values()))
    files = store.photos.files_of(shown)
    summaries = []
    for cluster_id in models.ids:
        mine = members.cluster_ids == cluster_id
        count = int(np.count_nonzero(mine))
        typical = [i for i in (medoids[cluster_id], *nearest[cluster_id]) if i in files]
        summaries.append(
            ClusterSummary(
                cluster_id=cluster_id,
                name=names.get(cluster_id),
                count=count,
                share=count / len(members),
                cohesion=float(1 - members.distances[mine].mean()) if count else 0.0,
                decided=min(decided[cluster_id], count),
                medoid=files[typical[0]][0].file if typical else None,
                examples=tuple(files[i][0].file for i in nearest[cluster_id] if i in files),
            )
        )
    return sorted(summaries, key=lambda summary: (-summary.count, summary.cluster_id))


def cluster_members(store: Store, cluster_id: int | None) -> list[Member]:
    """The images of a cluster, the most typical first; of the pile where None.

    Raises:
        SettingsError: There is no such cluster.
    """
    current = require_clustering(store)
    if cluster_id is None:
        cluster_id = NOISE
    else:
        require_cluster(store, current, cluster_id)
    members = store.clusterings.assignments(current.clustering_id)
    rows = np.flatnonzero(members.cluster_ids == cluster_id)
    rows = rows[np.argsort(members.distances[rows], kind="stable")]
    files = store.photos.files_of(members.image_ids[rows].tolist())
    return [
        Member(
            files[members.image_ids[row]][0].file,
            members.image_ids[row],
            cluster_id,
            int(members.candidates[row]),
            float(members.distances[row]),
            AssignmentState(members.states[row]),
            files[members.image_ids[row]][0].box,
        )
        for row in rows
        if members.image_ids[row] in files
    ]


def hidden_in(store: Store, cluster_id: int | None) -> int:
    """How many images of a cluster, or of the pile, are not shown: there are people with them."""
    current = require_clustering(store)
    members = store.clusterings.assignments(current.clustering_id)
    wanted = NOISE if cluster_id is None else cluster_id
    return len(store.photos.hidden(members.image_ids[members.cluster_ids == wanted].tolist()))


def photos_in(store: Store, group: Group) -> list[Photo]:
    """The photos of a group, by path; those with people too, since they are asked for."""
    current = store.clusterings.current()
    ids = [i for i, home in homes(store, current).items() if home.group is group]
    files = store.photos.files_of(ids, with_people=True)
    return sorted((Photo(rows[0].file, i) for i, rows in files.items()), key=lambda p: str(p.path))


def status(store: Store) -> Status:
    """What is in the library. Reads counts and narrow columns only."""
    photos, clusterings = store.photos, store.clusterings
    current = clusterings.current()
    members = clusterings.assignments(current.clustering_id) if current else None
    drift = None
    if current is not None and members is not None:
        drift = drift_of(
            clusterings.models(current.clustering_id, as_made=True),
            clusterings.models(current.clustering_id),
            unsure=int(members.unsure.sum()),
            images=len(members),
        )
    return Status(
        library=store.path,
        roots=tuple(root.folder for root in photos.roots()),
        images=photos.count_images(),
        files=photos.count_files(FileState.PRESENT),
        missing=photos.count_files(FileState.MISSING),
        problems=photos.count_problems(),
        embedders=tuple((spec, store.vectors.count(spec)) for spec in store.vectors.specs()),
        embedder=embedders.library_embedder(store),
        clustering=current,
        k=drift.clusters if drift is not None else 0,
        clustered=len(members) if members else 0,
        unsure=int(members.unsure.sum()) if members else 0,
        added_since=int(np.count_nonzero(members.since)) if members else 0,
        drift=drift,
    )


def _nearest(members: Assignments, cluster_id: int, limit: int) -> list[str]:
    """The members nearest to a centroid, one file's content each."""
    rows = np.flatnonzero(members.cluster_ids == cluster_id)
    order = np.argsort(members.distances[rows], kind="stable")[:limit]
    nearest: list[str] = members.image_ids[rows[order]].tolist()
    return nearest
