"""The locks of a library: one writer at a time, one ingest, and readers whose versions stay.

An ingest holds the library for writing only while it commits. In between others may decide, and
nothing else: a lock of its own, held from its beginning to its end, keeps other ingests, reclusters
and arrangements out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from organizer.errors import LibraryBusyError, StoreError

_WRITER, _INGEST, _READERS = "lock", "ingest", "readers"

_INTERVAL = 0.005
_COMMIT_SECONDS = 60.0
"""How long a decision waits for the commits of an ingest, which take seconds at most."""
DECISION_SECONDS = 1.0
"""How long an ingest waits at its beginning for a decision that is being made."""
_PROBE_SECONDS = 0.2
"""How long an ingest waits for those who look whether there is one, which takes microseconds."""


@contextmanager
def held_for_writing(path: Path, *, decides: bool = False, seconds: float = 0.0) -> Iterator[bool]:
    """Hold a library for writing.

    Args:
        path: The library's folder.
        decides: Whether this may be done between two commits of an ingest.
        seconds: How long to wait for another writer.

    Yields:
        Whether an ingest is going on.

    Raises:
        LibraryBusyError: Another process writes.
        StoreError: The library cannot be written.
    """
    deadline = time.monotonic() + _COMMIT_SECONDS
    while (lock := _acquired(path, _WRITER, seconds=seconds)) is None:
        if not decides or not _is_ingesting(path) or time.monotonic() > deadline:
            raise _busy(path)
        time.sleep(_INTERVAL)
    try:
        is_ingesting = _is_ingesting(path)
        if is_ingesting and not decides:
            raise _busy(path)
        yield is_ingesting
    finally:
        lock.release()


@contextmanager
def held_for_commit(path: Path) -> Iterator[None]:
    """Hold a library for a commit of an ingest; whoever decides at this moment is waited for."""
    lock = _acquired(path, _WRITER, seconds=math.inf)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def held_for_ingest(path: Path) -> Iterator[None]:
    """Keep everybody out who would do more than decide.

    Raises:
        LibraryBusyError: Another process writes.
        StoreError: The library cannot be written.
    """
    lock = _acquired(path, _INGEST, seconds=_PROBE_SECONDS)
    if lock is None:
        raise _busy(path)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def held_for_reading(path: Path) -> Iterator[None]:
    """Keep the versions of a library that are being read, for as long as the context lasts."""
    import portalocker

    with ExitStack() as held:
        for mode in ("a", "r"):  # a reader may not be allowed to write
            lock = portalocker.Lock(
                path / _READERS,
                mode=mode,
                flags=portalocker.LOCK_SH,  # waits: held while files are removed, no longer
            )
            try:
                lock.acquire()
            except (OSError, portalocker.LockException):
                continue  # on a read-only medium there is no writer to tell
            held.callback(lock.release)
            break
        yield


@contextmanager
def without_readers(path: Path) -> Iterator[bool]:
    """Keep readers out for as long as the context lasts, if there are none.

    Yields:
        Whether there are none.
    """
    import portalocker

    lock = portalocker.Lock(path / _READERS, mode="a", timeout=0)
    try:
        lock.acquire()
    except portalocker.LockException:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _is_ingesting(path: Path) -> bool:
    """Whether an ingest is going on, in this process or another one."""
    import portalocker

    flags = portalocker.LOCK_SH | portalocker.LOCK_NB  # who looks keeps nobody else from looking
    lock = portalocker.Lock(path / _INGEST, mode="a", timeout=0, flags=flags)
    try:
        lock.acquire()
    except portalocker.LockException:
        return True
    lock.release()
    return False


def _acquired(path: Path, name: str, *, seconds: float = 0.0) -> Any:
    """A lock that is held; None where somebody else holds it for longer than some seconds."""
    import portalocker

    deadline = time.monotonic() + seconds
    lock = portalocker.Lock(path / name, mode="a", timeout=0)
    while True:
        try:
            lock.acquire()
        except portalocker.LockException:
            if time.monotonic() >= deadline:
                return None
            time.sleep(_INTERVAL)
        except OSError as error:
            raise StoreError(
                f"the library {path} cannot be written: {error.strerror}",
                "check its permissions and whether the disk is writable",
            ) from error
        else:
            return lock


def _busy(path: Path) -> LibraryBusyError:
    return LibraryBusyError(
        f"the library {path} is being written by another organizer",
        "wait until it has ended; reading is possible all the while",
    )
