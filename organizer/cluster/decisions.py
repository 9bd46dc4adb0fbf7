"""The constraints that follow from a person's decisions, for every clustering.

Names, clusters that stay, images that belong to a cluster and images that do not. In the terms of
constrained clustering: the representatives of a cluster are its seeds (Basu, Banerjee and Mooney
2002, Semi-supervised clustering by seeding, whose Constrained-KMeans never lets a seed go), two
images of one cluster must link, and those of two cannot link (Wagstaff et al. 2001, COP-KMeans).
The id of a cluster is never used again, so "belongs to cluster 3" is unambiguous.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from organizer.counts import count_text
from organizer.types import Decision, DecisionKind

REPRESENTATIVES = 32
"""Images that represent a mode of a cluster that a person named, pinned, merged or split."""

Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Constraints:
    """What holds after all decisions. A later decision overrides an earlier one.

    Attributes:
        names: Names by cluster.
        required: The clusters that every clustering has.
        fixed: The cluster of an image.
        banned: The clusters that an image is not in.
        seeds: For each required cluster its representatives, a group for each mode.
        retired: Clusters that are no more: retired, or merged into another.
    """

    names: Mapping[int, str] = field(default_factory=dict)
    required: frozenset[int] = frozenset()
    fixed: Mapping[str, int] = field(default_factory=dict)
    banned: Mapping[str, frozenset[int]] = field(default_factory=dict)
    seeds: Mapping[int, Groups] = field(default_factory=dict)
    retired: frozenset[int] = frozenset()

    def conflicts(self) -> list[tuple[str, int]]:
        """Images that are fixed to a cluster that they are excluded from."""
        return sorted(
            (image_id, cluster_id)
            for image_id, cluster_id in self.fixed.items()
            if cluster_id in self.banned.get(image_id, ())
        )


def compile_constraints(decisions: Iterable[Decision]) -> Constraints:
    """The constraints that decisions make together.

    Args:
        decisions: Those that hold, in the order in which they were made.
    """
    return ConstraintsBuilder.of(decisions).constraints()


@dataclass(slots=True)
class ConstraintsBuilder:
    """Constraints that follow from decisions, one decision after the other.

    Examples:
        >>> builder = ConstraintsBuilder()
        >>> builder.apply(Decision(1, "", DecisionKind.MOVE, cluster_id=3, image_ids=("a0",)))
        >>> builder.constraints().fixed
        {'a0': 3}
    """

    names: dict[int, str] = field(default_factory=dict)
    required: set[int] = field(default_factory=set)
    fixed: dict[str, int] = field(default_factory=dict)
    banned: dict[str, set[int]] = field(default_factory=dict)
    groups: dict[int, list[tuple[str, ...]]] = field(default_factory=dict)
    retired: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, decisions: Iterable[Decision]) -> ConstraintsBuilder:
        """What follows from decisions, in the order in which they were made."""
        builder = cls()
        for decision in decisions:
            builder.apply(decision)
        return builder

    def apply(self, decision: Decision) -> None:
        """Add what follows from the next decision."""
        by_kind = {
            DecisionKind.NAME: self._name,
            DecisionKind.PIN: self._represent,
            DecisionKind.MERGE: self._merge,
            DecisionKind.SPLIT: self._split,
            DecisionKind.MOVE: self._move,
            DecisionKind.NOT: self._not,
            DecisionKind.RETIRE: self._retire,
        }
        if decision.kind is not DecisionKind.WANTED:  # about copies, not about clusters
            by_kind[decision.kind](decision)

    def copy(self) -> ConstraintsBuilder:
        """The same constraints, to be continued by other decisions."""
        return ConstraintsBuilder(
            dict(self.names),
            set(self.required),
            dict(self.fixed),
            {image_id: set(clusters) for image_id, clusters in self.banned.items()},
            {cluster_id: list(groups) for cluster_id, groups in self.groups.items()},
            set(self.retired),
        )

    def of_images(self, image_ids: Iterable[str]) -> Constraints:
        """What holds for some images; names and representatives are left out."""
        listed = list(image_ids)
        return Constraints(
            required=frozenset(self.required),
            fixed={i: self.fixed[i] for i in listed if i in self.fixed},
            banned={i: frozenset(self.banned[i]) for i in listed if self.banned.get(i)},
            retired=frozenset(self.retired),
        )

    def constraints(self) -> Constraints:
        """What holds after the decisions so far."""
        return Constraints(
            names=dict(self.names),
            required=frozenset(self.required),
            fixed=dict(self.fixed),
            banned={i: frozenset(ids) for i, ids in self.banned.items() if ids},
            seeds={i: self.seeds(i) for i in sorted(self.required)},
            retired=frozenset(self.retired),
        )

    def seeds(self, cluster_id: int) -> Groups:
        """What still represents a cluster; the images that were moved there, if nothing else."""
        kept = [
            tuple(i for i in group if self.fixed.get(i) == cluster_id)
            for group in self.groups.get(cluster_id, [])
        ]
        found = tuple(group for group in kept if group)
        moved = tuple(sorted(i for i, c in self.fixed.items() if c == cluster_id))
        return found or ((moved,) if moved else ())

    def _fix(self, image_ids: Iterable[str], cluster_id: int) -> None:
        self.required.add(cluster_id)
        for image_id in image_ids:
            self.fixed[image_id] = cluster_id

    def _name(self, decision: Decision) -> None:
        self.names[decision.cluster_id] = decision.name
        self._represent(decision)

    def _represent(self, decision: Decision) -> None:
        # An image that was moved elsewhere, or excluded from here, represents nothing here.
        free = [
            (i, g)
            for i, g in zip(decision.image_ids, decision.groups, strict=True)
            if self.fixed.get(i, decision.cluster_id) == decision.cluster_id
            and decision.cluster_id not in self.banned.get(i, ())
        ]
        self._fix((i for i, _ in free), decision.cluster_id)
        self.groups[decision.cluster_id] = _by_group(free)

    def _merge(self, decision: Decision) -> None:
        into = decision.cluster_id
        for source in decision.others:
            for image_id, cluster_id in self.fixed.items():
                if cluster_id == source:
                    self.fixed[image_id] = into
            for clusters in self.banned.values():
                if source in clusters:
                    clusters.add(into)
            name = self.names.pop(source, None)
            if name is not None:
                self.names.setdefault(into, name)
            self.required.discard(source)
            self.retired.add(source)
        self._fix(decision.image_ids, into)
        self.groups[into] = _by_group(zip(decision.image_ids, decision.groups, strict=True))

    def _split(self, decision: Decision) -> None:
        parts: dict[int, list[str]] = {part: [] for part in decision.others}
        for image_id, part in zip(decision.image_ids, decision.groups, strict=True):
            parts[part].append(image_id)
        for part, image_ids in parts.items():
            self._fix(image_ids, part)
            self.groups[part] = [tuple(image_ids)]

    def _move(self, decision: Decision) -> None:
        if decision.name:  # the cluster was made by this decision, and named by it
            self.names[decision.cluster_id] = decision.name
        self._fix(decision.image_ids, decision.cluster_id)
        for image_id in decision.image_ids:
            self.banned.get(image_id, set()).discard(decision.cluster_id)

    def _not(self, decision: Decision) -> None:
        for image_id in decision.image_ids:
            self.banned.setdefault(image_id, set()).add(decision.cluster_id)
            if self.fixed.get(image_id) == decision.cluster_id:
                del self.fixed[image_id]

    def _retire(self, decision: Decision) -> None:
        gone = decision.cluster_id
        self.fixed = {i: c for i, c in self.fixed.items() if c != gone}
        self.names.pop(gone, None)
        self.groups.pop(gone, None)
        self.required.discard(gone)
        self.retired.add(gone)


def with_counterparts(
    decisions: Sequence[Decision], counterparts: Mapping[str, str]
) -> tuple[Decision, ...]:
    """The decisions, each about the counterparts of its images too.

    A photo and the crop of its animal are counterparts: what was decided about the one holds for
    the other. A later decision is stronger than an earlier one, but what a person decided about an
    image itself is always stronger than what was decided about its counterpart: who was moved
    stays there, and who was excluded does not come back.

    Args:
        decisions: Those that hold, in the order in which they were made.
        counterparts: The other image that decisions about an image hold for as well.

    Examples:
        >>> moved = Decision(1, "", DecisionKind.MOVE, 3, image_ids=("photo",), groups=(0,))
        >>> with_counterparts([moved], {"photo": "crop"})[0].image_ids
        ('photo', 'crop')
    """
    own = ConstraintsBuilder.of(decisions)
    moved = {i for d in decisions if d.kind is DecisionKind.MOVE for i in d.image_ids}
    merged = {i: d.cluster_id for d in decisions if d.kind is DecisionKind.MERGE for i in d.others}

    def holds(decision: Decision, image_id: str, group: int) -> bool:
        if image_id in moved and image_id in own.fixed:
            return False
        if decision.kind is DecisionKind.NOT:
            return True
        cluster_id = group if decision.kind is DecisionKind.SPLIT else decision.cluster_id
        while cluster_id in merged:
            cluster_id = merged[cluster_id]
        return cluster_id not in own.banned.get(image_id, ())

    found = []
    for decision in decisions:
        named = set(decision.image_ids)
        more = {
            counterparts[i]: group
            for i, group in zip(decision.image_ids, decision.groups, strict=True)
            if i in counterparts and counterparts[i] not in named
        }
        more = {i: group for i, group in more.items() if holds(decision, i, group)}
        found.append(
            replace(
                decision,
                image_ids=(*decision.image_ids, *more),
                groups=(*decision.groups, *more.values()),
            )
            if more
            else decision
        )
    return tuple(found)


def _by_group(pairs: Iterable[tuple[str, int]]) -> list[tuple[str, ...]]:
    found: dict[int, list[str]] = {}
    for image_id, group in pairs:
        found.setdefault(group, []).append(image_id)
    return [tuple(found[group]) for group in sorted(found)]


def describe_decision(decision: Decision) -> str:
    """A decision as a phrase for a person."""
    cluster, count = decision.cluster_id, len(decision.image_ids)
    images = count_text(count, "image")
    return {
        DecisionKind.NAME: f"cluster {cluster} named {decision.name!r}",
        DecisionKind.PIN: f"cluster {cluster} pinned",
        DecisionKind.MERGE: f"{_listed(decision.others)} merged into {cluster}",
        DecisionKind.SPLIT: f"cluster {cluster} split into {_listed(decision.others)}",
        DecisionKind.MOVE: f"{images} moved to cluster {cluster}"
        + (f" {decision.name!r}" if decision.name else ""),
        DecisionKind.NOT: f"{images} excluded from cluster {cluster}",
        DecisionKind.RETIRE: f"cluster {cluster} retired",
        DecisionKind.WANTED: f"{images} wanted, though alike"
        if count > 1
        else "all files of 1 image wanted",
    }[decision.kind]


def decision_title(decision: Decision) -> str:
    """A decision as what is undone and done again: "merge of 8 into 2"."""
    cluster, count = decision.cluster_id, len(decision.image_ids)
    images = count_text(count, "image")
    return {
        DecisionKind.NAME: f"name {decision.name} of cluster {cluster}",
        DecisionKind.PIN: f"pin of cluster {cluster}",
        DecisionKind.MERGE: f"merge of {_listed(decision.others)} into {cluster}",
        DecisionKind.SPLIT: f"split of cluster {cluster} into {_listed(decision.others)}",
        DecisionKind.MOVE: f"move of {images} to cluster {cluster}"
        + (f", named {decision.name}" if decision.name else ""),
        DecisionKind.NOT: f"exclusion of {images} from cluster {cluster}",
        DecisionKind.RETIRE: f"retirement of cluster {cluster}",
        DecisionKind.WANTED: f"decision to want {images}, though alike"
        if count > 1
        else "decision to want all files of 1 image",
    }[decision.kind]


def _listed(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids))
