"""Worker processes that outlive the ingest they were started for: a test starts none of its own.

A process takes a third of a second to start, and the suite ingests some thousand times. What a
process is asked, and what it answers, is the same; only its end is put off.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from organizer.reading import WORKER
from organizer.workers.process import Failure, WorkerProcess

_MOST = 8


class KeptWorkers:
    """Takes the place of `WorkerProcess` where a pool starts one."""

    def __init__(self) -> None:
        self._kept: list[tuple[object, _Kept]] = []

    def __call__(self, served: str) -> WorkerProcess:
        if served != WORKER:
            return WorkerProcess(served)
        wanted = _key(served)
        for place, (key, worker) in enumerate(self._kept):
            if key == wanted:
                del self._kept[place]
                return worker.again()
        return _Kept(self, served)

    def keep(self, worker: _Kept) -> bool:
        """Keep a worker that could go on; whether that was done."""
        if not (worker.is_usable and worker.calls) or len(self._kept) >= _MOST:
            return False
        self._kept.append((worker.key, worker))
        return True

    def close(self) -> None:
        """End them all."""
        while self._kept:
            self._kept.pop()[1].end_now()


class _Kept(WorkerProcess):
    def __init__(self, owner: KeptWorkers, served: str) -> None:
        self._owner = owner
        self.key = _key(served)
        super().__init__(served)

    def again(self) -> WorkerProcess:
        self.calls = 0
        self._ended_for = None
        return self

    def end(self, why: Failure = Failure.CLOSED) -> None:
        if not self.is_usable:  # in the middle of something
            super().end(why)

    def close(self) -> None:
        if not self._owner.keep(self):
            self.end_now()

    def end_now(self) -> None:
        self._process.kill()
        super().close()


def _key(served: str) -> tuple[Any, ...]:
    """What of this process decides what such a process imports."""
    return served, Path.cwd(), *sys.path


@contextmanager
def kept_workers() -> Iterator[None]:
    """Have pools use kept workers."""
    kept = KeptWorkers()
    with patch("organizer.workers.pool.WorkerProcess", kept):
        yield
    kept.close()
