"""The stream of events: what happens in the library, as it happens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from organizer.client.connection import Connection
from organizer.client.errors import ServiceError

_SILENT_SECONDS = 45.0
"""The service says something every 15 seconds; a longer silence is a lost connection."""
_WAIT_SECONDS = (0.2, 1.0, 5.0)
"""Before the first, the second and every further attempt to connect again."""


@dataclass(frozen=True, slots=True)
class StreamedEvent:
    """Something that happened.

    Attributes:
        id: Counts up; events after it are had by naming it.
        name: hello, state, job, images, or reset where events were missed.
        data: What happened.
    """

    id: str
    name: str
    data: dict[str, Any]


def listen(
    service: Connection, *, after: str | None = None, attempts: int | None = None
) -> Iterator[StreamedEvent]:
    """The events of a service, until the caller ends it; a lost connection is made again.

    Args:
        service: The service.
        after: The id of the last event that is known already; those to come where None.
        attempts: How often to try in a row to connect again; without end where None.

    Raises:
        ServiceError: The service refuses, or is not there after so many attempts.
    """
    failed = 0
    while True:
        try:
            headers = {} if after is None else {"Last-Event-ID": after}
            timeout = httpx.Timeout(10.0, read=_SILENT_SECONDS)
            with service.streamed("/events", headers=headers, timeout=timeout) as response:
                for event in parse_events(response.iter_lines()):
                    failed, after = 0, event.id
                    yield event
        except ServiceError as error:
            if error.status is not None or (attempts is not None and failed >= attempts):
                raise
        time.sleep(_WAIT_SECONDS[min(failed, len(_WAIT_SECONDS) - 1)])
        failed += 1


def parse_events(lines: Iterable[str]) -> Iterator[StreamedEvent]:
    """Events of the lines of a stream; comments and what is not ended are left out."""
    name, last_id, data = "message", "", list[str]()
    for line in lines:
        if not line:
            if data:
                yield StreamedEvent(last_id, name, json.loads("\n".join(data)))
            name, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "id":
            last_id = value
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
