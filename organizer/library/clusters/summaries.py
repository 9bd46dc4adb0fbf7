"""Summaries of the clusters, their members, and the photos in groups beside them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organizer.cluster.decisions import compile_constraints
from organizer.cluster.usual_distance import usual_centroid_distances, usual_distances
from organizer.library.current import require_cluster, require_clustering
from organizer.library.images.crops import PhotoGroup, locate_photos
from organizer.library.images.decided import current_decisions
from organizer.library.images.visible import missing_or_cut
from organizer.store import Store
from organizer.types import NOISE, Assignments, AssignmentState, Box, UsualDistance

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class ClusterSummary:
    """One cluster of the current clustering.

    Attributes:
        cluster_id: Its id.
        name: Its name; None where it has none.
        count: Number of its members.
        share: Its members as a share of all images of the clustering, 0 to 1.
        cohesion_space: Mean cosine similarity of the members to the centroid in the space of the
            clustering: 1 less the typical distance to the centroid.
        cohesion: The same number under its former name; that of a report is on the vectors.
        decided: Number of members that a person moved here, or that represent the cluster.
        medoid: A file of the most typical image that is there and may be shown; None where there is
            none that may be shown.
        examples: Files of the members nearest to the centroid, of those that are there.
        missing: Whether none of its images that may be shown is there; medoid and examples are
            paths where they were.
        usual: How far its images lie from those there that are most like them, on the vectors.
    """

    cluster_id: int
    name: str | None
    count: int
    share: float
    cohesion_space: float
    cohesion: float
    decided: int
    medoid: Path | None
    examples: tuple[Path, ...]
    missing: bool = False
    usual: UsualDistance | None = None


@dataclass(frozen=True, slots=True)
class ClusterMember:
    """An image of a cluster, or an unassigned one.

    Attributes:
        path: A file of it.
        image_id: Its id.
        cluster_id: Its cluster; NOISE for an unassigned image.
        candidate: The nearest cluster, for an unassigned image.
        distance: Cosine distance to the centroid of its cluster, or of the nearest one.
        state: How it was assigned.
        box: The box in the photo, for a crop.
        missing: Whether no file of it was there when last looked for.
    """

    path: Path
    image_id: str
    cluster_id: int
    candidate: int
    distance: float
    state: AssignmentState
    box: Box | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class GroupPhoto:
    """A photo of a group beside the clusters: empty, people, vehicles, no detector's result."""

    path: Path
    image_id: str
    missing: bool = False


def cluster_summaries(store: Store) -> list[ClusterSummary]:
    """The clusters, largest first."""
    with store.snapshot():
        current = require_clustering(store)
        members = store.clusterings.assignments(current.clustering_id)
        models = store.clusterings.models(current.clustering_id)
        constraints = compile_constraints(current_decisions(store))
    names, decided = constraints.names, Counter(constraints.fixed.values())
    medoids = dict(zip(models.cluster_ids.tolist()[::-1], models.medoids[::-1], strict=True))
    hidden = store.photos.hidden(members.image_ids.tolist())
    visible = members.take(~np.isin(members.image_ids, list(hidden))) if hidden else members
    gone = missing_or_cut(store)
    there = visible.take(~np.isin(visible.image_ids, list(gone))) if gone else visible
    nearest = (_nearest(visible, _EXAMPLES) if gone else {}) | _nearest(there, _EXAMPLES)
    shown = set(medoids.values()).union(*nearest.values())
    files = store.photos.files_of(shown)
    usual = usual_distances(models)
    places = members.cluster_ids + 1  # NOISE is the first
    length = max(models.ids, default=0) + 2
    counts = np.bincount(places, minlength=length)
    distances = np.bincount(places, weights=members.distances, minlength=length)
    summaries = []
    for cluster_id in models.ids:
        count = int(counts[cluster_id + 1])
        cohesion = 1 - float(distances[cluster_id + 1]) / count if count else 0.0
        examples = nearest.get(cluster_id, [])
        typical = [i for i in (medoids[cluster_id], *examples) if i in files]
        typical.sort(key=gone.__contains__)
        summaries.append(
            ClusterSummary(
                cluster_id=cluster_id,
                name=names.get(cluster_id),
                count=count,
                share=count / len(members),
                cohesion_space=cohesion,
                cohesion=cohesion,
                decided=min(decided[cluster_id], count),
                medoid=files[typical[0]][0].file if typical else None,
                examples=tuple(files[i][0].file for i in examples if i in files),
                missing=bool(typical) and typical[0] in gone,
                usual=usual[cluster_id],
            )
        )
    return sorted(summaries, key=lambda summary: (-summary.count, summary.cluster_id))


def cluster_members(store: Store, cluster_id: int | None) -> list[ClusterMember]:
    """The images of a cluster, the most typical first; the unassigned images where None.

    Raises:
        SettingsError: There is no such cluster.
    """
    with store.snapshot():
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
        ClusterMember(
            files[members.image_ids[row]][0].file,
            members.image_ids[row],
            cluster_id,
            int(members.candidates[row]),
            float(members.distances[row]),
            AssignmentState(members.states[row]),
            files[members.image_ids[row]][0].box,
            files[members.image_ids[row]][0].is_missing,
        )
        for row in rows
        if members.image_ids[row] in files
    ]


def centroid_distances(store: Store) -> dict[int, UsualDistance]:
    """For each cluster, how far its members lie from its centroid."""
    current = require_clustering(store)
    return usual_centroid_distances(store.clusterings.assignments(current.clustering_id))


def count_hidden(store: Store, cluster_id: int | None) -> int:
    """The number of images that are not shown, because people are in the photo."""
    current = require_clustering(store)
    members = store.clusterings.assignments(current.clustering_id)
    wanted = NOISE if cluster_id is None else cluster_id
    return len(store.photos.hidden(members.image_ids[members.cluster_ids == wanted].tolist()))


def photos_in_group(store: Store, group: PhotoGroup) -> list[GroupPhoto]:
    """The photos of a group, by path; those with people too, since they were asked for."""
    current = store.clusterings.current()
    ids = [i for i, photo in locate_photos(store, current).items() if photo.group is group]
    files = store.photos.files_of(ids, with_people=True)
    return sorted(
        (GroupPhoto(rows[0].file, i, rows[0].is_missing) for i, rows in files.items()),
        key=lambda photo: str(photo.path),
    )


def _nearest(members: Assignments, limit: int) -> dict[int, list[str]]:
    """The members nearest to the centroid of each cluster."""
    order = np.lexsort((members.distances, members.cluster_ids))
    ids, starts = np.unique(members.cluster_ids[order], return_index=True)
    return {
        int(cluster_id): members.image_ids[order[start : min(start + limit, end)]].tolist()
        for cluster_id, start, end in zip(ids, starts, [*starts[1:], len(order)], strict=True)
    }
