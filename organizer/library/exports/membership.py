"""The columns of an export batch about clusters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.decisions import compile_constraints
from organizer.library.cluster_names import resolve_members
from organizer.library.current import require_clustering
from organizer.library.exports.numbers import finite
from organizer.library.images.decided import current_decisions, movers
from organizer.store import Store, StoredClustering
from organizer.store.ids import IdArray, contains_ids, pack_ids
from organizer.types import NOISE, Assignments, AssignmentState

_COLUMNS = (
    "cluster_ids", "cluster_names", "states", "candidate_ids", "candidate_names", "distances",
    "margins", "decided_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Membership:
    """The current clustering, to be looked up by the packed ids of images or crops.

    Attributes:
        current: The clustering; None where there is none yet.
        names: The names of clusters, by id.
        ids: The ids of the clusters.
        movers: Who moved each image that a person moved; empty where that is not known.
    """

    current: StoredClustering | None
    names: Mapping[int, str]
    ids: list[int]
    movers: Mapping[str, str]
    _members: Assignments | None
    _order: NDArray[np.int64]
    _packed: IdArray

    @classmethod
    def read(cls, store: Store) -> Membership:
        """The current clustering of a library."""
        with store.snapshot():
            current, decisions = store.clusterings.current(), current_decisions(store)
            names = compile_constraints(decisions).names
            if current is None:
                return cls(None, names, [], {}, None, np.empty(0, np.int64), pack_ids([]))
            members = store.clusterings.assignments(current.clustering_id)
            ids = store.clusterings.cluster_ids(current.clustering_id)
            users = {step.step_id: step.user for step in store.steps.all()}
        by_person = movers(decisions, users)
        members = _only_moved(members, by_person)
        packed = pack_ids(members.image_ids)
        order = np.argsort(packed)
        return cls(current, names, ids, by_person, members, order, packed[order])

    def within(self, store: Store, named: Sequence[str | int]) -> IdArray | None:
        """The ascending ids of the members of some clusters; None where no cluster is named.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: There is no such cluster.
        """
        if not named:
            return None
        current = require_clustering(store)
        wanted = [resolve_members(store, current, name) for name in named]
        members = cast(Assignments, self._members)
        inside: IdArray = self._packed[np.isin(members.cluster_ids[self._order], wanted)]
        return inside

    def columns(self, ids: IdArray) -> dict[str, tuple[Any, ...]]:
        """The columns of a batch about clusters."""
        rows = [self._row(row) for row in self._rows(ids)]
        columns = zip(*rows, strict=True) if rows else [()] * len(_COLUMNS)
        return dict(zip(_COLUMNS, map(tuple, columns), strict=True))

    def _rows(self, ids: IdArray) -> list[int]:
        """The row of each in the clustering; NOISE for one that is not in it."""
        if not len(self._packed):
            return [NOISE] * len(ids)
        known = contains_ids(self._packed, ids)
        places = np.minimum(np.searchsorted(self._packed, ids), len(self._packed) - 1)
        rows: list[int] = np.where(known, self._order[places], NOISE).tolist()
        return rows

    def _row(self, row: int) -> tuple[Any, ...]:
        members = self._members
        if row == NOISE or members is None:
            return (None,) * len(_COLUMNS)
        cluster_id, nearest = int(members.cluster_ids[row]), int(members.candidates[row])
        own = None if cluster_id == NOISE else cluster_id
        candidate = nearest if own is None and nearest != NOISE else None
        decided = members.states[row] == AssignmentState.DECIDED
        return (
            own,
            None if own is None else self.names.get(own),
            str(members.states[row]),
            candidate,
            None if candidate is None else self.names.get(candidate),
            finite(float(members.distances[row])),
            finite(float(members.margins[row])),
            (self.movers.get(members.image_ids[row]) or None) if decided else None,
        )


def _only_moved(members: Assignments, by_person: Collection[str]) -> Assignments:
    """The members with the state "decided" only for those that a person moved.

    Representatives of a named cluster are kept in it as if decided, from the next clustering on;
    whoever reads an export would take them for images that a person looked at.
    """
    decided = members.states == AssignmentState.DECIDED
    for row in np.flatnonzero(decided):
        decided[row] = members.image_ids[row] not in by_person
    return replace(members, states=np.where(decided, AssignmentState.AUTO.value, members.states))
