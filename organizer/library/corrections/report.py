"""What a decision did."""

from __future__ import annotations

from dataclasses import dataclass

from organizer.types import Decision, LineageReport


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """What a decision did.

    Attributes:
        decision: The decision.
        lineage: What became of the clusters.
        notes: What the person should know, a line each.
    """

    decision: Decision
    lineage: LineageReport
    notes: tuple[str, ...] = ()
