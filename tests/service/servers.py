"""A real server on a free port, and a client that reads its stream of events."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from organizer.library import Library
from organizer.service import ServiceOptions, make_app

SECONDS = 300


@contextmanager
def running(library: Library, options: ServiceOptions | None = None) -> Iterator[str]:
    """A service of a library, on a thread; gives its address."""
    with running_app(make_app(library, options)) as url:
        yield url


@contextmanager
def running_app(app: FastAPI) -> Iterator[str]:
    """An application, on a thread; gives its address."""
    config = uvicorn.Config(
        app,
        port=0,
        log_level="critical",
        server_header=False,
        timeout_graceful_shutdown=1,
        ws="none",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        app.state.service.events.close()
        server.should_exit = True
        thread.join(SECONDS)
        assert not thread.is_alive()


@contextmanager
def serving(library: Library, options: ServiceOptions | None = None) -> Iterator[httpx.Client]:
    """A service of a library, on a thread; gives a client whose base is the API."""
    with (
        running(library, options) as url,
        httpx.Client(base_url=f"{url}/api/v1", timeout=SECONDS) as client,
    ):
        yield client


def ended(client: httpx.Client, job: Any) -> Any:
    """A job after its end."""
    limit = time.monotonic() + SECONDS
    while job["state"] in {"queued", "running"}:
        assert time.monotonic() < limit, job
        time.sleep(0.02)
        job = client.get(f"/jobs/{job['id']}").json()
    return job


def begun(response: httpx.Response) -> Any:
    """The job that a request began."""
    assert response.status_code == 202, response.text
    job = response.json()
    assert response.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    return job


def problem(response: httpx.Response, status: int, kind: str) -> Any:
    """The problem of a request that was refused."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    found = response.json()
    assert (found["type"], found["status"]) == (f"/problems/{kind}", status)
    return found


@dataclass(frozen=True)
class Received:
    """An event as a client gets it."""

    id: int
    name: str
    data: Any


class EventStream:
    """The events of one connection, one by one."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()

    def next(self, *names: str) -> Received:
        """The next event; the next of some names, where names are given."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
                continue
            if "event" in fields and (not names or fields["event"] in names):
                return Received(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {}
        raise AssertionError("the stream has ended")


@contextmanager
def listening(client: httpx.Client, *, after: int | str | None = None) -> Iterator[EventStream]:
    """The events from now on, or after one."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    with client.stream("GET", "/events", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield EventStream(response)
