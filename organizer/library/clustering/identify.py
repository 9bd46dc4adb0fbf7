"""From fitted labels to clusters with ids: those that continue a previous cluster keep its id."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from organizer.cluster.decisions import Constraints
from organizer.cluster.hysteresis import keeps_cluster
from organizer.cluster.incremental import place_in_cluster
from organizer.cluster.lineage import match_clusters
from organizer.library.clustering.build import (
    ModeNames,
    PreparedImages,
    assignment_states,
    build_assignments,
    build_models,
    rebuild_models,
)
from organizer.library.clustering.constraints import apply_constraints, constrained_rows
from organizer.library.clustering.fit import FittedLabels
from organizer.library.clustering.learned import ClusterHead, sampled_ids
from organizer.library.clustering.previous import PreviousClusters
from organizer.types import NOISE, Assignments, ClusterModels, Exemplars, Labels, Vectors

_ROWS_AT_ONCE = 8_192


def identify_clusters(
    images: PreparedImages,
    previous: PreviousClusters,
    constraints: Constraints,
    fitted: FittedLabels,
    *,
    singly: Collection[str],
    points_of: Callable[[Vectors], Vectors],
    next_id: int,
    seed: int,
) -> tuple[Assignments, ClusterModels, Exemplars, int]:
    """Give fitted clusters their ids, and every image its cluster.

    Args:
        images: The images.
        previous: The clusters that they were in.
        constraints: The constraints on single images.
        fitted: The labels that a clusterer gave.
        singly: Images that were decided by themselves.
        points_of: Transforms vectors to points in the clustering's space.
        next_id: The first id that no cluster ever had.
        seed: Of the draw of exemplars.

    Returns:
        The assignments, the clusters, their exemplars, and how many images are in another cluster
        because of what the decisions teach about them.
    """
    cluster_of, required = fitted.clusters()
    labels = np.where(fitted.labels == NOISE, NOISE, cluster_of[fitted.labels])
    both = previous.known & (labels != NOISE)
    ids, _ = match_clusters(
        previous.labels[both],
        labels[both],
        old_ids=previous.ids,
        k=int(cluster_of.max()) + 1,
        next_id=next_id,
        decided=required,
    )
    mode_clusters = ids[cluster_of]
    modes = ModeNames(
        mode_clusters.tolist(), range(1, len(mode_clusters) + 1), ["recluster"] * len(mode_clusters)
    )
    models, exemplars = build_models(images, fitted.labels, modes, seed=seed)
    cluster_ids = np.where(fitted.labels == NOISE, NOISE, mode_clusters[fitted.labels])
    cluster_ids = _with_hysteresis(images, cluster_ids, previous, models, constraints)
    decided = set(sampled_ids(constraints.fixed.keys(), singly, seed=seed))
    rows = np.flatnonzero([image_id in decided for image_id in images.image_ids.tolist()])
    head = ClusterHead.fit(
        images.take(rows),
        constraints.fixed,
        singly,
        models,
        exemplars,
        required=constraints.required,
        points_of=points_of,
    )
    learned = cluster_ids
    if head is not None:
        learned = _without_doubtful_moves(images, cluster_ids, previous, head, constraints)
        if head.knows_better:
            learned = _learned(images, learned, head, constraints)
    n_learned = int(np.count_nonzero(learned != cluster_ids))
    cluster_ids = apply_constraints(images, learned, models, exemplars, constraints)
    models, exemplars = rebuild_models(images, cluster_ids, models, seed=seed)
    states = assignment_states(images.image_ids, cluster_ids, constraints.fixed)
    since = np.zeros(len(cluster_ids), dtype=np.int64)
    assignments = build_assignments(images, cluster_ids, models, states=states, since=since)
    return assignments, models, exemplars, n_learned


def _without_doubtful_moves(
    images: PreparedImages,
    cluster_ids: Labels,
    previous: PreviousClusters,
    head: ClusterHead,
    constraints: Constraints,
) -> Labels:
    """Leave images in the cluster that a person decided about, unless a head too prefers the other.

    A cluster of two or three images that a person just made is a centroid like any other to
    K-means, and takes what lies nearest from all around.
    """
    decided = sorted(constraints.required)
    moved = (cluster_ids != previous.labels) & np.isin(previous.labels, decided)
    rows = np.flatnonzero(moved & np.isin(cluster_ids, decided))
    kept = cluster_ids.copy()
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[start : start + _ROWS_AT_ONCE]
        old = previous.labels[part]
        agrees = head.prefers(images.vectors[part], images.points[part], kept[part], old)
        kept[part] = np.where(agrees, kept[part], old)
    return kept


def _learned(
    images: PreparedImages, cluster_ids: Labels, head: ClusterHead, constraints: Constraints
) -> Labels:
    """The clusters of images, where a head knows better those that it says, but for decisions."""
    found = cluster_ids.copy()
    for start in range(0, len(found), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        found[rows] = head.reassigned(
            images.vectors[rows], images.points[rows], cluster_ids[rows], must_fit=False
        )
    for row in constrained_rows(images.image_ids, constraints).tolist():
        image_id = images.image_ids[row]
        banned = constraints.banned.get(image_id, frozenset())
        if image_id in constraints.fixed or found[row] in banned:
            found[row] = cluster_ids[row]
    return found


def _with_hysteresis(
    images: PreparedImages,
    cluster_ids: Labels,
    previous: PreviousClusters,
    models: ClusterModels,
    constraints: Constraints,
) -> Labels:
    """Leave images in their previous cluster unless another one is clearly nearer."""
    survivors = np.array(models.ids, dtype=np.int64)
    labels = previous.guiding(constraints.required)
    moved = (cluster_ids != labels) & np.isin(labels, survivors)
    rows = np.flatnonzero(moved)
    if not len(rows):
        return cluster_ids
    old = labels[rows]
    at_old = place_in_cluster(images.points[rows], models.centroids, models.cluster_ids, old)
    is_named = np.isin(old, list(constraints.required))
    stay = keeps_cluster(at_old, models.deviations[at_old.nearest], is_named)
    kept = cluster_ids.copy()
    kept[rows[stay]] = old[stay]
    return kept
