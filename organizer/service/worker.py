"""A thread that does one piece of work after the other."""

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


class Worker:
    """Does work in the order in which it is given, on a thread that begins with the first.

    Args:
        name: The name of the thread.
        after_each: Called on it after each piece of work.
        when_idle: Called on it once nothing has been given for a while.
        idle_seconds: How long that is.

    Examples:
        >>> worker = Worker("writer")  # doctest: +SKIP
        >>> worker.submit(lambda: library.corrections.rename(3, "Lion")).result()  # doctest: +SKIP
    """

    def __init__(
        self,
        name: str,
        *,
        after_each: Callable[[], None] = lambda: None,
        when_idle: Callable[[], object] = lambda: None,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self._name = name
        self._after_each, self._when_idle = after_each, when_idle
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Do some work after what was given before.

        Raises:
            StoreError: The worker was closed.
        """
        task: Future[T] = Future()
        with self._changed:
            if self._is_closed:
                raise StoreError("the service is ending", "start it again: organizer serve")
            self._waiting.append((task, work))
            if self._thread is None:
                # A daemon: a recluster does not keep the program from ending, and nothing is
                # committed by halves.
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return task

    def close(self, *, seconds: float = _END_SECONDS) -> None:
        """Refuse what is new, drop what waits, and wait for the work that is going on.

        Args:
            seconds: How long to wait; what it commits later is kept, for as long as the program
                runs.
        """
        with self._changed:
            self._is_closed = True
            for task, _ in self._waiting:
                task.cancel()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(seconds)

    def _work(self) -> None:
        is_due = False
        while True:
            with self._changed:
                has_work = self._changed.wait_for(
                    lambda: self._is_closed or self._waiting,
                    self._idle_seconds if is_due else None,
                )
                if self._is_closed:
                    return
                task = self._waiting.popleft() if has_work else None
            is_due = task is not None
            if task is None:
                self._follow(self._when_idle)
            else:
                self._run(*task)

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
        """Do what follows a piece of work. Whatever becomes of it, the next one is done."""
        try:
            work()
        except StoreError:  # another process writes, or a disk was disconnected: next time
            return
        except Exception:
            logging.getLogger(__name__).exception("what follows the work of %s failed", self._name)
