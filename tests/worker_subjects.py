"""What worker processes serve in tests."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Generator
from typing import Any

from organizer.errors import ImageError, SettingsError


class Subject:
    """What is served in these tests: each method does one of the things that files make happen."""

    def __init__(self) -> None:
        self.calls = 0

    def echo(self, value: Any) -> Generator[Any, Any, Any]:
        yield from ()
        return value

    def count(self) -> Generator[Any, Any, int]:
        self.calls += 1
        yield from ()
        return self.calls

    def pid(self) -> Generator[Any, Any, int]:
        yield from ()
        return os.getpid()

    def add(self, numbers: int) -> Generator[Any, Any, int]:
        total = 0
        for number in range(numbers):
            total += yield number
        return total

    def end_by(self, number: int) -> Generator[Any, Any, None]:
        yield "still here"
        os.kill(os.getpid(), number)
        time.sleep(60)

    def read_nowhere(self) -> Generator[Any, Any, None]:
        import ctypes

        yield from ()
        ctypes.string_at(0)

    def exit(self) -> Generator[Any, Any, None]:
        yield from ()
        os._exit(7)

    def stop(self) -> Generator[Any, Any, None]:
        yield from ()
        os.kill(os.getpid(), signal.SIGSTOP)

    def loop(self) -> Generator[Any, Any, None]:
        yield from ()
        while True:
            pass

    def fill(self, size: int) -> Generator[Any, Any, int]:
        yield from ()
        return len(b"x" * size)

    def refuse(self) -> Generator[Any, Any, None]:
        yield from ()
        raise ImageError("too yellow", too_large=True, lasting=False)

    def ask_for(self) -> Generator[Any, Any, None]:
        yield from ()
        raise SettingsError("no such thing", "ask for another")

    def fail(self) -> Generator[Any, Any, None]:
        yield from ()
        raise ZeroDivisionError("a bug")

    def say(self) -> Generator[Any, Any, str]:
        yield from ()
        sys.stdout.write("said by Python\n")
        os.write(1, b"said by a library\n")
        return "nothing broken"


class Unborn:
    def __init__(self) -> None:
        os._exit(3)
