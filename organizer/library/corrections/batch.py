"""A batch of decisions: drafted, checked against earlier ones, and stored as one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from organizer.cluster.decisions import ConstraintsBuilder
from organizer.cluster.lineage import compare_changed
from organizer.errors import SettingsError
from organizer.library.corrections.notes import notes_on
from organizer.library.corrections.report import DecisionReport
from organizer.library.corrections.state import EditorState
from organizer.library.corrections.working import WorkingClusters
from organizer.store import now
from organizer.typed import as_typed
from organizer.types import Decision, DecisionKind, Exemplars, LineageReport, StepKind

_SEVERAL = "decisions"


class DecisionBatch:
    """Decisions that are stored together.

    Args:
        state: The clusters before the first of them.

    Attributes:
        builder: What follows from all decisions so far.
        decisions: All decisions that hold, those of the batch last.
        reports: What each decision of the batch did.
    """

    def __init__(self, state: EditorState) -> None:
        self._state = state
        self.builder: ConstraintsBuilder = state.builder.copy()
        self.decisions = list(state.decisions)
        self.reports: list[DecisionReport] = []
        self._new: list[Decision] = []
        self._notes: tuple[str, ...] = ()
        self._remarks: list[str] = []
        self._next_id = state.store.decisions.next_id()
        self._next_cluster_id = state.store.clusterings.next_cluster_id()
        self._given_ids: list[int] = []

    def next_cluster_id(self) -> int:
        """An id that no cluster ever had; it is given once."""
        self._given_ids.append(self._next_cluster_id)
        self._next_cluster_id += 1
        return self._given_ids[-1]

    def draft(
        self,
        kind: DecisionKind,
        *,
        cluster_id: int = 0,
        name: str = "",
        image_ids: Sequence[str] = (),
        groups: Sequence[int] = (),
        others: Sequence[int] = (),
    ) -> Decision:
        """A decision with the next number."""
        return Decision(
            self._next_id + len(self._new),
            now(),
            kind,
            cluster_id=cluster_id,
            name=name,
            image_ids=tuple(image_ids),
            groups=tuple(groups) or (0,) * len(image_ids),
            others=tuple(others),
        )

    def add(self, decision: Decision) -> ConstraintsBuilder:
        """Add a decision; returns what follows from all so far."""
        notes = notes_on(self._state, self.builder, self.decisions, decision)
        self._notes, self._remarks = (*notes, *self._remarks), []
        self.builder.apply(decision)
        self.decisions.append(decision)
        self._new.append(decision)
        return self.builder

    def remark(self, note: str) -> None:
        """Keep what the person should know of the decision that is added next."""
        self._remarks.append(note)

    def report(self, decision: Decision, lineage: LineageReport) -> None:
        """Note what the decision that was added last did."""
        self.reports.append(DecisionReport(decision, lineage, self._notes))

    def require_no_conflict(self, decision: Decision) -> None:
        """Make sure that a decision contradicts no earlier one.

        Raises:
            SettingsError: It does.
        """
        after = self.builder.copy()
        after.apply(decision)
        conflicts = after.constraints().conflicts()
        if conflicts:
            image_id, cluster_id = conflicts[0]
            more = f" and {len(conflicts) - 1} more" if len(conflicts) > 1 else ""
            named = self._path_or_id(image_id)
            raise SettingsError(
                f"{named}{more} would have to be in cluster {cluster_id}, from which "
                "you excluded it",
                f"if it is: organizer clusters move {as_typed(named)} --to "
                f"{next(iter(decision.others), decision.cluster_id)}",
            )

    def _path_or_id(self, image_id: str) -> str:
        """What a person calls an image: its path; its id where it has no file any more."""
        files = self._state.store.photos.files_of([image_id], with_people=True)
        return str(files[image_id][0].file) if image_id in files else image_id

    def commit(self, clusters: WorkingClusters) -> EditorState:
        """Store the decisions and what follows from them, as one step of the history.

        Returns:
            The clusters after them.
        """
        state = self._state
        if not self._new:
            return state
        store, clustering_id = state.store, state.clustering.clustering_id
        with store.transaction():
            if len(state.added):
                store.clusterings.append_members(clustering_id, state.added)
            step_id = self._store_clusters(clusters)
            new = [replace(decision, step_id=step_id) for decision in self._new]
            store.decisions.append(new)
        self.reports = [
            replace(report, decision=decision)
            for report, decision in zip(self.reports, new, strict=True)
        ]
        decisions = (*state.decisions, *new)
        return state.followed_by(
            clusters.members,
            clusters.models,
            clusters.exemplars,
            decisions,
            self.builder,
            is_measured=state.is_measured and not clusters.has_changed,
        )

    def _store_clusters(self, clusters: WorkingClusters) -> int:
        """Store the clusters where they have changed; returns the step."""
        store = self._state.store
        if not clusters.has_changed:
            return store.steps.add(StepKind.DECISIONS, at=now()).step_id
        kinds = {decision.kind.value for decision in self._new}
        change = clusters.change()
        return store.clusterings.add_decided(
            self._state.clustering,
            models=clusters.models,
            change=change,
            exemplars=self._exemplars(clusters),
            lineage=compare_changed(
                self._state.cluster_sizes,
                change.before.cluster_ids,
                change.after.cluster_ids,
                new_ids=clusters.models.ids,
            ),
            action=kinds.pop() if len(kinds) == 1 else _SEVERAL,
            given_ids=self._given_ids,
        )

    def _exemplars(self, clusters: WorkingClusters) -> Exemplars | None:
        if self._state.is_measured:  # by a format that had none: all of them are new to the store
            return clusters.exemplars
        return Exemplars.joined(clusters.new_exemplars) if clusters.new_exemplars else None
