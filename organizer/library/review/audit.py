"""The audit of the clusters from the answers: purity, rejected images, outdated answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from organizer.cluster.decisions import Constraints, compile_constraints
from organizer.evaluate.audit import AuditStratum, estimate_purity
from organizer.library.current import require_clustering
from organizer.library.images.decided import current_decisions
from organizer.library.review.answers import (
    AnswerTranslator,
    ImageInCluster,
    answer_summary,
)
from organizer.library.review.sample import current_members, members_by_cluster
from organizer.store import Answer, Store
from organizer.types import NOISE, Audit, Decision, DecisionKind


def count_outdated(store: Store, answers: Sequence[Answer]) -> int:
    """The number of answers about an image that is not in that cluster now: they do not count."""
    current = require_clustering(store)
    ids = [answer.image_id for answer in answers]
    clusters = store.clusterings.clusters_of(current.clustering_id, ids)
    translate = AnswerTranslator.read(store)
    pairs = [(answer.image_id, clusters.get(answer.image_id)) for answer in answers]
    return sum(translate(a).pair != pair for a, pair in zip(answers, pairs, strict=True))


def count_reopened(store: Store) -> int:
    """The number of images that were answered no for a part of the merged cluster they are in."""
    current = store.clusterings.current()
    found = answer_summary(store).reopened if current else set()
    if current is None or not found:
        return 0
    clusters = store.clusterings.clusters_of(current.clustering_id, [i for i, _ in found])
    return sum(clusters.get(image_id) == cluster_id for image_id, cluster_id in found)


def rejected_images(store: Store, cluster_ids: Sequence[int] = ()) -> dict[int, list[str]]:
    """The images that were answered with no for the cluster that they still are in, by cluster."""
    _, members = current_members(store, cluster_ids)
    known = answer_summary(store)
    found = {
        cluster_id: [i for i in image_ids if known.belongs.get((i, cluster_id)) is False]
        for cluster_id, image_ids in members_by_cluster(members, cluster_ids).items()
    }
    return {cluster_id: sorted(image_ids) for cluster_id, image_ids in found.items() if image_ids}


def audit_clusters(store: Store) -> Audit | None:
    """See `Review.audit`."""
    current = store.clusterings.current()
    known = answer_summary(store) if current else None
    if current is None or known is None or not known.at_random:
        return None
    members = store.clusterings.assignments(current.clustering_id)
    cluster_of = dict(zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True))
    decisions = current_decisions(store)
    constraints, moved = compile_constraints(decisions), _moved_images(decisions)
    answered: Counter[int] = Counter()
    right: Counter[int] = Counter()
    excluded: Counter[int] = Counter()
    for pair in known.at_random:
        image_id, cluster_id = pair
        if cluster_of.get(image_id) == cluster_id:
            answered[cluster_id] += 1
            right[cluster_id] += known.belongs[pair]
        elif (
            not known.belongs[pair]
            and image_id in cluster_of
            and _was_removed(pair, constraints, moved)
        ):
            answered[cluster_id] += 1
            excluded[cluster_id] += 1
    ids, sizes = np.unique(members.cluster_ids[members.cluster_ids != NOISE], return_counts=True)
    return estimate_purity(
        [
            AuditStratum(i, size, answered[i], right[i], excluded[i])
            for i, size in zip(ids.tolist(), sizes.tolist(), strict=True)
        ]
    )


def _moved_images(decisions: Iterable[Decision]) -> set[str]:
    """The images that any decision moved."""
    moves = (d for d in decisions if d.kind is DecisionKind.MOVE)
    return {image_id for decision in moves for image_id in decision.image_ids}


def _was_removed(pair: ImageInCluster, constraints: Constraints, moved: Collection[str]) -> bool:
    """Whether a person excluded an image from a cluster, or moved it elsewhere."""
    image_id, cluster_id = pair
    if cluster_id in constraints.banned.get(image_id, ()):
        return True
    return image_id in moved and constraints.fixed.get(image_id, cluster_id) != cluster_id
