"""A few worker processes, their limits, and what becomes of a file that one of them died of."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self, TypeVar

from organizer.errors import ImageError, OrganizerError
from organizer.workers.process import Failure, WorkerError, WorkerProcess

Call = Callable[..., Generator[Any, Any, Any]]
"""Calls a generator method of the object in a worker: its name, then its arguments."""

_Done = TypeVar("_Done")

MEMORY = 1 << 30
"""Bytes that a worker may have beside the file: what the largest picture takes that is decoded in
full."""

_SECONDS = 120.0
_BYTES_A_SECOND = 1 << 20
"""A file has two minutes, and more if it is large: it may come over a slow network."""

_LOOKED_AFTER = 0.25
_STARTS = 3
_BY_OTHERS = {int(signal.SIGTERM), 9}
"""Signals that no decoder sends itself: SIGKILL is the system's, where memory is short."""


def seconds_for(size: int) -> float:
    """How long the decoding of a file may take.

    Args:
        size: Its bytes.
    """
    return _SECONDS + size / _BYTES_A_SECOND


@dataclass(slots=True)
class WorkerPool:
    """Worker processes; each starts when it is needed, and is kept.

    Threads may share one. It is to be closed.

    Attributes:
        served: The class of the object that does the work: "module:Name".
        most: Processes at most.
        memory: Bytes that one may have beside the file; only Linux refuses more.
        seconds: How long the decoding of a file may take, by its bytes.
        idle_seconds: How long a worker is kept that has nothing to do.
    """

    served: str
    most: int
    memory: int = MEMORY
    seconds: Callable[[int], float] = seconds_for
    idle_seconds: float = 60.0
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _workers: list[WorkerProcess] = field(default_factory=list)
    _free: list[WorkerProcess] = field(default_factory=list)
    _starting: int = 0
    _failed_starts: int = 0
    _closing: threading.Event = field(default_factory=threading.Event)
    _guard: threading.Thread | None = None

    def __enter__(self) -> Self:
        """The pool; it is closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """See `close`."""
        self.close()

    def start(self, count: int) -> None:
        """Have so many workers begin to start, without waiting for them."""
        for _ in range(min(count, self.most)):
            with self._changed:
                if self._closing.is_set() or len(self._workers) + self._starting >= self.most:
                    return
                self._starting += 1
            self._give_back(self._started())

    def attempt(self, job: Callable[[Call], _Done], *, size: int) -> _Done:
        """Do a job in a worker.

        Where the worker dies of it, or has too little memory, it is done once more in a new one,
        so that no file is blamed for what another one did. One that took too long is not.

        Args:
            job: Makes calls, and may be asked twice.
            size: The bytes of the file.

        Raises:
            ImageError: The file takes too long or too much memory, or makes the decoder crash.
            OrganizerError: No worker starts.
        """
        first: WorkerError | None = None
        while True:
            worker = self._take(new=first is not None)
            was_new = worker.calls == 0
            try:
                call = partial(worker.call, seconds=self.seconds(size), memory=self.memory + size)
                done = job(call)
            except WorkerError as error:
                if error.failure is Failure.NOT_STARTED:
                    self._note_failed_start(error)
                    continue
                is_sure = error.failure is Failure.OUT_OF_MEMORY and was_new
                if first is not None or is_sure or error.failure in _NOT_AGAIN:
                    raise self._told(error, size) from error
                first = error
            else:
                self._failed_starts = 0
                return done
            finally:
                self._give_back(worker)

    def close(self) -> None:
        """End all workers, whatever they do."""
        with self._changed:
            self._closing.set()
            workers, free = self._workers.copy(), self._free.copy()
            self._workers.clear()
            self._free.clear()
            self._changed.notify_all()
            guard = self._guard
        for worker in workers:
            worker.end()
        for worker in free:  # the others are closed by whoever uses them
            worker.close()
        if guard is not None:
            guard.join()

    def _take(self, *, new: bool) -> WorkerProcess:
        """A worker for one job; a new one has not done any before."""
        worker = None
        with self._changed:
            while not self._free and len(self._workers) + self._starting >= self.most:
                self._require_open()
                self._changed.wait()
            self._require_open()
            if self._free:
                worker = self._free.pop()  # the last one used: few files keep few workers busy
            if worker is not None and not (new and worker.calls):
                return worker
            self._starting += 1
        if worker is not None:
            self._drop(worker)
        return self._started()

    def _require_open(self) -> None:
        if self._closing.is_set():
            raise ImageError("the work was ended", lasting=False)

    def _started(self) -> WorkerProcess:
        """A new worker, for which `_starting` was counted."""
        try:
            worker = WorkerProcess(self.served)
        except OSError as error:
            with self._changed:
                self._starting -= 1
                self._changed.notify()
            raise _does_not_start(str(error)) from error
        with self._changed:
            self._starting -= 1
            self._workers.append(worker)
            if self._guard is None and not self._closing.is_set():
                self._guard = threading.Thread(target=self._look_after, name="workers", daemon=True)
                self._guard.start()
        return worker

    def _give_back(self, worker: WorkerProcess) -> None:
        """Keep a worker for the next job; one that is in the middle of something is ended."""
        with self._changed:
            is_kept = worker.is_usable and not self._closing.is_set()
            if is_kept:
                worker.idle_since = time.monotonic()
                self._free.append(worker)
                self._changed.notify()
        if not is_kept:
            self._drop(worker)

    def _drop(self, worker: WorkerProcess) -> None:
        worker.close()
        with self._changed:
            if worker in self._workers:
                self._workers.remove(worker)
            self._changed.notify()

    def _look_after(self) -> None:
        """End workers that take too long, and those that nobody has used for some time."""
        while True:
            with self._changed:
                if self._closing.is_set() or not (self._workers or self._starting):
                    self._guard = None
                    return
                workers, now = self._workers.copy(), time.monotonic()
                unused = [w for w in self._free if now - w.idle_since > self.idle_seconds]
                self._free = [worker for worker in self._free if worker not in unused]
            for worker in workers:
                worker.end_if_late()
            for worker in unused:
                self._drop(worker)
            self._closing.wait(_LOOKED_AFTER)

    def _note_failed_start(self, error: WorkerError) -> None:
        self._failed_starts += 1
        if self._failed_starts >= _STARTS:
            raise _does_not_start(_ending(error.code)) from error

    def _told(self, error: WorkerError, size: int) -> ImageError:
        """What is told of a file of which a worker died."""
        if error.failure is Failure.TOO_SLOW:
            seconds = self.seconds(size)
            return ImageError(f"decoding it takes more than {seconds:,.0f} seconds", lasting=False)
        if error.failure is Failure.OUT_OF_MEMORY:
            mib = self.memory / 2**20
            return ImageError(
                f"the picture takes more memory than a file may ({mib:,.0f} MiB)", lasting=False
            )
        if error.failure is Failure.CLOSED:
            return ImageError("the work was ended", lasting=False)
        how = _ending(error.code)
        if error.code is not None and -error.code in _BY_OTHERS:
            return ImageError(
                f"the process that decoded it was ended from outside, twice ({how}); memory may "
                "have been short",
                lasting=False,
            )
        return ImageError(f"the decoder crashes on it ({how})")


_NOT_AGAIN = {Failure.TOO_SLOW, Failure.CLOSED}


def _ending(code: int | None) -> str:
    """How a process ended, in words."""
    if code is None:
        return "no answer"
    if code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"


def _does_not_start(why: str) -> OrganizerError:
    return OrganizerError(
        f"the processes that decode photos do not start: {why}",
        f"see what this says: {sys.executable} -c 'import organizer.reading'",
    )
