"""The way back: to the clustering before, and out of what a kill left half done."""

from __future__ import annotations

from organizer.cluster.decisions import compile_constraints
from organizer.errors import ClusteringError
from organizer.library.corrections.editor import Editor
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
            "there is no former clustering to go back to",
            "undo takes back a recluster, a merge, a split, a move; there has been none",
        )
    former = store.clusterings.get(current.parent_id)
    recount_members(store, former, seed=settings.seed)
    kept = [d for d in store.decisions.all() if d.decision_id != (current.decision_id or None)]
    assign_late(store, former, seed=settings.seed, constraints=compile_constraints(kept))
    reanchor_names(store, current, former, settings=settings)
    if current.decision_id:
        store.decisions.append(
            store.decisions.draft(DecisionKind.TAKE_BACK, about=current.decision_id)
        )
    store.clusterings.make_current(former.clustering_id, action="undo")
    return former


def reanchor_names(
    store: Store, undone: StoredClustering, former: StoredClustering, *, settings: Settings
) -> None:
    """Let names and pins that were given in a clustering that is undone stand on the former one.

    They stand for images that are typical of the undone clustering, and would bring it back. One of
    a cluster that a recluster made stays as it is: the next recluster brings it back. One of a part
    that a split made goes with the split.
    """
    editor = Editor.open(store, settings=settings, clustering=former)
    taken_back = {d.about for d in editor.state.decisions}
    late = [
        d
        for d in editor.state.decisions
        if d.kind in {DecisionKind.NAME, DecisionKind.PIN}
        and d.at >= undone.created_at
        and d.decision_id not in taken_back
    ]
    for decision in late:
        if decision.cluster_id in editor.state.models.ids:
            kind, cluster_id = decision.kind, decision.cluster_id
            fresh = editor.draft_with_representatives(kind, cluster_id, decision.name)
            store.decisions.append(fresh)
        elif not undone.decision_id:
            continue
        store.decisions.append(
            store.decisions.draft(DecisionKind.TAKE_BACK, about=decision.decision_id)
        )


def finish_undo(store: Store) -> None:
    """Complete an undo that took a word back and was cut short before it changed the clustering."""
    current = store.clusterings.current()
    if current is None or current.parent_id is None or not current.decision_id:
        return
    if any(d.about == current.decision_id for d in store.decisions.all()):
        store.clusterings.make_current(current.parent_id, action="undo")


def revoke_unfinished(store: Store) -> None:
    """Take back a word that was written down and not carried out: its writer was cut short."""
    decisions = store.decisions.all()
    if not decisions or decisions[-1].kind not in _CHANGING:
        return
    last = decisions[-1].decision_id
    in_force = {clustering_id for _, clustering_id, _, _ in store.clusterings.heads()}
    made = {c.decision_id for c in store.clusterings.all() if c.clustering_id in in_force}
    if last not in made:
        store.decisions.append(store.decisions.draft(DecisionKind.TAKE_BACK, about=last))
