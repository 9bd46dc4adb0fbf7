"""Images of which somebody decided that all are wanted, though they are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

from organizer.store import Store, now
from organizer.types import Decision, DecisionKind, StepKind


class WantedImages:
    """Which images are wanted beside which others.

    Args:
        decisions: The decisions that hold.
    """

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self._beside: dict[str, set[str]] = {}
        for decision in decisions:
            if decision.kind is DecisionKind.WANTED:
                ids = decision.image_ids
                for one, other in permutations(ids, 2) if len(ids) > 1 else [(*ids, *ids)]:
                    self._beside.setdefault(one, set()).add(other)

    def __bool__(self) -> bool:
        return bool(self._beside)

    def are_both(self, image_id: str, other: str) -> bool:
        """Whether two images are wanted beside each other; of one image, all its files."""
        return other in self._beside.get(image_id, ())


def decide_wanted(store: Store, image_ids: Sequence[str]) -> Decision:
    """Store that images are all wanted, as a step of the history.

    The caller holds the library for writing.

    Args:
        store: The library.
        image_ids: Two or more that are alike, or one whose files are all wanted.
    """
    with store.transaction():
        step = store.steps.add(StepKind.DECISIONS, at=now())
        decision = Decision(
            store.decisions.next_id(),
            step.at,
            DecisionKind.WANTED,
            image_ids=tuple(image_ids),
            groups=(0,) * len(image_ids),
        )
        decision = replace(decision, step_id=step.step_id)
        store.decisions.append([decision])
    return decision
