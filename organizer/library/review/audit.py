"""What the answers say of the clusters: purity, rejected images, outdated answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from organizer.cluster.decisions import compile_constraints
from organizer.evaluate.audit import AuditStratum, estimate_purity
from organizer.library.current import require_clustering
from organizer.library.review.answers import (
    AnswerTranslator,
    ImageInCluster,
    answer_summary,
)
from organizer.library.review.sample import current_members, members_by_cluster
from organizer.store import Answer, Store
from organizer.types import NOISE, Audit, DecisionKind


def count_outdated(store: Store, answers: Sequence[Answer]) -> int:
    """How many answers are about an image that is not in that cluster now: kept, not counted."""
    current = require_clustering(store)
    ids = [answer.image_id for answer in answers]
    clusters = store.clusterings.clusters_of(current.clustering_id, ids)
    today = AnswerTranslator(store)
    places = [(answer.image_id, clusters.get(answer.image_id)) for answer in answers]
    return sum(today(a).pair != place for a, place in zip(answers, places, strict=True))


def count_reopened(store: Store) -> int:
    """How many images were said not to be of a cluster that was merged since, and are in it."""
    current = store.clusterings.current()
    found = answer_summary(store).reopened if current else set()
    if current is None or not found:
        return 0
    clusters = store.clusterings.clusters_of(current.clustering_id, [i for i, _ in found])
    return sum(clusters.get(image_id) == cluster_id for image_id, cluster_id in found)


def rejected_images(store: Store, cluster_ids: Sequence[int] = ()) -> dict[int, list[str]]:
    """The images that were said not to belong to the cluster that they still are in, by cluster."""
    _, members = current_members(store, cluster_ids)
    known = answer_summary(store)
    found = {
        cluster_id: [i for i in image_ids if known.belongs.get((i, cluster_id)) is False]
        for cluster_id, image_ids in members_by_cluster(members, cluster_ids).items()
    }
    return {cluster_id: sorted(image_ids) for cluster_id, image_ids in found.items() if image_ids}


def audit_clusters(store: Store) -> Audit | None:
    """See `organizer.library.Library.audit`."""
    current = store.clusterings.current()
    known = answer_summary(store) if current else None
    if current is None or known is None or not known.at_random:
        return None
    members = store.clusterings.assignments(current.clustering_id)
    cluster_of = dict(zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True))
    was_taken_out = _TakenOut(store)
    answered: Counter[int] = Counter()
    right: Counter[int] = Counter()
    out: Counter[int] = Counter()
    for pair in known.at_random:
        image_id, cluster_id = pair
        if cluster_of.get(image_id) == cluster_id:
            answered[cluster_id] += 1
            right[cluster_id] += known.belongs[pair]
        elif not known.belongs[pair] and image_id in cluster_of and was_taken_out(pair):
            answered[cluster_id] += 1
            out[cluster_id] += 1
    ids, sizes = np.unique(members.cluster_ids[members.cluster_ids != NOISE], return_counts=True)
    return estimate_purity(
        [
            AuditStratum(i, size, answered[i], right[i], out[i])
            for i, size in zip(ids.tolist(), sizes.tolist(), strict=True)
        ]
    )


class _TakenOut:
    """Whether an image left a cluster because a person said so of this very image."""

    def __init__(self, store: Store) -> None:
        decisions = store.decisions.all()
        self._constraints = compile_constraints(decisions)
        self._moved = {
            image_id
            for decision in decisions
            if decision.kind is DecisionKind.MOVE
            for image_id in decision.image_ids
        }

    def __call__(self, pair: ImageInCluster) -> bool:
        image_id, cluster_id = pair
        if cluster_id in self._constraints.banned.get(image_id, ()):
            return True
        fixed = self._constraints.fixed.get(image_id, cluster_id)
        return image_id in self._moved and fixed != cluster_id
