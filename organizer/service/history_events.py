"""Events of the history as the API shows them."""

from __future__ import annotations

from pydantic import BaseModel

from organizer.library import Library
from organizer.library.corrections.history import HistoryEvent


class HistoryItem(BaseModel):
    """One thing that happened to the clusters.

    Attributes:
        at: When, UTC, ISO 8601.
        what: What happened, for a person.
        user: Who decided it; empty where unknown.
        clusters: The clusters that it is about.
        step: The revision that it made; 0 for clusters that an ingest found.
    """

    at: str
    what: str
    user: str
    clusters: list[int]
    step: int


def as_event(event: HistoryEvent) -> HistoryItem:
    """An event of the library as the API shows it."""
    return HistoryItem(
        at=event.at,
        what=event.what,
        user=event.user,
        clusters=list(event.cluster_ids),
        step=event.step_id,
    )


def events_since(library: Library, revision: int) -> list[HistoryItem]:
    """What happened after a revision."""
    return [as_event(event) for event in library.corrections.history(since=revision)]
