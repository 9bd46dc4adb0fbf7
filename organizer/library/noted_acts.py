"""When deployments and detections were last changed: they are no steps, and have no time of theirs.

Whoever undoes expects the last act to be taken back; by these times an undo can tell that another
one came later. Libraries of older versions have none: of these an undo names no such act.
"""

from __future__ import annotations

from enum import StrEnum

from organizer.store import Store, now


class NotedAct(StrEnum):
    """An act that no undo takes back, by the name under which its time is stored."""

    DEPLOYMENTS = "deployments_changed_at"
    DETECTIONS = "detections_changed_at"


def note_act(store: Store, act: NotedAct) -> None:
    """Store that it was done now."""
    store.choices.set(act.value, now())


def was_done_after(store: Store, act: NotedAct, at: str) -> bool:
    """Whether it was done after a time as steps have it; False where that is not known."""
    done = store.choices.get(act.value)
    return isinstance(done, str) and done > at
