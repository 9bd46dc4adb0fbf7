"""The one thread that writes: decisions first, then jobs in their order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError

import pytest

from organizer.errors import StoreError
from organizer.service.writer import Writer

_SECONDS = 10


@pytest.fixture
def writer() -> Iterator[Writer]:
    made = Writer()
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


def test_a_decision_goes_before_jobs_that_wait(writer: Writer) -> None:
    done: list[str] = []
    gate = _Gate()
    writer.queue(gate)
    assert gate.began.wait(_SECONDS)
    jobs = [writer.queue(_noting(done, f"job {i}")) for i in range(3)]
    decisions = [writer.decide(_noting(done, f"decision {i}")) for i in range(3)]
    assert not any(task.done() for task in (*jobs, *decisions))
    gate.open()
    for task in (*jobs, *decisions):
        task.result(_SECONDS)
    assert done == [f"{what} {i}" for what in ("decision", "job") for i in range(3)]


def test_a_job_lets_decisions_go_first_where_it_pauses(writer: Writer) -> None:
    done: list[str] = []
    began, go_on = threading.Event(), threading.Event()

    def job() -> None:
        began.set()
        assert go_on.wait(_SECONDS)
        done.append("first half")
        writer.decide_waiting()
        done.append("second half")

    running = writer.queue(job)
    assert began.wait(_SECONDS)
    decision = writer.decide(_noting(done, "decision"))
    go_on.set()
    running.result(_SECONDS)
    assert decision.done()
    assert done == ["first half", "decision", "second half"]


def test_all_writes_run_on_one_thread(writer: Writer) -> None:
    tasks = [writer.decide(threading.get_ident) for _ in range(5)]
    tasks += [writer.queue(threading.get_ident) for _ in range(5)]
    threads = {task.result(_SECONDS) for task in tasks}
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_an_error_reaches_who_waits_and_the_writer_goes_on(writer: Writer) -> None:
    def refuse() -> None:
        raise StoreError("no")

    with pytest.raises(StoreError, match="no"):
        writer.decide(refuse).result(_SECONDS)
    assert writer.decide(lambda: 7).result(_SECONDS) == 7


def test_what_waits_is_dropped_when_the_writer_is_closed(writer: Writer) -> None:
    gate = _Gate()
    running = writer.queue(gate)
    assert gate.began.wait(_SECONDS)
    waiting = writer.queue(lambda: None)
    closing = threading.Thread(target=writer.close)
    closing.start()
    with pytest.raises(CancelledError):
        waiting.result(_SECONDS)
    assert not running.done()
    gate.open()
    closing.join(_SECONDS)
    assert running.done()
    with pytest.raises(StoreError, match="ending"):
        writer.decide(lambda: None)


def test_it_tells_after_each_write() -> None:
    done: list[str] = []
    writer = Writer(after_each=_noting(done, "told"))
    writer.decide(_noting(done, "written")).result(_SECONDS)
    writer.close()
    assert done == ["written", "told"]


def test_upkeep_is_done_when_nobody_writes_any_more() -> None:
    done = threading.Event()
    writer = Writer(when_idle=done.set, idle_seconds=0.05)
    assert not done.wait(0.2)  # nothing was written yet
    assert writer.decide(lambda: 1).result(timeout=10) == 1
    assert done.wait(10)
    writer.close()
