"""The editor: applies a batch of decisions to the current clustering, and stores all or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from organizer.cluster.kmeans import KMeans
from organizer.counts import count_text
from organizer.errors import ClusteringError, SettingsError
from organizer.library.clustering.build import ModeNames, PreparedImages, build_models
from organizer.library.clustering.constraints import (
    apply_constraints,
    assign_within_constraints,
)
from organizer.library.corrections.batch import DecisionBatch
from organizer.library.corrections.names import require_free_name
from organizer.library.corrections.report import DecisionReport
from organizer.library.corrections.representatives import (
    origin_of_parts,
    representatives,
    representatives_of_parts,
)
from organizer.library.corrections.require import require_decidable, require_members
from organizer.library.corrections.state import EditorState, read_state
from organizer.library.corrections.working import WorkingClusters
from organizer.library.images.decided import decided_singly
from organizer.settings import Settings
from organizer.store import MADE_BY_A_PERSON, Store
from organizer.types import NOISE, Decision, DecisionKind, Labels, LineageReport


class Editor:
    """Applies decisions to a clustering, one after the other; `commit` stores them.

    A decision that is refused raises, and the editor is of no use any more: nothing is stored.

    Args:
        state: The clustering before the decisions.
    """

    def __init__(self, state: EditorState) -> None:
        self.state = state
        self.clusters = WorkingClusters(state)
        self.batch = DecisionBatch(state)

    @classmethod
    def open(cls, store: Store, *, settings: Settings, added: Sequence[str] = ()) -> Self:
        """An editor of the current clustering; see `organizer.library.corrections.state`."""
        return cls(read_state(store, settings=settings, added=added))

    # Decisions that move no image ----------------------------------------------------------

    def rename(self, cluster_id: int, name: str) -> Decision:
        """See `Corrections.rename`."""
        self._require_cluster(cluster_id)
        name = self._free_name(name, cluster_id)
        return self._represent(DecisionKind.NAME, cluster_id, name)

    def pin(self, cluster_id: int) -> Decision:
        """See `Corrections.pin`."""
        self._require_cluster(cluster_id)
        return self._represent(DecisionKind.PIN, cluster_id)

    # Decisions that move images ------------------------------------------------------------

    def merge(self, cluster_ids: Sequence[int]) -> Decision:
        """See `Corrections.merge`."""
        into, *others = dict.fromkeys(cluster_ids) or [0]
        if not others:
            raise SettingsError(
                "one cluster cannot be merged", "name two: organizer clusters merge 3 7"
            )
        for cluster_id in cluster_ids:
            self._require_cluster(cluster_id)
        decision = self._draft_merge(into, others)
        self.batch.require_no_conflict(decision)
        self.clusters.relabel(others, into)
        self.batch.add(decision)
        self._constrain_merged(into)
        return self._counted(decision)

    def split(self, cluster_id: int, k: int) -> Decision:
        """See `Corrections.split`."""
        self._require_cluster(cluster_id)
        seed, members = self.state.settings.seed, self.clusters.members
        rows = np.flatnonzero(members.cluster_ids == cluster_id)
        images = self.clusters.images(rows, kept=True)
        if not 2 <= k <= len(rows):
            size = count_text(len(rows), "image")
            raise SettingsError(
                f"cluster {cluster_id} with {size} cannot be split into {k}",
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
        first = self.clusters.next_mode_id()
        origins = [origin_of_parts(self.clusters.models, cluster_id)] * k
        modes = ModeNames(ids.tolist(), range(first, first + k), origins)
        new, exemplars = build_models(images, parts, modes, seed=seed, usual=self.clusters.models)
        fixed = self.batch.builder.fixed
        image_ids, groups = representatives_of_parts(images, ids[parts], new, fixed, cluster_id)
        decision = self.batch.draft(
            DecisionKind.SPLIT,
            cluster_id=cluster_id,
            image_ids=image_ids,
            groups=groups,
            others=sorted(ids.tolist()),
        )
        self.batch.add(decision)
        self.clusters.remove_cluster(cluster_id)
        self.clusters.add_modes(new, exemplars)
        self.clusters.reassign(
            rows, images, ids[parts], fixed=self.batch.builder.fixed, counted=ids.tolist()
        )
        return self._counted(decision)

    def move(
        self,
        image_ids: Sequence[str],
        cluster_id: int,
        *,
        burst: bool = False,
        restore: bool = False,
    ) -> Decision:
        """See `Corrections.move`.

        Args:
            image_ids: The images.
            cluster_id: The cluster.
            burst: See `Corrections.move`.
            restore: Whether a cluster that lost its last image is made again, of these.
        """
        if restore and cluster_id not in self.clusters.models.cluster_ids:
            return self._make_cluster(image_ids, cluster_id)
        self._require_cluster(cluster_id)
        return self._place(DecisionKind.MOVE, image_ids, cluster_id, burst=burst)

    def exclude(
        self, image_ids: Sequence[str], cluster_id: int, *, burst: bool = False
    ) -> Decision:
        """See `Corrections.exclude`."""
        self._require_cluster(cluster_id)
        return self._place(DecisionKind.NOT, image_ids, cluster_id, burst=burst)

    def new_cluster(
        self, image_ids: Sequence[str], name: str | None = None, *, burst: bool = False
    ) -> Decision:
        """See `Corrections.new_cluster`."""
        image_ids = self._with_bursts(image_ids) if burst else image_ids
        cluster_id = self.batch.next_cluster_id()
        free = self._free_name(name, cluster_id) if name is not None else ""
        return self._make_cluster(image_ids, cluster_id, free)

    def retire(self, cluster_id: int) -> Decision:
        """See `Corrections.retire`."""
        self._require_cluster(cluster_id)
        clusters = self.clusters
        if len(clusters.models.ids) == 1:
            raise ClusteringError(
                f"cluster {cluster_id} is the only one", "organizer recluster makes others"
            )
        decision = self.batch.draft(DecisionKind.RETIRE, cluster_id=cluster_id)
        constraints = self.batch.add(decision).constraints()
        rows = np.flatnonzero(clusters.members.cluster_ids == cluster_id)
        images = clusters.images(rows, kept=True)
        clusters.remove_cluster(cluster_id)
        after = assign_within_constraints(images, clusters.models, clusters.exemplars, constraints)
        clusters.reassign(rows, images, after, fixed=constraints.fixed)
        clusters.renew_candidates()
        return self._counted(decision)

    def prepare(self, image_ids: Sequence[str]) -> None:
        """Read what is needed of images that several decisions are about, all at once."""
        rows = self.state.rows.of(dict.fromkeys(image_ids))
        self.clusters.prepare(np.unique(rows[rows != NOISE]))

    # Storing -------------------------------------------------------------------------------

    def commit(self) -> EditorState:
        """Store the decisions and what follows from them, as one step of the history.

        Returns:
            The clusters after them.
        """
        return self.batch.commit(self.clusters)

    @property
    def reports(self) -> list[DecisionReport]:
        """What each decision did."""
        return self.batch.reports

    # Steps ---------------------------------------------------------------------------------

    def _represent(self, kind: DecisionKind, cluster_id: int, name: str = "") -> Decision:
        image_ids, groups = representatives(self.clusters, self.state, cluster_id)
        decision = self.batch.draft(
            kind, cluster_id=cluster_id, name=name, image_ids=image_ids, groups=groups
        )
        self.batch.add(decision)
        self.batch.report(decision, LineageReport())
        return decision

    def _draft_merge(self, into: int, others: Sequence[int]) -> Decision:
        image_ids: list[str] = []
        groups: list[int] = []
        banned = self.batch.builder.banned
        for cluster_id in (into, *others):
            found = representatives(self.clusters, self.state, cluster_id)
            for image_id, mode in zip(*found, strict=True):
                # An image that is excluded from a part is excluded from the merged cluster.
                if not banned.get(image_id, set()) & {into, *others}:
                    image_ids.append(image_id)
                    groups.append(mode)
        return self.batch.draft(
            DecisionKind.MERGE, cluster_id=into, image_ids=image_ids, groups=groups, others=others
        )

    def _make_cluster(self, image_ids: Sequence[str], cluster_id: int, name: str = "") -> Decision:
        """Make a cluster of images, whichever clusters they are in."""
        decision = self.batch.draft(
            DecisionKind.MOVE, cluster_id=cluster_id, name=name, image_ids=image_ids
        )
        rows = require_members(self.state, image_ids)
        images = self._own_images(rows, cluster_id)
        new, exemplars = build_models(
            images,
            np.zeros(len(rows), dtype=np.int64),
            ModeNames([cluster_id], [self.clusters.next_mode_id()], [MADE_BY_A_PERSON]),
            seed=self.state.settings.seed,
            usual=self.clusters.models,
        )
        self.batch.add(decision)
        self.clusters.add_modes(new, exemplars)
        after = np.full(len(rows), cluster_id, dtype=np.int64)
        self.clusters.reassign(rows, images, after, fixed=decision.image_ids, counted=[cluster_id])
        self.clusters.renew_candidates()
        return self._counted(decision)

    def _own_images(self, rows: Labels, cluster_id: int) -> PreparedImages:
        """Images as members of a cluster that is to be made of them."""
        cluster_ids = self.clusters.members.cluster_ids.copy()
        cluster_ids[rows] = cluster_id
        return self.state.images(rows, cluster_ids)

    def _ids_of_parts(self, cluster_id: int, counts: Labels) -> Labels:
        """The cluster of each part: the largest keeps the id, the others get new ones."""
        ids = np.empty(len(counts), dtype=np.int64)
        fresh = [self.batch.next_cluster_id() for _ in range(len(counts) - 1)]
        ids[np.argsort(-counts, kind="stable")] = [cluster_id, *fresh]
        return ids

    def _place(
        self, kind: DecisionKind, image_ids: Sequence[str], cluster_id: int, *, burst: bool
    ) -> Decision:
        """Move images to a cluster, or exclude them from one."""
        image_ids = self._with_bursts(image_ids) if burst else image_ids
        decision = self.batch.draft(kind, cluster_id=cluster_id, image_ids=image_ids)
        rows = require_members(self.state, image_ids)
        self.batch.add(decision)
        if kind is DecisionKind.NOT:
            rows = rows[self.clusters.members.cluster_ids[rows] == cluster_id]
        if len(rows):
            self._constrain(rows)
            self.clusters.renew_candidates()
        return self._counted(decision)

    def _constrain(self, rows: Labels) -> None:
        """Assign members to the clusters that the decisions so far fix them to, or exclude."""
        clusters = self.clusters
        ids = clusters.members.image_ids[rows].tolist()
        constraints = self.batch.builder.of_images(ids)
        images = clusters.images(rows)
        after = apply_constraints(
            images,
            clusters.members.cluster_ids[rows],
            clusters.models,
            clusters.exemplars,
            constraints,
        )
        clusters.reassign(rows, images, after, fixed=constraints.fixed)

    def _constrain_merged(self, cluster_id: int) -> None:
        """Apply the constraints to the members of a cluster that was merged just now."""
        builder, members = self.batch.builder, self.clusters.members
        rows = self.state.rows.of({*builder.fixed, *builder.banned})
        rows = np.unique(rows[rows != NOISE])
        rows = rows[members.cluster_ids[rows] == cluster_id]
        ids = members.image_ids[rows].tolist()
        stay = np.array([builder.fixed.get(i) == cluster_id for i in ids], dtype=np.bool_)
        leave = np.array([cluster_id in builder.banned.get(i, ()) for i in ids], dtype=np.bool_)
        leave |= np.array([i in builder.fixed for i in ids], dtype=np.bool_)
        self.clusters.mark_decided(rows[stay])
        if (leave & ~stay).any():
            self._constrain(rows[leave & ~stay])

    def _with_bursts(self, image_ids: Sequence[str]) -> list[str]:
        singly = decided_singly(self.batch.decisions)
        together, undecided = self.state.with_bursts(image_ids, singly)
        if undecided is not None:
            self.batch.remark(undecided)
        return together

    def _free_name(self, name: str, cluster_id: int) -> str:
        return require_free_name(self.clusters, self.batch.builder, self.state, name, cluster_id)

    def _require_cluster(self, cluster_id: int) -> None:
        require_decidable(self.state, self.clusters, self.batch.builder, cluster_id)

    def _counted(self, decision: Decision) -> Decision:
        self.batch.report(decision, self.clusters.take_lineage())
        return decision
