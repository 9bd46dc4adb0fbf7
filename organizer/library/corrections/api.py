"""Decisions about clusters and images: rename, pin, merge, split, move, exclude and the like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from organizer.arguments import require_cluster_id, require_function, require_integer
from organizer.cluster.decisions import Constraints, compile_constraints
from organizer.library.corrections.apply import apply_requests
from organizer.library.corrections.arguments import require_requests
from organizer.library.corrections.history import HistoryEvent, read_history
from organizer.library.corrections.later_acts import LaterAct, acts_after
from organizer.library.corrections.report import DecisionReport
from organizer.library.corrections.requests import (
    DecisionRequest,
    ExcludeImages,
    MakeCluster,
    MergeClusters,
    MoveImages,
    NamedImages,
    PinCluster,
    RenameCluster,
    RetireCluster,
    SplitCluster,
)
from organizer.library.corrections.state import EditorState, read_state
from organizer.library.corrections.undo import (
    Undone,
    UndoReport,
    can_undo,
    describe_step,
    redo_last,
    undo_last,
)
from organizer.library.images.decided import current_decisions
from organizer.library.opening import OpenLibrary
from organizer.store import step_to_redo, step_to_undo

_STEPS_A_TIDY = 64


class Corrections:
    """Decisions about clusters and images: each is kept for good, and holds in every clustering.

    Each call is one transaction and one step of the history: all of it is stored, or nothing.

    Examples:
        >>> library.corrections.rename(3, "Red fox")  # doctest: +SKIP
        >>> library.corrections.move("photos/fox.jpg", 3)  # doctest: +SKIP
        >>> library.corrections.apply(
        ...     [MoveImages("photos/owl.jpg", 5), RenameCluster(5, "Owl")]
        ... )  # doctest: +SKIP
        >>> library.corrections.undo().what  # doctest: +SKIP
        ('move of 1 image to cluster 5', 'name Owl of cluster 5')
    """

    def __init__(self, opened: OpenLibrary) -> None:
        self._opened, self._store, self._settings = opened, opened.store, opened.settings
        self._state: tuple[tuple[int, ...], EditorState] | None = None

    def apply(self, requests: Sequence[DecisionRequest]) -> list[DecisionReport]:
        """Make several decisions at once: one transaction, and one step that one undo takes back.

        They are applied in order. If one is refused, none is made.

        Args:
            requests: The decisions.

        Returns:
            A report for each.

        Raises:
            SettingsError: See the method for each decision, such as `move`.
            ClusteringError: There is no clustering yet, or no cluster would be left.
            StoreError: The library cannot be written.
        """
        checked = require_requests(requests)
        if not checked:
            return []
        with self._opened.writing(decides=True):
            state, reports, has_written = apply_requests(
                self._store, self._current_state, checked, settings=self._settings
            )
            self._keep(state)
            if has_written or state.store.steps.count() % _STEPS_A_TIDY == 0:
                self.keep_through(self._opened.tidy)
        return reports

    def rename(self, cluster_id: int, name: str) -> DecisionReport:
        """Name a cluster. The name stays with its images through every recluster.

        Raises:
            SettingsError: There is no such cluster, or another one has the name.
        """
        return self._apply(RenameCluster(cluster_id, name))

    def pin(self, cluster_id: int) -> DecisionReport:
        """Keep a cluster, with the images that are typical of it, through every recluster.

        Raises:
            SettingsError: There is no such cluster.
        """
        return self._apply(PinCluster(cluster_id))

    def merge(self, cluster_ids: Sequence[int]) -> DecisionReport:
        """Make one cluster of several; it has the id of the first. They are never parted again.

        Raises:
            SettingsError: There is no such cluster, or it contradicts an earlier decision.
        """
        return self._apply(MergeClusters(cluster_ids))

    def split(self, cluster_id: int, *, k: int = 2) -> DecisionReport:
        """Make several clusters of one; the largest part keeps the id. They are never merged again.

        Raises:
            SettingsError: There is no such cluster, or it has too few different images.
        """
        return self._apply(SplitCluster(cluster_id, k))

    def move(self, images: NamedImages, cluster_id: int, *, burst: bool = False) -> DecisionReport:
        """Put images into a cluster, for good.

        Where crops are clustered, a photo stands for all its crops. One in which a detector saw
        nothing becomes a crop of the whole photo: a person's decision overrules a detector.

        Args:
            images: Paths, folders, or image ids of which the beginning is enough.
            cluster_id: The cluster.
            burst: Decide it for all images of their bursts, but for those that were decided by
                themselves.

        Raises:
            SettingsError: There is no such cluster or image.
        """
        return self._apply(MoveImages(images, cluster_id, burst=burst))

    def new_cluster(
        self, images: NamedImages, name: str | None = None, *, burst: bool = False
    ) -> DecisionReport:
        """Make a new cluster of images, for good, whichever clusters they are in.

        Args:
            images: Paths, folders, or image ids of which the beginning is enough.
            name: The name of the cluster; none where None.
            burst: Decide it for all images of their bursts, but for those that were decided by
                themselves.

        Raises:
            SettingsError: There is no such image, or another cluster has the name.
        """
        return self._apply(MakeCluster(images, name, burst=burst))

    def exclude(
        self, images: NamedImages, cluster_id: int, *, burst: bool = False
    ) -> DecisionReport:
        """Exclude images from a cluster: they leave it and never come back.

        Args:
            images: Paths, folders, or image ids of which the beginning is enough.
            cluster_id: The cluster.
            burst: Decide it for all images of their bursts, but for those that were decided by
                themselves.

        Raises:
            SettingsError: There is no such cluster or image.
        """
        return self._apply(ExcludeImages(images, cluster_id, burst=burst))

    def retire(self, cluster_id: int) -> DecisionReport:
        """Dissolve a cluster: its images go where they fit, or are unassigned; its id is retired.

        Raises:
            SettingsError: There is no such cluster.
            ClusteringError: It is the only one.
        """
        return self._apply(RetireCluster(cluster_id))

    def undo(self) -> UndoReport:
        """Undo the last step, whatever it was: a decision, a batch of them, a recluster.

        Called again, it undoes the step before, without a limit. What was ingested since stays: new
        images are assigned to the clusters that are there after it.

        Raises:
            ClusteringError: There is nothing to undo.
            StoreError: The library cannot be written.
        """
        return self._return(undo_last)

    def redo(self) -> UndoReport:
        """Redo what was undone last. A new decision or a recluster ends what can be redone.

        Raises:
            ClusteringError: There is nothing to redo.
            StoreError: The library cannot be written.
        """
        return self._return(redo_last)

    def later_acts(self) -> tuple[LaterAct, ...]:
        """What came after the step that the next undo takes back, and is no step.

        Answers of a review, an arrangement that is in place, a change of deployments or detections:
        an undo leaves them as they are.
        """
        return acts_after(self._store, step_to_undo(self._store.steps.all()))

    def next_undo(self) -> tuple[str, ...]:
        """What the next undo takes back, a line each; empty where there is nothing to undo."""
        step = step_to_undo(self._store.steps.all())
        return describe_step(self._store, step) if step is not None and can_undo(step) else ()

    def next_redo(self) -> tuple[str, ...]:
        """What the next redo brings back, a line each; empty where there is nothing to redo."""
        steps = self._store.steps.all()
        undo = step_to_redo(steps)
        about = (step for step in steps if undo is not None and step.step_id == undo.about)
        return next((describe_step(self._store, step) for step in about), ())

    def history(
        self, cluster_id: int | None = None, *, since: int | None = None
    ) -> list[HistoryEvent]:
        """What became of the clusters, or of one of them, in order of time.

        Args:
            cluster_id: The cluster; all where None.
            since: Only the steps after a revision (`Library.revision`), without the clusters that
                ingests found; all that happened where None.

        Raises:
            SettingsError: No cluster ever had that id.
        """
        if cluster_id is not None:
            cluster_id = require_cluster_id(cluster_id)
        if since is not None:
            since = require_integer("since", since, least=0)
        return read_history(self._store, cluster_id, since=since)

    def keep_through(self, upkeep: Callable[[], None]) -> None:
        """Do upkeep that changes no cluster, and still know the clusters after it.

        Args:
            upkeep: Does it. The caller holds the library for writing.
        """
        require_function("upkeep", upkeep)
        known = self._known_state()
        upkeep()
        if known is not None and self._known_state() is None:
            self._keep(replace(known))  # without the rows of tables that were written again

    def constraints(self) -> Constraints:
        """The constraints that follow from all decisions that hold."""
        return compile_constraints(current_decisions(self._store))

    def _apply(self, request: DecisionRequest) -> DecisionReport:
        return self.apply([request])[0]

    def _return(self, revert: Callable[..., Undone]) -> UndoReport:
        with self._opened.writing(decides=True):
            report, state = revert(self._store, self._known_state(), settings=self._settings)
            if state is not None:
                self._keep(state)
            else:
                self._state = None
                self._opened.tidy()
        return report

    def _current_state(self, added: Sequence[str]) -> EditorState:
        """The current clusters; those of the last decision are still known if nothing has changed.

        Args:
            added: Images that become members with the decisions.
        """
        known = self._known_state() if not added else None
        return known or read_state(self._store, settings=self._settings, added=added)

    def _known_state(self) -> EditorState | None:
        if self._state is None:
            return None
        fingerprint, state = self._state
        return state if fingerprint == self._store.clusterings.fingerprint() else None

    def _keep(self, state: EditorState) -> None:
        # Bursts and what vectors are centred by may change with the photos and the deployments.
        plain = state.preprocessor.is_plain
        self._state = (self._store.clusterings.fingerprint(), state) if plain else None
