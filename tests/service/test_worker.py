"""A thread that does one piece of work after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError

import pytest

from organizer.errors import StoreError
from organizer.service.worker import Worker

_SECONDS = 10


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("writer")
    yield made
    made.close()


class _Gate:
    """A write that runs until it is opened."""

    def __init__(self) -> None:
        self.began, self._opened = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.began.set()
        assert self._opened.wait(_SECONDS)

    def open(self) -> None:
        self._opened.set()


def _noting(done: list[str], what: str) -> Callable[[], None]:
    return lambda: done.append(what)


def test_work_is_done_in_the_order_in_which_it_is_given(worker: Worker) -> None:
    done: list[str] = []
    gate = _Gate()
    worker.submit(gate)
    assert gate.began.wait(_SECONDS)
    tasks = [worker.submit(_noting(done, str(number))) for number in range(5)]
    assert not any(task.done() for task in tasks)
    gate.open()
    for task in tasks:
        task.result(_SECONDS)
    assert done == ["0", "1", "2", "3", "4"]


def test_all_work_is_done_on_one_thread(worker: Worker) -> None:
    tasks = [worker.submit(threading.get_ident) for _ in range(5)]
    threads = {task.result(_SECONDS) for task in tasks}
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_an_error_reaches_who_waits_and_the_worker_goes_on(worker: Worker) -> None:
    def refuse() -> None:
        raise StoreError("no")

    with pytest.raises(StoreError, match="no"):
        worker.submit(refuse).result(_SECONDS)
    assert worker.submit(lambda: 7).result(_SECONDS) == 7


def test_what_waits_is_dropped_when_the_worker_is_closed(worker: Worker) -> None:
    gate = _Gate()
    running = worker.submit(gate)
    assert gate.began.wait(_SECONDS)
    waiting = worker.submit(lambda: None)
    closing = threading.Thread(target=worker.close)
    closing.start()
    with pytest.raises(CancelledError):
        waiting.result(_SECONDS)
    assert not running.done()
    gate.open()
    closing.join(_SECONDS)
    assert running.done()
    with pytest.raises(StoreError, match="ending"):
        worker.submit(lambda: None)


def test_it_tells_after_each_write() -> None:
    done: list[str] = []
    worker = Worker("writer", after_each=_noting(done, "told"))
    worker.submit(_noting(done, "written")).result(_SECONDS)
    worker.close()
    assert done == ["written", "told"]


def test_upkeep_is_done_when_nobody_writes_any_more() -> None:
    done = threading.Event()
    worker = Worker("writer", when_idle=done.set, idle_seconds=0.05)
    assert not done.wait(0.2)  # nothing was written yet
    assert worker.submit(lambda: 1).result(timeout=10) == 1
    assert done.wait(10)
    worker.close()
