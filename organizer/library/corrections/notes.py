"""Notes on a decision: what it takes back, and which images of a burst it leaves behind."""

from __future__ import annotations

from collections.abc import Sequence

from organizer.cluster.decisions import ConstraintsBuilder, describe_decision
from organizer.counts import count_text
from organizer.library.corrections.state import EditorState
from organizer.library.images.decided import decided_singly
from organizer.types import Decision, DecisionKind


def notes_on(
    state: EditorState,
    builder: ConstraintsBuilder,
    decisions: Sequence[Decision],
    decision: Decision,
) -> tuple[str, ...]:
    """Notes on a decision, a line each.

    Args:
        state: The clusters before the batch.
        builder: What follows from the decisions before this one.
        decisions: The decisions before this one.
        decision: The decision.
    """
    notes = [*_reversed_images(builder, decision), *_reversed_splits(decisions, decision)]
    if decision.kind in {DecisionKind.MOVE, DecisionKind.NOT} and state.preprocessor.bursts:
        notes += _left_behind(state, decisions, decision)
    return tuple(notes)


def _reversed_images(builder: ConstraintsBuilder, decision: Decision) -> list[str]:
    """The number of images for which the decision takes an earlier one back."""
    count = 0
    for image_id in decision.image_ids:
        if decision.kind is DecisionKind.MOVE:
            count += decision.cluster_id in builder.banned.get(image_id, ())
        elif decision.kind is DecisionKind.NOT:
            count += builder.fixed.get(image_id) == decision.cluster_id
    images = count_text(count, "image")
    note = f"for {images} this takes back an earlier decision, such as a name or a move"
    return [note] if count else []


def _reversed_splits(decisions: Sequence[Decision], decision: Decision) -> list[str]:
    """The splits that a merge takes back."""
    if decision.kind is not DecisionKind.MERGE:
        return []
    parts = {decision.cluster_id, *decision.others}
    return [
        f"this takes back decision {d.decision_id}: {describe_decision(d)}"
        for d in decisions
        if d.kind is DecisionKind.SPLIT and len(parts & set(d.others)) > 1
    ]


def _left_behind(
    state: EditorState, decisions: Sequence[Decision], decision: Decision
) -> list[str]:
    """The images of the bursts that the decision is not about, and how to take them along."""
    named = set(decision.image_ids)
    singly = decided_singly(decisions)
    together, _ = state.with_bursts(decision.image_ids, singly)
    left = [i for i in together if i not in named]
    if not left:
        return []
    of = "burst" if len(named) == 1 else "bursts"
    whose = "its" if len(named) == 1 else "their"
    images = count_text(
        len(left), f"other image of {whose} {of} stays", f"other images of {whose} {of} stay"
    )
    return [f"{images}; --burst takes the whole burst along"]
