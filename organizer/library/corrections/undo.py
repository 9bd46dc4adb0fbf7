"""Undo and redo: one step of the history is taken back, whatever it was.

A step that decisions made is taken back by giving the members and modes that it changed what they
were before. Images that came since are not part of that: those in clusters that the step touched
are assigned again, and these clusters are counted again. A recluster is taken back by switching to
the clustering before it; images that came since are assigned to its clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from organizer.cluster.decisions import ConstraintsBuilder, compile_constraints, decision_title
from organizer.errors import ClusteringError
from organizer.library.clustering.constraints import assign_within_constraints
from organizer.library.corrections.state import EditorState, read_state
from organizer.library.corrections.working import WorkingClusters
from organizer.library.images.decided import current_decisions
from organizer.library.ingest.late import assign_late
from organizer.settings import Settings
from organizer.store import KEPT_BASES, Store, StoredClustering, now, step_to_redo, step_to_undo
from organizer.types import NOISE, Labels, Step, StepKind


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What an undo or a redo did.

    Attributes:
        kind: `StepKind.UNDO` or `StepKind.REDO`.
        what: What was undone or redone, a line each.
        clustering_id: The clustering that is current now; 0 where there is none.
        step: What was undone or redone: `StepKind.DECISIONS` or `StepKind.RECLUSTER`.
        k: The number of clusters that there are now.
    """

    kind: StepKind
    what: tuple[str, ...]
    clustering_id: int
    step: StepKind = StepKind.DECISIONS
    k: int = 0

    @property
    def is_recluster(self) -> bool:
        """Whether it was a recluster, so that all clusters are others now."""
        return self.step is StepKind.RECLUSTER

    @property
    def done(self) -> str:
        """The participle: "undone" or "redone"."""
        return "undone" if self.kind is StepKind.UNDO else "redone"


Undone = tuple[UndoReport, EditorState | None]
"""What an undo or a redo did, and the clusters after it where they are known already."""


def undo_last(store: Store, state: EditorState | None, *, settings: Settings) -> Undone:
    """See `Corrections.undo`. The caller holds the library for writing.

    Args:
        store: The library.
        state: The current clusters, where they are read already.
        settings: The seed of all that is drawn.
    """
    step = step_to_undo(store.steps.all())
    if step is None or not can_undo(step):
        raise ClusteringError(
            "there is nothing to undo", "organizer clusters history lists what was decided"
        )
    return _revert(store, state, step, StepKind.UNDO, step, settings=settings)


def redo_last(store: Store, state: EditorState | None, *, settings: Settings) -> Undone:
    """See `Corrections.redo`. The caller holds the library for writing.

    Args:
        store: The library.
        state: The current clusters, where they are read already.
        settings: The seed of all that is drawn.
    """
    steps = store.steps.all()
    undo = step_to_redo(steps)
    if undo is None:
        raise ClusteringError(
            "there is nothing to redo", "organizer redo brings back what organizer undo took back"
        )
    about = next(step for step in steps if step.step_id == undo.about)
    return _revert(store, state, undo, StepKind.REDO, about, settings=settings)


def can_undo(step: Step) -> bool:
    """Whether a step can be taken back: all but the first clustering."""
    return bool(step.former_id) or not step.clustering_id


def describe_step(store: Store, step: Step) -> tuple[str, ...]:
    """What a step was, for a person, a line each: "merge of 8 into 2"."""
    if step.kind is StepKind.RECLUSTER:
        return (f"recluster {step.clustering_id}",)
    return tuple(map(decision_title, store.decisions.by_step().get(step.step_id, ())))


