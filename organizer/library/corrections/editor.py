"""The editor: applies a person's decisions to the current clustering.

Each decision that moves images makes a new clustering out of the current one, so that an undo
brings the previous one back. See `organizer.library.corrections.change` for the order in which
both are stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np

from organizer.cluster.assign import assign_images
from organizer.cluster.decisions import Constraints, compile_constraints
from organizer.cluster.incremental import grow_models, place_in_cluster
from organizer.cluster.kmeans import KMeans
from organizer.errors import ClusteringError, SettingsError
from organizer.library.clustering.build import ModeNames, build_models, one_per_observation
from organizer.library.clustering.constraints import apply_constraints, constrained_rows
from organizer.library.corrections.change import Change, commit_change, rebuild_clusters
from organizer.library.corrections.drafts import draft_merge, draft_with_representatives
from organizer.library.corrections.names import require_free_name
from organizer.library.corrections.notes import notes_on
from organizer.library.corrections.report import DecisionReport
from organizer.library.corrections.state import EditorState, read_state
from organizer.settings import Settings
from organizer.store import Store, StoredClustering
from organizer.types import (
    NOISE,
    ClusterModels,
    Decision,
    DecisionKind,
    Labels,
    LineageReport,
)


class Editor:
    """Makes one decision about a clustering. The caller holds the library for writing.

    Args:
        state: The clustering before the decision.
    """

    def __init__(self, state: EditorState) -> None:
        self.state = state

    @classmethod
    def open(
        cls,
        store: Store,
        *,
        settings: Settings,
        clustering: StoredClustering | None = None,
        added: Sequence[str] = (),
    ) -> Self:
        """An editor of the current clustering; see `organizer.library.corrections.state`."""
        return cls(read_state(store, settings=settings, clustering=clustering, added=added))

    # Decisions that move no image ----------------------------------------------------------

    def rename(self, cluster_id: int, name: str) -> DecisionReport:
        """See `Corrections.rename`."""
        self.state.require_cluster(cluster_id)
        name = require_free_name(self.state, name, cluster_id)
        return self._append(
            draft_with_representatives(self.state, DecisionKind.NAME, cluster_id, name)
        )

    def pin(self, cluster_id: int) -> DecisionReport:
        """See `Corrections.pin`."""
        self.state.require_cluster(cluster_id)
        return self._append(draft_with_representatives(self.state, DecisionKind.PIN, cluster_id))

    # Decisions that move images ------------------------------------------------------------

    def merge(self, cluster_ids: Sequence[int]) -> DecisionReport:
        """See `Corrections.merge`."""
        into, *others = dict.fromkeys(cluster_ids) or [0]
        if not others:
            raise SettingsError(
                "one cluster cannot be merged", "name two: organizer clusters merge 3 7"
            )
        for cluster_id in cluster_ids:
            self.state.require_cluster(cluster_id)
        decision = draft_merge(self.state, into, others)
        previous, models = self.state.members.cluster_ids, self.state.models
        merged = np.where(np.isin(models.cluster_ids, others), into, models.cluster_ids)
        models = replace(models, cluster_ids=merged)
        models = models.take(np.lexsort((models.mode_ids, models.cluster_ids)))
        after = np.where(np.isin(previous, others), into, previous)
        decided = constrained_rows(self.state.members.image_ids, self._constraints_with(decision))
        decided = decided[after[decided] == into]
        self._constrain(decision, decided, after, models)
        change = rebuild_clusters(
            self.state,
            after,
            models,
            affected={into, *after[decided].tolist()} - {NOISE},
            merged=(into, frozenset({into, *others})),
        )
        return self._commit(decision, change)

    def split(self, cluster_id: int, k: int) -> DecisionReport:
        """See `Corrections.split`."""
        self.state.require_cluster(cluster_id)
        seed = self.state.settings.seed
        rows = np.flatnonzero(self.state.members.cluster_ids == cluster_id)
        images = self.state.images(rows)
        if not 2 <= k <= len(rows):
            raise SettingsError(
                f"cluster {cluster_id} with {len(rows)} images cannot be split into {k}",
                f"2 to {len(rows)}",
            )
        parts = KMeans(n_clusters=k, random_state=seed).fit_predict(images.points)
        found, parts = np.unique(parts, return_inverse=True)
        if len(found) < k:
            raise SettingsError(
                f"the images of cluster {cluster_id} are too alike to be split into {k}",
                "choose a smaller --k" if k > 2 else "they are one group",
            )
        ids = self._ids_of_parts(cluster_id, np.bincount(parts))
        after = self.state.members.cluster_ids.copy()
        after[rows] = ids[parts]
        first = int(self.state.models.mode_ids.max()) + 1
        origins = [self.state.origin_of_parts(cluster_id)] * k
        modes = ModeNames(ids.tolist(), range(first, first + k), origins)
        new, exemplars = build_models(images, parts, modes, seed=seed, usual=self.state.models)
        image_ids, groups = self.state.representatives_of_parts(
            images, after[rows], new, cluster_id
        )
        decision = self.state.store.decisions.draft(
            DecisionKind.SPLIT,
            cluster_id=cluster_id,
            image_ids=image_ids,
            groups=groups,
            others=sorted(ids.tolist()),
        )
        kept = self.state.models.take(self.state.models.cluster_ids != cluster_id)
        models = ClusterModels.joined([kept, new])
        return self._commit(decision, Change(rows, images, after, models, exemplars))

    def move(
        self,
        image_ids: Sequence[str],
        cluster_id: int,
        *,
        burst: bool = False,
        restore: bool = False,
    ) -> DecisionReport:
        """See `Corrections.move`.

        Args:
            image_ids: The images.
            cluster_id: The cluster.
            burst: See `Corrections.move`.
            restore: Whether a cluster that lost its last image is made again, of these.
        """
        if restore and cluster_id not in self.state.models.ids:
            return self._make_cluster(image_ids, cluster_id)
        self.state.require_cluster(cluster_id)
        return self._place(DecisionKind.MOVE, image_ids, cluster_id, burst=burst)

    def exclude(
        self, image_ids: Sequence[str], cluster_id: int, *, burst: bool = False
    ) -> DecisionReport:
        """See `Corrections.exclude`."""
        self.state.require_cluster(cluster_id)
        return self._place(DecisionKind.NOT, image_ids, cluster_id, burst=burst)

    def new_cluster(
        self, image_ids: Sequence[str], name: str | None = None, *, burst: bool = False
    ) -> DecisionReport:
        """See `Corrections.new_cluster`."""
        image_ids = self.state.with_bursts(image_ids) if burst else image_ids
        cluster_id = self.state.store.clusterings.next_cluster_id()
        name = require_free_name(self.state, name, cluster_id) if name is not None else ""
        return self._make_cluster(image_ids, cluster_id, name)

    def retire(self, cluster_id: int) -> DecisionReport:
        """See `Corrections.retire`."""
        state = self.state
        state.require_cluster(cluster_id)
        if len(state.models.ids) == 1:
            raise ClusteringError(
                f"cluster {cluster_id} is the only one", "organizer recluster makes others"
            )
        decision = state.store.decisions.draft(DecisionKind.RETIRE, cluster_id=cluster_id)
        rows = np.flatnonzero(state.members.cluster_ids == cluster_id)
        images = state.images(rows)
        models = state.models.take(state.models.cluster_ids != cluster_id)
        found = assign_images(models, state.exemplars, images.vectors, images.points)
        nearest = models.cluster_ids[found.placement.nearest]
        after = state.members.cluster_ids.copy()
        after[rows] = apply_constraints(
            images,
            np.where(found.unassigned, NOISE, nearest),
            models,
            state.exemplars,
            self._constraints_with(decision),
        )
        counted = after[rows] != NOISE
        if images.observations is not None:
            counted = one_per_observation(after[rows], images.observations) != NOISE
        points = images.points[counted]
        at = place_in_cluster(points, models.centroids, models.cluster_ids, after[rows][counted])
        models = grow_models(models, points, at.nearest, at.distances)
        return self._commit(decision, Change(rows, images, after, models))

    # Steps ---------------------------------------------------------------------------------

    def _make_cluster(
        self, image_ids: Sequence[str], cluster_id: int, name: str = ""
    ) -> DecisionReport:
        """Make a cluster of images, whichever clusters they are in."""
        state = self.state
        decision = state.store.decisions.draft(
            DecisionKind.MOVE, cluster_id=cluster_id, name=name, image_ids=image_ids
        )
        state.require_members(image_ids)
        rows = np.flatnonzero(np.isin(state.members.image_ids, list(image_ids)))
        left = {*state.members.cluster_ids[rows].tolist()} - {NOISE}
        mode_id = int(state.models.mode_ids.max()) + 1
        new, _ = build_models(
            state.images(rows),
            np.zeros(len(rows), dtype=np.int64),
            ModeNames([cluster_id], [mode_id], ["made by a person"]),
            seed=state.settings.seed,
            usual=state.models,
        )
        after = state.members.cluster_ids.copy()
        after[rows] = cluster_id
        models = ClusterModels.joined([state.models, new])
        change = rebuild_clusters(state, after, models, affected={cluster_id, *left})
        return self._commit(decision, change)

    def _ids_of_parts(self, cluster_id: int, counts: Labels) -> Labels:
        """The cluster of each part: the largest keeps the id, the others get new ones."""
        fresh = self.state.store.clusterings.next_cluster_id()
        ids = np.empty(len(counts), dtype=np.int64)
        ids[np.argsort(-counts, kind="stable")] = [
            cluster_id,
            *range(fresh, fresh + len(counts) - 1),
        ]
        return ids

    def _place(
        self, kind: DecisionKind, image_ids: Sequence[str], cluster_id: int, *, burst: bool
    ) -> DecisionReport:
        """Move images to a cluster, or exclude them from one."""
        state = self.state
        image_ids = state.with_bursts(image_ids) if burst else image_ids
        decision = state.store.decisions.draft(kind, cluster_id=cluster_id, image_ids=image_ids)
        state.require_members(decision.image_ids)
        rows = np.flatnonzero(np.isin(state.members.image_ids, list(decision.image_ids)))
        previous = state.members.cluster_ids
        after = previous.copy()
        self._constrain(decision, rows, after, state.models)
        if kind is DecisionKind.NOT and (after == previous).all():
            none = np.empty(0, dtype=np.int64)
            change = Change(none, state.images(none), after, state.models)
        else:
            affected = ({*after[rows].tolist()} | {*previous[rows].tolist()}) - {NOISE}
            change = rebuild_clusters(state, after, state.models, affected=affected)
        return self._commit(decision, change)

    def _constrain(
        self, decision: Decision, rows: Labels, cluster_ids: Labels, models: ClusterModels
    ) -> None:
        """Apply the constraints to some members, in place in `cluster_ids`."""
        cluster_ids[rows] = apply_constraints(
            self.state.images(rows),
            cluster_ids[rows],
            models,
            self.state.exemplars,
            self._constraints_with(decision),
        )

    def _constraints_with(self, decision: Decision) -> Constraints:
        return compile_constraints([*self.state.decisions, decision])

    def _append(self, decision: Decision) -> DecisionReport:
        self.state.require_no_conflict(decision)
        self.state.store.decisions.append(decision)
        return DecisionReport(decision, LineageReport(), notes_on(self.state, decision))

    def _commit(self, decision: Decision, change: Change) -> DecisionReport:
        lineage = commit_change(self.state, decision, change)
        return DecisionReport(decision, lineage, notes_on(self.state, decision))
