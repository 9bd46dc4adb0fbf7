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
    WANTED = "wanted"


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision. It is kept for ever, also after it was undone.

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
        step_id: The step of the history that it is part of; 0 before it is stored.
    """

    decision_id: int
    at: str
    kind: DecisionKind
    cluster_id: int = 0
    name: str = ""
    image_ids: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    others: tuple[int, ...] = ()
    step_id: int = 0


class StepKind(StrEnum):
    """What a step of the history is."""

    DECISIONS = "decisions"
    RECLUSTER = "recluster"
    UNDO = "undo"
    REDO = "redo"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the history: what one undo takes back.

    Attributes:
        step_id: Counts up.
        at: When, UTC, ISO 8601.
        kind: What it is.
        about: UNDO, REDO: the step that was undone or redone; 0 for others.
        former_id: The clustering that was current before it; 0 for none.
        clustering_id: The clustering that is current after it.
        ingest_id: The last ingest before it.
        user: Who made it; empty where that is not known.
    """

    step_id: int
    at: str
    kind: StepKind
    about: int
    former_id: int
    clustering_id: int
    ingest_id: int
    user: str = ""
