"""Events: numbered, kept for those that come back, and nobody waits for anybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from organizer.service.event_bus import EventBus, ServiceEvent

_SECONDS = 10


def played(scene: Coroutine[Any, Any, None]) -> None:
    """Run a scene on a thread of its own: a browser of other tests may have a loop on this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, scene).result()


async def _next(stream: AsyncIterator[ServiceEvent], count: int) -> list[ServiceEvent]:
    async def read() -> list[ServiceEvent]:
        return [await anext(stream) for _ in range(count)]

    return await asyncio.wait_for(read(), _SECONDS)


def test_events_come_in_order_from_any_thread() -> None:
    async def scene() -> None:
        bus = EventBus()
        stream = bus.listen(bus.last)
        waiting = asyncio.ensure_future(_next(stream, 100))
        await asyncio.sleep(0.01)
        with ThreadPoolExecutor(8) as pool:
            for i in range(100):
                pool.submit(bus.publish, "state", {"number": i})
        events = await waiting
        numbers = [event.number for event in events]
        assert numbers == list(range(numbers[0], numbers[0] + 100))
        assert sorted(event.data["number"] for event in events) == list(range(100))
        await stream.aclose()

    played(scene())


def test_who_comes_back_gets_what_was_missed() -> None:
    async def scene() -> None:
        bus = EventBus(remembered=10)
        for i in range(5):
            bus.publish("state", {"number": i})
        (first, *_) = events = await _next(bus.listen(bus.last - 5), 5)
        assert [event.data["number"] for event in events] == [0, 1, 2, 3, 4]
        again = await _next(bus.listen(first.number), 4)
        assert again == events[1:]

    played(scene())


def test_who_was_away_for_too_long_begins_anew() -> None:
    async def scene() -> None:
        bus = EventBus(remembered=10)
        began = bus.last
        for i in range(11):
            bus.publish("state", {"number": i})
        # The last of a former run, one that is forgotten, one that never was.
        for position in (0, began, bus.last + 1):
            (event,) = await _next(bus.listen(position), 1)
            assert (event.name, event.number) == ("reset", bus.last)
        stream = bus.listen(began)
        await _next(stream, 1)
        bus.publish("state", {"number": 11})
        (event,) = await _next(stream, 1)
        assert event.data == {"number": 11}

    played(scene())


def test_a_slow_client_keeps_nobody_waiting() -> None:
    async def scene() -> None:
        bus = EventBus(remembered=10)
        slow, quick = bus.listen(bus.last), bus.listen(bus.last)
        bus.publish("state", {"number": 0})
        await _next(slow, 1)
        for i in range(1, 100):
            bus.publish("state", {"number": i})
            if i < 10:
                await _next(quick, 1)
        (event,) = await _next(slow, 1)
        assert event.name == "reset"

    played(scene())


def test_a_client_that_goes_is_forgotten() -> None:
    async def scene() -> None:
        bus = EventBus()
        bus.publish("state", {})
        stream = bus.listen(bus.last - 1)
        await _next(stream, 1)
        assert bus.clients == 1
        await stream.aclose()
        assert bus.clients == 0

    played(scene())


def test_streams_end_with_the_service() -> None:
    async def scene() -> None:
        bus = EventBus()
        waiting = asyncio.ensure_future(anext(bus.listen(bus.last), None))
        await asyncio.sleep(0.01)
        bus.close()
        assert await asyncio.wait_for(waiting, _SECONDS) is None

    played(scene())
