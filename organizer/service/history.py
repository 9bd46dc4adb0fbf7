"""What became of the clusters, and the way back and forth."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from organizer.library.corrections.undo import UndoReport
from organizer.service.context import RevisionOf, Service, ServiceOf, UserOf
from organizer.service.history_events import HistoryItem, as_event
from organizer.service.preconditions import ExpectedRevision

router = APIRouter(tags=["history"])


class History(BaseModel):
    """Events, the latest first.

    Attributes:
        revision: The revision that it shows.
        events: The events.
        can_undo: What the next undo takes back; null where there is nothing.
        can_redo: What the next redo brings back.
    """

    revision: int
    events: list[HistoryItem]
    can_undo: str | None
    can_redo: str | None


class Reverted(BaseModel):
    """What an undo or a redo did.

    Attributes:
        revision: The revision now.
        done: Which of the two it was.
        what: What was undone or redone, a line each.
    """

    revision: int
    done: Literal["undone", "redone"]
    what: list[str]


@router.get("/history")
def get_history(
    service: ServiceOf,
    revision: RevisionOf,
    cluster: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    before: Annotated[
        int | None, Query(ge=1, le=2**53, description="Only steps before this one.")
    ] = None,
) -> History:
    """What became of the clusters, or of one of them, the latest first."""
    corrections = service.library.corrections
    events = corrections.history(cluster)[::-1]
    if before is not None:
        events = [event for event in events if event.step_id < before]
    return History(
        revision=revision,
        events=[as_event(event) for event in events[:limit]],
        can_undo="; ".join(corrections.next_undo()) or None,
        can_redo="; ".join(corrections.next_redo()) or None,
    )


@router.post("/undo")
def undo_step(
    service: ServiceOf, user: UserOf, expected: ExpectedRevision, response: Response
) -> Reverted:
    """Undo the last step, whatever it was."""
    done = service.decide(service.library.corrections.undo, revision=expected, user=user)
    return _reverted(service, done, response)


@router.post("/redo")
def redo_step(
    service: ServiceOf, user: UserOf, expected: ExpectedRevision, response: Response
) -> Reverted:
    """Redo what was undone last."""
    done = service.decide(service.library.corrections.redo, revision=expected, user=user)
    return _reverted(service, done, response)


def _reverted(service: Service, report: UndoReport, response: Response) -> Reverted:
    revision = service.library.revision
    response.headers["ETag"] = f'"{revision}"'
    done: Literal["undone", "redone"] = "undone" if report.done == "undone" else "redone"
    return Reverted(revision=revision, done=done, what=list(report.what))
