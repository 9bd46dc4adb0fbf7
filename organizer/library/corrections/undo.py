"""Undo: back to the previous clustering, and out of what an interrupted writer left."""

from __future__ import annotations

from organizer.cluster.decisions import compile_constraints
from organizer.errors import ClusteringError
from organizer.library.corrections.drafts import draft_with_representatives
from organizer.library.corrections.state import read_state
from organizer.library.ingest.late import assign_late, recount_members
from organizer.settings import Settings
from organizer.store import Store, StoredClustering
from organizer.types import DecisionKind

_CHANGING = {
    DecisionKind.MERGE,
    DecisionKind.SPLIT,
    DecisionKind.MOVE,
    DecisionKind.NOT,
    DecisionKind.RETIRE,
}


def undo_last(store: Store, *, settings: Settings) -> StoredClustering:
    """See `organizer.library.Library.undo`. The caller holds the library for writing."""
    current = store.clusterings.current()
    if current is None or current.parent_id is None:
        raise ClusteringError(
            "there is no previous clustering to go back to",
            "undo takes back a recluster, a merge, a split, a move; there has been none",
        )
    previous = store.clusterings.get(current.parent_id)
    recount_members(store, previous, seed=settings.seed)
    kept = [d for d in store.decisions.all() if d.decision_id != (current.decision_id or None)]
    assign_late(store, previous, seed=settings.seed, constraints=compile_constraints(kept))
    reanchor_names(store, current, previous, settings=settings)
    if current.decision_id:
        store.decisions.append(
            store.decisions.draft(DecisionKind.TAKE_BACK, about=current.decision_id)
        )
    store.clusterings.make_current(previous.clustering_id, action="undo")
    return previous


def reanchor_names(
    store: Store, undone: StoredClustering, previous: StoredClustering, *, settings: Settings
) -> None:
    """Give names and pins of an undone clustering representatives in the previous one.

    Their representatives are typical of the undone clustering, and would bring it back. A name of a
    cluster that a recluster made stays as it is: the next recluster brings it back. A name of a
    part that a split made goes with the split.
    """
    state = read_state(store, settings=settings, clustering=previous)
    taken_back = {d.about for d in state.decisions}
    since = [
        d
        for d in state.decisions
        if d.kind in {DecisionKind.NAME, DecisionKind.PIN}
        and d.at >= undone.created_at
        and d.decision_id not in taken_back
    ]
    for decision in since:
        if decision.cluster_id in state.models.ids:
            kind, cluster_id = decision.kind, decision.cluster_id
            renewed = draft_with_representatives(state, kind, cluster_id, decision.name)
            store.decisions.append(renewed)
        elif not undone.decision_id:
            continue
        store.decisions.append(
            store.decisions.draft(DecisionKind.TAKE_BACK, about=decision.decision_id)
        )


def finish_undo(store: Store) -> None:
    """Complete an undo that took a decision back and was interrupted before it changed the rest."""
    current = store.clusterings.current()
    if current is None or current.parent_id is None or not current.decision_id:
        return
    if any(d.about == current.decision_id for d in store.decisions.all()):
        store.clusterings.make_current(current.parent_id, action="undo")


def revoke_unfinished(store: Store) -> None:
    """Take back a decision that was stored and not applied: its writer was interrupted."""
    decisions = store.decisions.all()
    if not decisions or decisions[-1].kind not in _CHANGING:
        return
    last = decisions[-1].decision_id
    completed = {clustering_id for _, clustering_id, _, _ in store.clusterings.heads()}
    made = {c.decision_id for c in store.clusterings.all() if c.clustering_id in completed}
    if last not in made:
        store.decisions.append(store.decisions.draft(DecisionKind.TAKE_BACK, about=last))
