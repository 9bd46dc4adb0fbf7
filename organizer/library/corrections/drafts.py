"""Drafts of decisions with the representatives of clusters; they are not stored yet."""

from __future__ import annotations

from collections.abc import Sequence

from organizer.library.corrections.state import EditorState
from organizer.types import Decision, DecisionKind


def draft_with_representatives(
    state: EditorState, kind: DecisionKind, cluster_id: int, name: str = ""
) -> Decision:
    """Draft a name or a pin of a cluster.

    Args:
        state: The clustering.
        kind: `DecisionKind.NAME` or `DecisionKind.PIN`.
        cluster_id: The cluster.
        name: The name.
    """
    image_ids, groups = state.representatives(cluster_id)
    return state.store.decisions.draft(
        kind, cluster_id=cluster_id, name=name, image_ids=image_ids, groups=groups
    )


def draft_merge(state: EditorState, into: int, others: Sequence[int]) -> Decision:
    """Draft a merge.

    Args:
        state: The clustering.
        into: The cluster that remains.
        others: The clusters that are merged into it.
    """
    image_ids: list[str] = []
    groups: list[int] = []
    for cluster_id in (into, *others):
        for image_id, mode in zip(*state.representatives(cluster_id), strict=True):
            # An image that is excluded from a part is excluded from the merged cluster.
            banned = state.constraints.banned.get(image_id, frozenset())
            if not banned & {into, *others}:
                image_ids.append(image_id)
                groups.append(mode)
    return state.store.decisions.draft(
        DecisionKind.MERGE, cluster_id=into, image_ids=image_ids, groups=groups, others=list(others)
    )
