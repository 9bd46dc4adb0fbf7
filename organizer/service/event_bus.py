"""Events for the pages that are open: numbered, kept for those that come back, never waited for.

Every client reads from one bounded memory at its own pace. A client that is slow, or was away for
longer than the memory lasts, is told to begin anew by the event ``reset``.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

EventName = Literal["hello", "reset", "state", "job", "images"]

_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """Something that a page should know.

    Attributes:
        number: Counts up; also over restarts of the service.
        name: What kind it is.
        data: What happened, as JSON fields.
    """

    number: int
    name: EventName
    data: dict[str, Any]


@dataclass(eq=False, slots=True)
class _Client:
    """One that waits; it is woken on its own loop."""

    loop: asyncio.AbstractEventLoop
    has_news: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        self.loop.call_soon_threadsafe(self.has_news.set)


class EventBus:
    """Publishes events from any thread to any number of clients.

    Args:
        remembered: How many events are kept for clients that come back.
    """

    def __init__(self, *, remembered: int = _REMEMBERED) -> None:
        self._lock = threading.Lock()
        # A number that an earlier run of the service gave is below all of this one.
        self._first = self._last = time.time_ns() // 1_000_000
        self._events: deque[ServiceEvent] = deque(maxlen=remembered)
        self._clients: set[_Client] = set()
        self._is_closed = False

    @property
    def last(self) -> int:
        """The number of the last event."""
        return self._last

    @property
    def clients(self) -> int:
        """The number of clients that listen."""
        return len(self._clients)

    def publish(self, name: EventName, data: dict[str, Any]) -> None:
        """Tell every client, now or when it comes back."""
        with self._lock:
            self._last += 1
            self._events.append(ServiceEvent(self._last, name, data))
            self._wake_all()

    def close(self) -> None:
        """End all streams."""
        with self._lock:
            self._is_closed = True
            self._wake_all()

    async def listen(self, after: int | None = None) -> AsyncGenerator[ServiceEvent]:
        """The events after one, for as long as the client listens.

        Args:
            after: The number of the last event that it has; those to come where None. Where events
                after it are forgotten, ``reset`` comes in their place.
        """
        position = self._last if after is None else after
        with self._connected() as client:
            while not self._is_closed:
                client.has_news.clear()
                events = self._after(position)
                for event in events:
                    position = event.number
                    yield event
                if not events:
                    await client.has_news.wait()

    def _after(self, position: int) -> list[ServiceEvent]:
        with self._lock:
            oldest = self._events[0].number if self._events else self._last + 1
            is_known = max(self._first, oldest - 1) <= position <= self._last
            if not is_known:
                return [ServiceEvent(self._last, "reset", {})]
            missed = self._last - position
            return list(self._events)[len(self._events) - missed :]

    @contextmanager
    def _connected(self) -> Iterator[_Client]:
        client = _Client(asyncio.get_running_loop())
        with self._lock:
            self._clients.add(client)
        try:
            yield client
        finally:
            with self._lock:
                self._clients.discard(client)

    def _wake_all(self) -> None:
        for client in self._clients:
            client.wake()
