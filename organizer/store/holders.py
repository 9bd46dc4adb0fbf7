"""Who holds a lock, for people to read.

It lies beside the lock, since a file that is locked cannot be read on Windows. Whether a lock is
held is never told by it: the system says that, and takes the locks of a process that has ended
from it. One thing the system cannot say: whether somebody on another computer still writes, where
a network drive does not pass locks on, or where a disk was carried over. There whoever left a note
is asked for.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lock.

    Attributes:
        host: The name of its computer.
        boot: What tells one run of that computer's system from others, which containers share;
            empty where there is no such thing.
        pid: Its number.
        command: What was typed.
        since: When it took the lock: ISO 8601, with the offset of its clock.
    """

    host: str
    boot: str
    pid: int
    command: str
    since: str

    @classmethod
    def of_this_process(cls) -> Holder:
        """This process, from now."""
        since = datetime.now().astimezone().isoformat(timespec="seconds")
        return cls(socket.gethostname(), _boot(), os.getpid(), _typed(), since)

    @classmethod
    def read(cls, lock: Path) -> Holder | None:
        """Who noted to hold a lock; None where that is not known."""
        try:
            kept = json.loads(_beside(lock).read_text(encoding="utf-8"))
            texts = [str(kept[name]) for name in ("host", "boot", "command", "since")]
            host, boot, command, since = texts
            return cls(host, boot, int(kept["pid"]), command, since)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note(self, lock: Path) -> None:
        """Note beside a lock that is held who holds it, where that can be written."""
        with suppress(OSError):
            _beside(lock).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is, or was, on another computer."""
        is_of_this_boot = bool(self.boot) and self.boot == _boot()
        return self.host != socket.gethostname() and not is_of_this_boot

    @property
    def is_this_process(self) -> bool:
        """Whether it is this process."""
        return self.pid == os.getpid() and not self.is_elsewhere

    def __str__(self) -> str:
        return f"{self.command!r}, process {self.pid} on {self.host}, since {self.since}"


def forget_holder(lock: Path) -> None:
    """Remove the note beside a lock."""
    with suppress(OSError):
        _beside(lock).unlink()


def _beside(lock: Path) -> Path:
    return lock.with_name(f"{lock.name}.holder")


def _boot() -> str:
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _typed() -> str:
    """The command of this process, as it was typed."""
    program = Path(sys.argv[0] if sys.argv else "")
    name = program.parent.name if program.stem == "__main__" else program.stem
    return " ".join([name or "python", *sys.argv[1:]])[:_LONGEST]