def _revert(
    store: Store,
    state: EditorState | None,
    step: Step,
    kind: StepKind,
    about: Step,
    *,
    settings: Settings,
) -> Undone:
    """Take a step back.

    Args:
        store: The library.
        state: The current clusters; None where they are to be read.
        step: The step to take back: for a redo, the undo.
        kind: What taking it back is.
        about: The step that is undone or redone.
        settings: The seed of all that is drawn.
    """
    # Whatever is read for the report is read before the commit: once it is done, nothing may fail.
    if not step.former_id:  # a decision that is not about clusters, and there were none
        with store.transaction():
            store.steps.add(kind, at=now(), about=about.step_id)
            return UndoReport(kind, describe_step(store, about), 0, about.kind), None
    former = store.clusterings.get(step.former_id)
    current = store.clusterings.get(step.clustering_id)
    clusters: WorkingClusters | None = None
    with store.transaction():
        new = store.steps.add(
            kind, at=now(), clustering_id=former.clustering_id, about=about.step_id
        )
        if former.base_id != current.base_id:
            _switch(store, former, settings=settings)
        else:
            state = state or read_state(store, settings=settings)
            clusters = _restore(store, state, step, new)
        models = clusters.models if clusters else store.clusterings.models(former.clustering_id)
        what = describe_step(store, about)
        report = UndoReport(kind, what, former.clustering_id, about.kind, len(models.ids))
        return report, _after(store, state, clusters)


def _after(
    store: Store, state: EditorState | None, clusters: WorkingClusters | None
) -> EditorState | None:
    if state is None or clusters is None:
        return None
    decisions = current_decisions(store)
    return state.followed_by(
        clusters.members,
        clusters.models,
        state.exemplars,
        decisions,
        ConstraintsBuilder.of(decisions),
        is_measured=state.is_measured,
    )


def _switch(store: Store, former: StoredClustering, *, settings: Settings) -> None:
    if not store.clusterings.has_members(former.clustering_id):
        raise ClusteringError(
            f"the members of clustering {former.clustering_id} are kept no more",
            f"those of the last {KEPT_BASES} reclusters are, unless they were damaged; organizer "
            "recluster makes new clusters",
        )
    assign_late(store, former, seed=settings.seed)


def _restore(store: Store, state: EditorState, step: Step, new: Step) -> WorkingClusters:
    """Give the members and modes that a step changed what they were before it."""
    change = store.clusterings.change_of_step(step.step_id)
    modes = store.clusterings.modes_changed_by(step.step_id)
    clusters = WorkingClusters(state)
    if not len(change.before) and not modes:
        return clusters
    clustering_id = state.clustering.clustering_id
    rows = state.rows.of(change.before.image_ids)
    current = clusters.members.cluster_ids[rows]
    clusters.set_members(rows, change.before)
    clusters.models = store.clusterings.models_before(step.step_id, clustering_id)
    if store.clusterings.last_ingest() > step.ingest_id:
        owners = state.models.cluster_ids[np.isin(state.models.mode_ids, modes)]
        touched = (current, change.before.cluster_ids, owners)
        affected = {cluster_id for part in touched for cluster_id in part.tolist()}
        _assign_later(store, state, clusters, affected, step, rows)
    store.clusterings.change(
        state.clustering.base_id, clusters.models, clusters.change(), step_id=new.step_id
    )
    return clusters


def _assign_later(
    store: Store,
    state: EditorState,
    clusters: WorkingClusters,
    affected: set[int],
    step: Step,
    restored: Labels,
) -> None:
    """Assign images again that came since a step to clusters that it had changed."""
    members, models = clusters.members, clusters.models
    lost = ~np.isin(members.cluster_ids, models.cluster_ids) & (members.cluster_ids != NOISE)
    later = (members.since > step.ingest_id) & np.isin(members.cluster_ids, list(affected))
    rows = np.setdiff1d(np.flatnonzero(lost | later), restored)
    if len(rows):
        images = clusters.images(rows)
        constraints = compile_constraints(current_decisions(store))
        after = assign_within_constraints(images, models, state.exemplars, constraints)
        affected = affected | {*after.tolist()}
        members.cluster_ids[rows] = after
        clusters.place(rows, images, fixed=constraints.fixed)
    clusters.count_again(affected & {*models.cluster_ids.tolist()})
    clusters.renew_candidates()
