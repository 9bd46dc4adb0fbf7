"""A person's word about clusters and images: written down for good, and carried out at once.

Each word that changes who is where makes a new clustering out of the one in force, so that undo
brings that one back whole; the word itself is written first. A word that was cut short between the
two is taken back; see `organizer.library.undoing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from organizer.cluster.decisions import compiled, words
from organizer.cluster.incremental import grown, place_at
from organizer.cluster.kmeans import KMeans
from organizer.cluster.locate import locate
from organizer.errors import ClusteringError, SettingsError
from organizer.library.draft import Modes, modelled, once
from organizer.library.obeying import decided_rows, obey
from organizer.library.remaking import Remaking
from organizer.library.seeing import Sight, spoken_of
from organizer.types import (
    NOISE,
    ClusterModels,
    Decision,
    DecisionKind,
    LineageReport,
)


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """What a person's word did.

    Attributes:
        decision: The word.
        lineage: What became of the clusters.
        notes: What the person should know, a line each.
    """

    decision: Decision
    lineage: LineageReport
    notes: tuple[str, ...] = ()


class Desk(Remaking):
    """Says words about the clustering in force. The caller holds the library for writing."""

    # Words that move nobody ----------------------------------------------------------------

    def rename(self, cluster_id: int, name: str) -> DecisionReport:
        """See `organizer.library.Library.rename`."""
        self._require(cluster_id)
        name = self._free_name(name, cluster_id)
        return self._said(self.about(DecisionKind.NAME, cluster_id, name))

    def _free_name(self, name: str, cluster_id: int) -> str:
        """A name as it is written down, if a cluster can have it and no other one does."""
        name = " ".join(name.split())
        if not name or not name.isprintable():
            raise SettingsError(
                f"a cluster cannot be called {name!r}", 'a name has letters, for example "Red fox"'
            )
        bearers = [
            i for i, n in self.constraints.names.items() if n == name and self._may_return(i)
        ]
        if bearers and bearers != [cluster_id]:
            self._refuse_name(name, bearers[0], cluster_id)
        return name

    def _may_return(self, cluster_id: int) -> bool:
        """Whether a cluster is here, or a recluster of these members would bring it back."""
        if cluster_id in self.models.ids:
            return True
        seeds = [i for group in self.constraints.seeds.get(cluster_id, ()) for i in group]
        return not seeds or bool(np.isin(self.members.image_ids, seeds).any())

    def _refuse_name(self, name: str, bearer: int, cluster_id: int) -> None:
        if bearer in self.models.ids:
            raise SettingsError(
                f"cluster {bearer} is called {name!r} already",
                f"choose another name, or organizer clusters merge {bearer} {cluster_id}",
            )
        raise SettingsError(
            f"cluster {bearer} is called {name!r} already; it is not here since an undo, and the "
            "next recluster brings it back",
            "choose another name",
        )

    def pin(self, cluster_id: int) -> DecisionReport:
        """See `organizer.library.Library.pin`."""
        self._require(cluster_id)
        return self._said(self.about(DecisionKind.PIN, cluster_id))

    # Words that move images ----------------------------------------------------------------

    def merge(self, cluster_ids: Sequence[int]) -> DecisionReport:
        """See `organizer.library.Library.merge`."""
        into, *others = dict.fromkeys(cluster_ids)
        if not others:
            raise SettingsError("one cluster cannot be merged", "name two: clusters merge 3 7")
        for cluster_id in cluster_ids:
            self._require(cluster_id)
        image_ids: list[str] = []
        groups: list[int] = []
        for cluster_id in (into, *others):
            for image_id, mode in zip(*self._representatives(cluster_id), strict=True):
                # What is not of one part is not of the whole.
                if not self.constraints.banned.get(image_id, frozenset()) & {into, *others}:
                    image_ids.append(image_id)
                    groups.append(mode)
        decision = self._store.decisions.draft(
            DecisionKind.MERGE,
            cluster_id=into,
            image_ids=image_ids,
            groups=groups,
            others=others,
        )
        merged = np.where(np.isin(self.models.cluster_ids, others), into, self.models.cluster_ids)
        models = replace(self.models, cluster_ids=merged)
        models = models.take(np.lexsort((models.mode_ids, models.cluster_ids)))
        where = np.where(np.isin(self.members.cluster_ids, others), into, self.members.cluster_ids)
        constraints = compiled([*self.decisions, decision])
        said = decided_rows(self.members.image_ids, constraints)
        said = said[where[said] == into]
        images = self._images(said)
        where[said] = obey(images, where[said], models, self._exemplars, constraints)
        affected = {into, *where[said].tolist()} - {NOISE}
        lineage = self._changed(decision, where, models, affected=affected, keep_modes=True)
        return self._report(decision, lineage)

    def split(self, cluster_id: int, k: int) -> DecisionReport:
        """See `organizer.library.Library.split`."""
        self._require(cluster_id)
        rows = np.flatnonzero(self.members.cluster_ids == cluster_id)
        images = self._images(rows)
        if not 2 <= k <= len(rows):
            raise SettingsError(
                f"cluster {cluster_id} with {len(rows)} images cannot be split into {k}",
                f"2 to {len(rows)}",
            )
        parts = KMeans(n_clusters=k, random_state=self._settings.seed).fit_predict(images.points)
        found, parts = np.unique(parts, return_inverse=True)
        if len(found) < k:
            raise SettingsError(
                f"the images of cluster {cluster_id} are too alike to be split into {k}",
                "choose a smaller --k" if k > 2 else "they are one group",
            )
        largest = np.argsort(-np.bincount(parts), kind="stable")
        fresh = self._store.clusterings.next_cluster_id()
        ids = np.empty(k, dtype=np.int64)
        ids[largest] = [cluster_id, *range(fresh, fresh + k - 1)]
        where = self.members.cluster_ids.copy()
        where[rows] = ids[parts]
        first = int(self.models.mode_ids.max()) + 1
        old = self.models.cluster_ids == cluster_id
        modes = Modes(ids.tolist(), range(first, first + k), [self._origin(cluster_id)] * k)
        new, exemplars = modelled(images, parts, modes, seed=self._settings.seed, usual=self.models)
        image_ids, groups = self._standing_for_parts(images, where[rows], new, cluster_id)
        decision = self._store.decisions.draft(
            DecisionKind.SPLIT,
            cluster_id=cluster_id,
            image_ids=image_ids,
            groups=groups,
            others=sorted(ids.tolist()),
        )
        kept = self.models.take(~old)
        models = ClusterModels.joined([kept, new])
        lineage = self._remade(decision, rows, images, where, models, exemplars)
        return self._report(decision, lineage)

    def move(
        self, image_ids: Sequence[str], cluster_id: int, *, burst: bool = False
    ) -> DecisionReport:
        """See `organizer.library.Library.move`."""
        self._require(cluster_id)
        image_ids = self._with_bursts(image_ids) if burst else image_ids
        decision = self._store.decisions.draft(
            DecisionKind.MOVE, cluster_id=cluster_id, image_ids=image_ids
        )
        return self._replaced(decision)

    def gather(
        self, image_ids: Sequence[str], name: str | None = None, *, burst: bool = False
    ) -> DecisionReport:
        """See `organizer.library.Library.gather`."""
        image_ids = self._with_bursts(image_ids) if burst else image_ids
        fresh = self._store.clusterings.next_cluster_id()
        decision = self._store.decisions.draft(
            DecisionKind.MOVE,
            cluster_id=fresh,
            name=self._free_name(name, fresh) if name is not None else "",
            image_ids=image_ids,
        )
        self._require_clustered(image_ids)
        rows = np.flatnonzero(np.isin(self.members.image_ids, list(image_ids)))
        left = {*self.members.cluster_ids[rows].tolist()} - {NOISE}
        modes = Modes([fresh], [int(self.models.mode_ids.max()) + 1], ["gathered by a person"])
        together = np.zeros(len(rows), dtype=np.int64)
        new, _ = modelled(
            self._images(rows), together, modes, seed=self._settings.seed, usual=self.models
        )
        where = self.members.cluster_ids.copy()
        where[rows] = fresh
        models = ClusterModels.joined([self.models, new])
        lineage = self._changed(decision, where, models, affected={fresh, *left})
        return self._report(decision, lineage)

    def deny(
        self, image_ids: Sequence[str], cluster_id: int, *, burst: bool = False
    ) -> DecisionReport:
        """See `organizer.library.Library.deny`."""
        self._require(cluster_id)
        image_ids = self._with_bursts(image_ids) if burst else image_ids
        decision = self._store.decisions.draft(
            DecisionKind.NOT, cluster_id=cluster_id, image_ids=image_ids
        )
        return self._replaced(decision)

    def retire(self, cluster_id: int) -> DecisionReport:
        """See `organizer.library.Library.retire`."""
        self._require(cluster_id)
        if len(self.models.ids) == 1:
            raise ClusteringError(
                f"cluster {cluster_id} is the only one", "organizer recluster makes others"
            )
        decision = self._store.decisions.draft(DecisionKind.RETIRE, cluster_id=cluster_id)
        rows = np.flatnonzero(self.members.cluster_ids == cluster_id)
        images = self._images(rows)
        models = self.models.take(self.models.cluster_ids != cluster_id)
        location = locate(models, self._exemplars, images.vectors, images.points)
        where = self.members.cluster_ids.copy()
        nearest = models.cluster_ids[location.placement.nearest]
        where[rows] = np.where(location.unsure, NOISE, nearest)
        constraints = compiled([*self.decisions, decision])
        where[rows] = obey(images, where[rows], models, self._exemplars, constraints)
        sure = where[rows] != NOISE
        if images.observations is not None:
            sure = once(where[rows], images.observations) != NOISE
        at = place_at(images.points[sure], models.centroids, models.cluster_ids, where[rows][sure])
        models = grown(models, images.points[sure], at.nearest, at.distances)
        lineage = self._remade(decision, rows, images, where, models, None)
        return self._report(decision, lineage)

    # ---------------------------------------------------------------------------------------

    def _with_bursts(self, image_ids: Sequence[str]) -> list[str]:
        """Images and all others of their bursts, but for those that a person placed already."""
        spoken = spoken_of(self.decisions)
        gap = self._sight.gap if self._sight.bursts else self._settings.burst_gap
        mates = Sight(self._store, by=None, bursts=True, gap=gap).mates_of(image_ids)
        members = set(self.members.image_ids.tolist())
        free = [i for i in mates if i in members and i not in spoken]
        return list(dict.fromkeys([*image_ids, *free]))

    def _replaced(self, decision: Decision) -> DecisionReport:
        """Carry out what was said about single images."""
        self._require_clustered(decision.image_ids)
        constraints = compiled([*self.decisions, decision])
        rows = np.flatnonzero(np.isin(self.members.image_ids, list(decision.image_ids)))
        images = self._images(rows)
        where = self.members.cluster_ids.copy()
        where[rows] = obey(images, where[rows], self.models, self._exemplars, constraints)
        if decision.kind is DecisionKind.NOT and (where == self.members.cluster_ids).all():
            nobody_moves = np.empty(0, dtype=np.int64)
            images = self._images(nobody_moves)
            lineage = self._remade(decision, nobody_moves, images, where, self.models, None)
            return self._report(decision, lineage)
        affected = set(where[rows].tolist()) | set(self.members.cluster_ids[rows].tolist())
        lineage = self._changed(decision, where, self.models, affected=affected - {NOISE})
        return self._report(decision, lineage)

    def about(self, kind: DecisionKind, cluster_id: int, name: str = "") -> Decision:
        """A name or a pin, with the images that stand for the cluster."""
        image_ids, groups = self._representatives(cluster_id)
        return self._store.decisions.draft(
            kind, cluster_id=cluster_id, name=name, image_ids=image_ids, groups=groups
        )

    def _said(self, decision: Decision) -> DecisionReport:
        self._require_free_of_conflicts(decision)
        self._store.decisions.append(decision)
        return self._report(decision, LineageReport())

    def _report(self, decision: Decision, lineage: LineageReport) -> DecisionReport:
        return DecisionReport(decision, lineage, tuple(self._notes(decision)))

    def _left_behind(self, decision: Decision) -> list[str]:
        """That a burst was parted, and how it would not have been."""
        said = set(decision.image_ids)
        left = [i for i in self._with_bursts(decision.image_ids) if i not in said]
        if not left:
            return []
        of = "burst" if len(said) == 1 else "bursts"
        whose = "its" if len(said) == 1 else "their"
        images = f"{len(left)} other image{'s' if len(left) != 1 else ''} of {whose} {of}"
        return [
            f"{images} stay{'s' if len(left) == 1 else ''}; --burst takes the whole burst along"
        ]

    def _notes(self, decision: Decision) -> list[str]:
        """What earlier words this one takes back."""
        notes = []
        count = 0
        for image_id in decision.image_ids:
            if decision.kind is DecisionKind.MOVE:
                count += decision.cluster_id in self.constraints.banned.get(image_id, ())
            elif decision.kind is DecisionKind.NOT:
                count += self.constraints.fixed.get(image_id) == decision.cluster_id
        if count:
            notes.append(f"for {count} of the images this takes back what you said before")
        if decision.kind in {DecisionKind.MOVE, DecisionKind.NOT} and self._sight.bursts:
            notes += self._left_behind(decision)
        if decision.kind is DecisionKind.MERGE:
            parts = {decision.cluster_id, *decision.others}
            notes += [
                f"this takes back decision {d.decision_id}: {words(d)}"
                for d in self.decisions
                if d.kind is DecisionKind.SPLIT and len(parts & set(d.others)) > 1
            ]
        return notes
