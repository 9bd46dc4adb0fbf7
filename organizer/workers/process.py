"""One worker process, seen from the process that asks it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from enum import Enum
from typing import Any, BinaryIO

from organizer.workers.messages import BrokenMessageError, receive, send
from organizer.workers.serve import (
    Failed,
    OutOfMemory,
    Raised,
    Ready,
    Reply,
    Request,
    Returned,
    Yielded,
)

_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {0} import {1}; {1}()"
_START_SECONDS = 120.0
_PIPE_BYTES = 1 << 20
"""A reduced picture goes in one piece; the usual 64 kB make it six times slower."""

_ALARM = getattr(signal, "SIGALRM", 0)

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""There is a worker a core, and threads that never work take memory."""


def command_of(module: str, function: str) -> list[str]:
    """The command of a process that calls a function, with the import path of this process.

    The folder that one works in, which may be full of strangers' files, is no place to import from
    unless this process does so too.
    """
    return [sys.executable, "-P", "-c", _BOOT.format(module, function), json.dumps(sys.path)]


class Failure(Enum):
    """Why a worker is of no use any more."""

    NOT_STARTED = "not started"
    CRASHED = "crashed"
    TOO_SLOW = "too slow"
    OUT_OF_MEMORY = "out of memory"
    CLOSED = "closed"


class WorkerError(Exception):
    """A worker did not do what it was asked for.

    Attributes:
        failure: Why.
        code: The exit code of its process, negative for a signal; None where it did not end itself.
    """

    def __init__(self, failure: Failure, code: int | None = None) -> None:
        super().__init__(failure.value)
        self.failure = failure
        self.code = code


class WorkerProcess:
    """A process with an object whose generator methods are called from here.

    One thread at a time may use it; any may end it.

    Args:
        served: The class of the object: "module:Name".

    Attributes:
        calls: Number of calls so far.
        is_usable: Whether it can be called: it is alive as far as is known, and no call goes on.
        idle_since: When its last call ended, by the monotonic clock; its owner writes it.
    """

    def __init__(self, served: str) -> None:
        # Not in the group of this process: Ctrl-C is ours, and without its pipe a worker ends.
        apart: dict[str, Any] = {"process_group": 0}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self._process = subprocess.Popen(  # noqa: S603 - this program
            command_of(Request.__module__, "serve_calls"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ONE_THREAD},
            **apart,
        )
        self._lock = threading.Lock()
        self._ended_for: Failure | None = None
        self._has_started = False
        self.calls = 0
        self.is_usable = True
        self.idle_since = time.monotonic()
        self._deadline: float | None = None
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        self._inbox: BinaryIO = self._process.stdin.raw  # type: ignore[attr-defined]
        self._outbox: BinaryIO = self._process.stdout  # type: ignore[assignment]
        _widen(self._outbox)
        with suppress(OSError):  # it has ended already; the first call tells
            send(self._inbox, served)

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def call(
        self, method: str, *arguments: Any, seconds: float, memory: int
    ) -> Generator[Any, Any, Any]:
        """A generator that runs in the process: yields, takes answers, and returns.

        Args:
            method: A generator method of the object there.
            *arguments: Its arguments; they are pickled, as what it yields and returns is.
            seconds: How long it may work in all; waiting for an answer does not count.
            memory: Bytes that the process may have while it works, where the system can limit it.

        Raises:
            WorkerError: The process died or was ended, or there was not enough memory.
            OrganizerError: Raised by the method.
            RuntimeError: The method has a bug; the text is its traceback.
        """
        self._start()
        self.is_usable = False
        self.calls += 1
        asked: object = Request(method, arguments, seconds, memory)
        while True:
            begun = time.monotonic()
            self._begin(seconds)
            self._send(asked)
            message = self._receive()
            self._begin(None)
            seconds = max(seconds - (time.monotonic() - begun), 0.1)
            if not isinstance(message, Yielded):
                self.is_usable = not isinstance(message, OutOfMemory)
                return _result(message)
            asked = Reply(seconds, (yield message.value))

    def _begin(self, seconds: float | None) -> None:
        """Something begins that may take so many seconds; nothing where None."""
        with self._lock:
            self._deadline = None if seconds is None else time.monotonic() + seconds

    def end_if_late(self) -> None:
        """End the process if what it does takes longer than it may."""
        with self._lock:
            if self._deadline is None or time.monotonic() < self._deadline:
                return
            self._ended_for = self._ended_for or Failure.TOO_SLOW
        self._process.kill()

    def end(self, why: Failure = Failure.CLOSED) -> None:
        """End the process, whatever it does."""
        with self._lock:
            if self._ended_for is None:
                self._ended_for = why
        self._process.kill()

    def close(self) -> None:
        """End the process, and let go of its pipes. No thread may be using it."""
        self.end()
        with suppress(OSError):
            self._inbox.close()
        self._outbox.close()
        with suppress(
            subprocess.TimeoutExpired
        ):  # one that waits for a dead drive ends when it can
            self._process.wait(timeout=10)

    def _start(self) -> None:
        if not self._has_started:
            self._begin(_START_SECONDS)
            try:
                message = self._receive()
            except WorkerError as error:
                if error.failure is Failure.CLOSED:
                    raise
                raise WorkerError(Failure.NOT_STARTED, error.code) from error
            self._begin(None)
            if not isinstance(message, Ready):
                raise WorkerError(Failure.NOT_STARTED)
            self._has_started = True

    def _send(self, message: object) -> None:
        try:
            send(self._inbox, message)
        except (OSError, ValueError) as error:
            raise self._death() from error

    def _receive(self) -> Any:
        try:
            return receive(self._outbox)
        except (EOFError, BrokenMessageError, OSError, ValueError) as error:
            raise self._death() from error

    def _death(self) -> WorkerError:
        """What became of the process; it is dead, or about to be."""
        self.is_usable = False
        with self._lock:
            why = self._ended_for
        code = None
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(timeout=1)
        if why is not None:
            return WorkerError(why)
        self.end()
        has_ended_itself = code is not None and -code == _ALARM
        return WorkerError(Failure.TOO_SLOW if has_ended_itself else Failure.CRASHED, code)


def _result(message: object) -> Any:
    if isinstance(message, Returned):
        return message.value
    if isinstance(message, OutOfMemory):
        raise WorkerError(Failure.OUT_OF_MEMORY)
    if isinstance(message, Raised):
        raise message.error
    trace = message.trace if isinstance(message, Failed) else repr(message)
    raise RuntimeError(f"in a worker process:\n{trace}")


def _widen(pipe: Any) -> None:
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # there is a limit for all pipes of a user
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
