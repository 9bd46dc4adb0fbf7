"""The events of a page as one stream of server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from organizer.service.context import ServiceOf

router = APIRouter(tags=["events"])

_RETRY_MILLISECONDS = 1_000


@router.get(
    "/events",
    response_class=EventSourceResponse,
    responses={200: {"description": "Server-sent events, until the client ends it."}},
)
async def get_events(
    service: ServiceOf,
    last_event_id: Annotated[
        str | None, Header(description="The last event that the client has, to go on after it.")
    ] = None,
) -> AsyncIterator[ServerSentEvent]:
    """What happens in the library, as it happens.

    ``hello`` comes first (data: revision). ``state``: somebody decided (revision, clustering,
    user, what, clusters). ``job``: a job changed (a Job). ``images``: an ingest stored images
    (added, images). ``reset``: events were missed, so read everything anew.
    """
    position = service.events.last
    if last_event_id is not None:
        position = int(last_event_id) if _is_number(last_event_id) else 0
    revision = await run_in_threadpool(lambda: service.library.revision)
    yield ServerSentEvent(
        event="hello", id=str(position), data={"revision": revision}, retry=_RETRY_MILLISECONDS
    )
    async for event in service.events.listen(position):
        yield ServerSentEvent(event=event.name, id=str(event.number), data=event.data)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
