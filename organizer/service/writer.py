"""The one thread that writes to a library: decisions first, then jobs in their order.

A decision waits for the write that is going on, and for no other. A job that takes long and can
pause lets the decisions that wait go first, by `Writer.decide_waiting`.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from organizer.errors import StoreError

T = TypeVar("T")

_IDLE_SECONDS = 10.0

_END_SECONDS = 30.0


class Writer:
    """Runs writes one after the other, on a thread that begins with the first.

    Args:
        after_each: Called on that thread after every write.

    Examples:
        >>> writer = Writer()  # doctest: +SKIP
        >>> writer.decide(lambda: library.corrections.rename(3, "Lion")).result()  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        after_each: Callable[[], None] = lambda: None,
        when_idle: Callable[[], object] = lambda: None,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self._after_each, self._when_idle = after_each, when_idle
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._decisions: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._jobs: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def decide(self, work: Callable[[], T]) -> Future[T]:
        """Run a short write before all jobs that wait, and in the pauses of the one that runs.

        Raises:
            StoreError: The writer was closed.
        """
        return self._add(self._decisions, work)

    def queue(self, work: Callable[[], T]) -> Future[T]:
        """Run a long write after the jobs that were asked for before.

        Raises:
            StoreError: The writer was closed.
        """
        return self._add(self._jobs, work)

    def decide_waiting(self) -> None:
        """Run the decisions that wait: called by a job that pauses, on this thread."""
        while task := self._next(self._decisions):
            self._run(*task)

    def close(self, *, seconds: float = _END_SECONDS) -> None:
        """Refuse what is new, drop what waits, and wait for the write that is going on.

        Args:
            seconds: How long to wait; what it commits later is kept, for as long as the program
                runs.
        """
        with self._changed:
            self._is_closed = True
            for task, _ in (*self._decisions, *self._jobs):
                task.cancel()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(seconds)

    def _add(
        self, tasks: deque[tuple[Future[Any], Callable[[], Any]]], work: Callable[[], T]
    ) -> Future[T]:
        task: Future[T] = Future()
        with self._changed:
            if self._is_closed:
                raise StoreError("the service is ending", "start it again: organizer serve")
            tasks.append((task, work))
            if self._thread is None:
                # A daemon: a recluster does not keep the program from ending, and nothing is
                # committed by halves.
                self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return task

    def _work(self) -> None:
        is_due = False
        while True:
            with self._changed:
                has_work = self._changed.wait_for(
                    lambda: self._is_closed or self._decisions or self._jobs,
                    self._idle_seconds if is_due else None,
                )
                if self._is_closed:
                    return
            if not has_work:
                is_due = False
                self._follow(self._when_idle)
                continue
            is_due = True
            self.decide_waiting()
            if task := self._next(self._jobs):
                self._run(*task)

    def _next(
        self, tasks: deque[tuple[Future[Any], Callable[[], Any]]]
    ) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._changed:
            return tasks.popleft() if tasks else None

    def _run(self, task: Future[Any], work: Callable[[], Any]) -> None:
        if not task.set_running_or_notify_cancel():
            return
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - raised again where the result is awaited
            task.set_exception(error)
        else:
            task.set_result(result)
        self._follow(self._after_each)

    def _follow(self, work: Callable[[], object]) -> None:
        """Do what follows a write. Whatever becomes of it, the next write is done."""
        try:
            work()
        except StoreError:  # another process writes, or a disk was disconnected: next time
            return
        except Exception:
            logging.getLogger(__name__).exception("what follows a write failed")
