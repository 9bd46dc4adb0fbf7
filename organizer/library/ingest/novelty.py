"""Find novel clusters among the unassigned images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from organizer.cluster.assign import assign_images
from organizer.cluster.decisions import Constraints
from organizer.cluster.incremental import grow_models
from organizer.cluster.unassigned import find_groups, is_separate, looseness, smallest_group
from organizer.library.clustering.build import (
    ModeNames,
    PreparedImages,
    assignment_states,
    build_assignments,
    build_models,
)
from organizer.types import NOISE, Assignments, ClusterModels, Exemplars, Labels


@dataclass(frozen=True, slots=True)
class NovelCluster:
    """A novel cluster.

    Attributes:
        cluster_id: Its id.
        images: Number of formerly unassigned images in it.
    """

    cluster_id: int
    images: int


@dataclass(frozen=True, slots=True)
class NovelClusters:
    """What was found among the unassigned images.

    Attributes:
        novel: The novel clusters.
        models: All clusters, the novel ones included.
        exemplars: Those of the novel clusters.
        members: The formerly unassigned images that are in a novel cluster.
    """

    novel: tuple[NovelCluster, ...]
    models: ClusterModels
    exemplars: Exemplars
    members: Assignments


def find_novel_clusters(
    unassigned: PreparedImages,
    since: Labels,
    models: ClusterModels,
    exemplars: Exemplars,
    *,
    constraints: Constraints,
    next_id: int,
    origin: str,
    seed: int,
) -> NovelClusters | None:
    """Find groups of unassigned images that are alike and lie apart from every cluster.

    Args:
        unassigned: The unassigned images.
        since: ``(n,)`` the ingest that compared each with the clusters.
        models: The current clusters.
        exemplars: Those of the current clusters.
        constraints: The constraints that follow from the decisions.
        next_id: The first id that no cluster ever had.
        origin: The origin of the novel clusters; see `ClusterModels`.
        seed: Random seed.

    Returns:
        None where no cluster is found.
    """
    labels = _separate_groups(unassigned, models, exemplars, seed=seed)
    count = int(labels.max(initial=NOISE)) + 1
    if not count:
        return None
    ids = range(next_id, next_id + count)
    # An interrupted ingest may have left exemplars of modes that were never written.
    first_mode = int(max(models.mode_ids.max(initial=0), exemplars.mode_ids.max(initial=0))) + 1
    modes = ModeNames(ids, range(first_mode, first_mode + count), [origin] * count)
    new, new_exemplars = build_models(unassigned, labels, modes, seed=seed, usual=models)
    every = Exemplars.joined([exemplars, new_exemplars])
    labels, new = _add_fitting_images(unassigned, labels, models, new, every, constraints)
    all_models = ClusterModels.joined([models, new])
    inside = np.flatnonzero(labels != NOISE)
    cluster_ids = new.cluster_ids[labels[inside]]
    images = unassigned.take(inside)
    members = build_assignments(
        images,
        cluster_ids,
        all_models,
        states=assignment_states(images.image_ids, cluster_ids, set()),
        since=since[inside],
    )
    novel = tuple(NovelCluster(int(i), int((cluster_ids == i).sum())) for i in new.cluster_ids)
    return NovelClusters(novel, all_models, new_exemplars, members)


def _separate_groups(
    unassigned: PreparedImages, models: ClusterModels, exemplars: Exemplars, *, seed: int
) -> Labels:
    """``(n,)`` the group of each image, from 0; NOISE for none."""
    known = [exemplars.of(int(mode)) for mode in models.mode_ids]
    usual = [looseness(vectors) for vectors in known if len(vectors) > 1]
    counts = np.array([models.counts[models.cluster_ids == i].sum() for i in models.ids])
    found = find_groups(
        unassigned.vectors,
        looseness=float(np.median(usual)) if usual else 0.0,
        least=smallest_group(counts, len(unassigned.image_ids)),
        seed=seed,
    )
    labels = np.full(len(found), NOISE, dtype=np.int64)
    count = 0
    for group in range(int(found.max(initial=NOISE)) + 1):
        if is_separate(unassigned.vectors[found == group], known):
            labels[found == group] = count
            count += 1
    return labels


def _add_fitting_images(
    unassigned: PreparedImages,
    labels: Labels,
    models: ClusterModels,
    new: ClusterModels,
    exemplars: Exemplars,
    constraints: Constraints,
) -> tuple[Labels, ClusterModels]:
    """Assign other unassigned images to the novel clusters that they fit."""
    all_models = ClusterModels.joined([models, new])
    rest = np.flatnonzero(labels == NOISE)
    some = unassigned.take(rest)
    location = assign_images(all_models, exemplars, some.vectors, some.points)
    free = np.array([i not in constraints.fixed for i in some.image_ids], dtype=np.bool_)
    mode_ids = all_models.mode_ids[location.placement.nearest]
    chosen = np.flatnonzero(np.isin(mode_ids, new.mode_ids) & free & ~location.unassigned)
    rows = np.array([new.row_of(int(mode_id)) for mode_id in mode_ids[chosen]], dtype=np.int64)
    labels = labels.copy()
    labels[rest[chosen]] = rows
    distances = location.placement.distances[chosen]
    return labels, grow_models(new, some.points[chosen], rows, distances)
