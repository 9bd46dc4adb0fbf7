"""The clusters that every clustering must have: those that decisions named, pinned or made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from organizer.cluster.decisions import REPRESENTATIVES, Constraints
from organizer.cluster.incremental import place_points, unit_rows
from organizer.library.clustering.build import PreparedImages
from organizer.library.clustering.previous import PreviousClusters
from organizer.types import NOISE, Labels

RequiredClusters = Mapping[int, Sequence[Labels]]
"""Cluster id -> for each of its modes the rows of its representatives."""


def required_clusters(
    constraints: Constraints, images: PreparedImages, previous: PreviousClusters
) -> dict[int, list[Labels]]:
    """The required clusters with their representatives.

    Where the representatives were moved away one by one, the most typical of the previous members
    take their place. A cluster none of whose images has a vector here is left out.
    """
    row_of = {image_id: row for row, image_id in enumerate(images.image_ids.tolist())}
    found = {}
    for cluster_id, groups in constraints.seeds.items():
        rows = [[row_of[i] for i in group if i in row_of] for group in groups]
        modes = [np.array(sorted(group), dtype=np.int64) for group in rows if group]
        if not modes:
            modes = _typical(images, np.flatnonzero(previous.labels == cluster_id))
        if modes:
            found[cluster_id] = modes
    return found


def _typical(images: PreparedImages, members: Labels) -> list[Labels]:
    """One mode: the members nearest to their mean; none where there are no members."""
    if not len(members):
        return []
    mean = unit_rows(images.mean_point(members)[None].astype(np.float32))
    nearest = np.argsort(place_points(images.points[members], mean).distances, kind="stable")
    return [np.sort(members[nearest[:REPRESENTATIVES]])]


def match_required(
    labels: Labels, required: RequiredClusters, previous: PreviousClusters
) -> tuple[Labels, tuple[int | None, ...]]:
    """Match the clusters that a clusterer found with the required ones, and make the missing ones.

    The representatives of a cluster go with it. They count for more than its other members.

    Args:
        labels: ``(n,)`` the found cluster of each image, from 0; NOISE for none.
        required: The required clusters.
        previous: The previous clusters.

    Returns:
        The labels, and for each cluster the required one that it is, or None.
    """
    from scipy.optimize import linear_sum_assignment

    labels = labels.copy()
    count = int(labels.max()) + 1
    votes = np.zeros((len(required), count))
    for number, (cluster_id, modes) in enumerate(required.items()):
        seeds = labels[np.concatenate(list(modes))]
        members = labels[previous.labels == cluster_id]
        votes[number] += np.bincount(seeds[seeds != NOISE], minlength=count) * (len(labels) + 1)
        votes[number] += np.bincount(members[members != NOISE], minlength=count)
    matched = dict(zip(*linear_sum_assignment(votes, maximize=True), strict=True))
    owners: list[int | None] = [None] * count
    for number, (cluster_id, modes) in enumerate(required.items()):
        mode = int(matched.get(number, NOISE))
        if mode == NOISE or not votes[number, mode]:
            mode = len(owners)
            owners.append(cluster_id)
        owners[mode] = cluster_id
        labels[np.concatenate(list(modes))] = mode
    held, labels_held = np.unique(labels, return_inverse=True)
    shift = 1 if held[0] == NOISE else 0
    return labels_held - shift, tuple(owners[mode] for mode in held[shift:])
