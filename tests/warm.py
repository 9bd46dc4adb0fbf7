"""The program typed many times: each command is a process of its own, the imports are done once.

A command as it is typed takes a second and more to import its libraries. Here they are imported by
one process, which forks for every command: what a command writes, when it ends and what it leaves
open is that of a process that does its work and ends.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import Ran

_PAUSE = 0.003
_AT_MOST = 600.0
_END = re.compile(r"exit code \d+\0")

# Forks are made before any library has begun to work, so none is in the middle of something.
_MOTHER = """
import json, os, sys, traceback, warnings
warnings.simplefilter("ignore")
import lance, lancedb, sklearn.decomposition
import organizer.library
from organizer.cli import main

def work(asked):
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    for number, file in enumerate(("/dev/null", asked["out"], asked["err"])):
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC * (number > 0)), number)
    codes = []
    for words in asked["commands"]:
        sys.argv = ["organizer", *words]
        codes.append(0)
        try:
            main()
        except SystemExit as end:
            codes[-1] = end.code or 0
        except BaseException:
            traceback.print_exc()
            codes[-1] = 1
        sys.stdout.write(f"exit code {codes[-1]}\\0")
        sys.stdout.flush()
    return next(filter(None, codes), 0)

print("ready", flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if "wait" in asked:
        pid, status = os.waitpid(asked["wait"], os.WNOHANG)
        print(json.dumps(os.waitstatus_to_exitcode(status) if pid else None), flush=True)
        continue
    pid = os.fork()
    if pid == 0:
        os._exit(work(asked))
    print(pid, flush=True)
"""


@dataclass
class Running:
    """A command at work."""

    pid: int
    _mother: Warm
    _out: Path
    _code: int | None = None

    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        if self._code is None:
            self._code = self._mother.ask({"wait": self.pid})
        return self._code

    def send(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.code() is None:
            os.kill(self.pid, number)

    def printed(self) -> str:
        """What it has printed so far, but for a line that is not whole."""
        whole = self._out.read_bytes().rpartition(b"\n")
        return (whole[0] + whole[1]).decode()

    def errors(self) -> str:
        """What it has written to stderr so far."""
        return self._out.with_suffix(".err").read_text()

    def finish(self, *, at_most: float = _AT_MOST) -> Ran:
        """Wait for its end; it is killed after so many seconds."""
        deadline = time.monotonic() + at_most
        while (code := self.code()) is None:
            if time.monotonic() > deadline:
                self.send(signal.SIGKILL)
            time.sleep(_PAUSE)
        return Ran(code, self._out.read_text(), self.errors())


class Warm:
    """A process that has imported organizer, and forks for every command."""

    def __init__(self, process: subprocess.Popen[str], scratch: Path) -> None:
        self._process = process
        self._scratch = scratch
        self._commands = 0

    def ask(self, asked: dict[str, Any]) -> Any:
        """One question to the process, and its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def begin(self, *commands: Sequence[object], cwd: Path, **env: str) -> Running:
        """Begin a process that runs commands one after another."""
        self._commands += 1
        out = self._scratch / f"{self._commands}.out"
        for file in (out, out.with_suffix(".err")):
            file.touch()
        pid = self.ask(
            {
                "commands": [list(map(str, words)) for words in commands],
                "cwd": str(cwd),
                "env": {**os.environ, **env},
                "out": str(out),
                "err": str(out.with_suffix(".err")),
            }
        )
        return Running(pid, self, out)

    def run(self, *words: object, cwd: Path, **env: str) -> Ran:
        """A command, typed in a folder."""
        ran = self.begin(words, cwd=cwd, **env).finish()
        return Ran(ran.code, _END.sub("", ran.out), ran.err)

    def run_all(self, commands: Sequence[Sequence[object]], *, cwd: Path) -> tuple[Ran, list[str]]:
        """Commands in one process, and what each printed, with its exit code.

        The exit code of the process is that of the first command that failed.
        """
        ran = self.begin(*commands, cwd=cwd).finish()
        return ran, ran.out.split("\0")[:-1]


@contextmanager
def warm_program(scratch: Path, *, preloaded: Path | None = None) -> Iterator[Warm]:
    """A process that has imported organizer.

    Args:
        scratch: An empty folder for what the commands print.
        preloaded: A library that stands between the process and the system.
    """
    with subprocess.Popen(
        [sys.executable, "-c", _MOTHER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **({"LD_PRELOAD": str(preloaded)} if preloaded else {})},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield Warm(process, scratch)
        finally:
            with suppress(OSError):
                process.kill()
