"""What runs in a worker process: the generator methods of one object, as they are asked for."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from organizer.errors import ImageError, OrganizerError
from organizer.workers.messages import receive, send

_LATER = 2.0
"""Seconds by which a process outlives its time: the other end shall end it and say why. This is
for one whose other end has gone."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call of a generator method.

    Attributes:
        method: Its name.
        arguments: What it is given.
        seconds: How long it may work.
        memory: Bytes that the process may have while it works, beside shared libraries.
    """

    method: str
    arguments: tuple[Any, ...]
    seconds: float
    memory: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call goes on with, for what it yielded last.

    Attributes:
        seconds: What is left of its time.
        value: What ``yield`` gives.
    """

    seconds: float
    value: Any


@dataclass(frozen=True, slots=True)
class Ready:
    """The process has started."""


@dataclass(frozen=True, slots=True)
class Yielded:
    """A method yields something, and waits."""

    value: Any


@dataclass(frozen=True, slots=True)
class Returned:
    """A method has ended."""

    value: Any


@dataclass(frozen=True, slots=True)
class OutOfMemory:
    """A method has ended: there was not enough memory."""


@dataclass(frozen=True, slots=True)
class Raised:
    """A method raised what is told to the user."""

    error: OrganizerError


@dataclass(frozen=True, slots=True)
class Failed:
    """A method has a bug.

    Attributes:
        trace: As Python prints it.
    """

    trace: str


def serve_calls() -> None:
    """Serve what comes through the standard input until it ends."""
    inbox = sys.stdin.buffer
    outbox = _own_output()
    _settle()
    try:
        served = _made(receive(inbox))
        send(outbox, Ready())
        while True:
            _serve(served, receive(inbox), inbox, outbox)
    except (EOFError, BrokenPipeError):
        return  # whoever asked has gone


def _own_output() -> BinaryIO:
    """The standard output, for messages alone.

    What Python code prints, such as a plugin's, goes to the standard error. What libraries in C
    print of damaged files goes nowhere: the file becomes a problem, with its reason.
    """
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    errors = os.dup(sys.stderr.fileno())
    sys.stdout = sys.stderr = os.fdopen(errors, "w", buffering=1, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return output


def _settle() -> None:
    # Pillow warns of what a damaged file holds; the file becomes a picture or a problem.
    warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif")
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    if sys.platform != "win32":
        import resource

        # A crash is no news, and people's photos are no place for a core dump.
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def _made(name: str) -> object:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)()


def _serve(served: object, request: Request, inbox: BinaryIO, outbox: BinaryIO) -> None:
    limit_memory(request.memory)
    steps: Generator[Any, Any, Any] = getattr(served, request.method)(*request.arguments)
    answer = Reply(request.seconds, None)
    while True:
        _end_after(answer.seconds)
        message = _next(steps, answer.value)
        _end_after(None)
        send(outbox, message)
        if not isinstance(message, Yielded):
            return
        answer = receive(inbox)


def _next(steps: Generator[Any, Any, Any], answer: Any) -> object:
    """One step of a method, and what came of it."""
    try:
        return Yielded(steps.send(answer))
    except StopIteration as end:
        return Returned(end.value)
    except MemoryError:
        return OutOfMemory()
    except ImageError as error:
        return OutOfMemory() if isinstance(error.__cause__, MemoryError) else Raised(error)
    except OrganizerError as error:
        return Raised(error)
    except Exception:  # noqa: BLE001 - raised on the other end
        return Failed(traceback.format_exc())


def _end_after(seconds: float | None) -> None:
    """Have the system end this process, even in the middle of a library that never returns."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0 if seconds is None else seconds + _LATER)


def limit_memory(size: int) -> None:
    """Have the system refuse more memory than so many bytes, where it can: on Linux."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        with suppress(ValueError, OSError):
            most = size if hard == resource.RLIM_INFINITY else min(size, hard)
            resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
