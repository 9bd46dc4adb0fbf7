"""What a person decides about clusters and images."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DecisionKind(StrEnum):
    """What a person can decide about clusters and images."""

    NAME = "name"
    PIN = "pin"
    MERGE = "merge"
    SPLIT = "split"
    MOVE = "move"
    NOT = "not"
    RETIRE = "retire"
    TAKE_BACK = "take back"


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision. It is kept for ever; a later one may take it back.

    Attributes:
        decision_id: Counts up.
        at: When, UTC, ISO 8601.
        kind: What was decided.
        cluster_id: The cluster that it is about; 0 where it is about none.
        name: The name that was given.
        image_ids: The images that it is about, or that represent the cluster, so that it can be
            applied where cluster ids mean nothing.
        groups: For each of `image_ids`: the mode that it represents, or for SPLIT the cluster.
        others: MERGE: the clusters that were merged into it; SPLIT: all parts.
        about: TAKE_BACK: the decision that is taken back.
    """

    decision_id: int
    at: str
    kind: DecisionKind
    cluster_id: int = 0
    name: str = ""
    image_ids: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    others: tuple[int, ...] = ()
    about: int = 0
