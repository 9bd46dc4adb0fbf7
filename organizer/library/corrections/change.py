"""The clustering that follows from a decision: rebuilt where it changes, and stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.decisions import compile_constraints
from organizer.cluster.lineage import compare_clusterings
from organizer.errors import ClusteringError
from organizer.library.clustering.build import (
    PreparedImages,
    assignment_states,
    build_assignments,
    rebuild_models,
)
from organizer.library.corrections.state import EditorState
from organizer.types import (
    NOISE,
    Assignments,
    Clustering,
    ClusterModels,
    Decision,
    Exemplars,
    Labels,
    LineageReport,
)


@dataclass(frozen=True, slots=True)
class Change:
    """The clusters after a decision, and their members.

    Attributes:
        rows: The members whose distances are computed again.
        images: These, with their vectors.
        cluster_ids: ``(n,)`` the cluster of every member after it; NOISE for none.
        models: All clusters after it.
        exemplars: Those of clusters that are new or rebuilt; None where there are none.
    """

    rows: Labels
    images: PreparedImages
    cluster_ids: Labels
    models: ClusterModels
    exemplars: Exemplars | None = None


def rebuild_clusters(
    state: EditorState,
    cluster_ids: Labels,
    models: ClusterModels,
    *,
    affected: set[int],
    merged: tuple[int, frozenset[int]] | None = None,
) -> Change:
    """Rebuild the clusters that lost or gained images.

    Args:
        state: The current clustering.
        cluster_ids: ``(n,)`` the cluster of each member after the decision.
        models: The clusters, each mode with the cluster that it belongs to after it.
        affected: The clusters to rebuild.
        merged: Where clusters were merged, the one that remains and all that are part of it: their
            members stay with their modes.
    """
    touched = np.isin(cluster_ids, list(affected)) | (cluster_ids != state.members.cluster_ids)
    rows = np.flatnonzero(touched)
    images = state.images(rows, cluster_ids)
    old = np.isin(models.cluster_ids, list(affected))
    owners, assigned = models.cluster_ids, cluster_ids[rows]
    if merged is not None:
        into, parts = merged
        owners = np.array(
            [state.models.cluster_ids[state.models.row_of(m)] for m in models.mode_ids]
        )
        previous = state.members.cluster_ids[rows]
        stayed = np.isin(previous, list(parts)) & (assigned == into)
        assigned = np.where(stayed, previous, assigned)
    new, exemplars = rebuild_models(
        images, assigned, models, seed=state.settings.seed, owners=owners, usual=models
    )
    models = ClusterModels.joined([models.take(~old), new])
    return Change(rows, images, cluster_ids, models, exemplars)


def commit_change(state: EditorState, decision: Decision, change: Change) -> LineageReport:
    """Store a decision, and the clustering that follows from it.

    The decision is stored first: one without its clustering is revoked by the next writer, see
    `organizer.library.corrections.undo`.

    Raises:
        SettingsError: It contradicts an earlier decision.
        ClusteringError: No cluster would be left.
    """
    state.require_no_conflict(decision)
    if not len(change.models):
        raise ClusteringError("no cluster would be left", "organizer recluster makes others")
    clustering = Clustering(
        _members(state, decision, change),
        change.models,
        _exemplars(state, change),
        state.clustering.embedder,
        state.clustering.reducer,
        state.space_state,
        state.clustering.clusterer,
        state.clustering.evidence,
        state.clustering.algorithm,
    )
    previous = state.members.cluster_ids
    known = previous != NOISE
    lineage = compare_clusterings(
        previous[known],
        change.cluster_ids[known],
        old_ids=state.models.ids,
        new_ids=change.models.ids,
    )
    state.store.decisions.append(decision)
    state.store.clusterings.add(
        clustering,
        parent_id=state.clustering.clustering_id,
        lineage=lineage,
        action=decision.kind.value,
        decision_id=decision.decision_id,
    )
    return lineage


def _members(state: EditorState, decision: Decision, change: Change) -> Assignments:
    rows = change.rows
    fixed = compile_constraints([*state.decisions, decision]).fixed
    cluster_ids = change.cluster_ids[rows]
    changed = build_assignments(
        change.images,
        cluster_ids,
        change.models,
        states=assignment_states(change.images.image_ids, cluster_ids, fixed),
        since=state.members.since[rows],
    )
    untouched = np.ones(len(state.members), dtype=np.bool_)
    untouched[rows] = False
    stale = untouched & state.members.unassigned
    stale &= ~np.isin(state.members.candidates, change.models.cluster_ids)
    kept = state.members.take(untouched & ~stale)
    return Assignments.joined([kept, changed, _with_new_candidates(state, stale, change.models)])


def _with_new_candidates(
    state: EditorState, stale: NDArray[np.bool_], models: ClusterModels
) -> Assignments:
    """Unassigned images whose nearest cluster is gone, with their nearest one now."""
    rows = np.flatnonzero(stale)
    old = state.members.take(rows)
    return build_assignments(
        state.images(rows), old.cluster_ids, models, states=old.states, since=old.since
    )


def _exemplars(state: EditorState, change: Change) -> Exemplars:
    """The exemplars of the clusters that stay as they are, and the new ones."""
    new = change.exemplars
    fresh = new.mode_ids if new is not None else np.empty(0, np.int64)
    old = state.exemplars
    keep = np.isin(old.mode_ids, change.models.mode_ids) & ~np.isin(old.mode_ids, fresh)
    kept = Exemplars(old.mode_ids[keep], old.vectors[keep])
    return Exemplars.joined([kept, new] if new is not None else [kept])
