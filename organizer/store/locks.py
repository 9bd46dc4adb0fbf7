"""The locks of a library: one writer at a time, one ingest, and readers whose versions stay.

An ingest holds the library for writing only while it commits. In between others may decide, and
nothing else: a lock of its own, held from its beginning to its end, keeps other ingests, reclusters
and arrangements out. A recluster does the same while it clusters.

The locks are those of the system: they end with the process, however it ends, so that none has to
be taken from a dead one. Who holds one is noted beside it; see `organizer.store.holders`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from organizer.errors import LibraryBusyError, StoreError
from organizer.store.holders import Holder, forget_holder
from organizer.store.lance_errors import explain

_WRITER, _INGEST, _READERS, _TRAINING = "lock", "ingest", "readers", "training"

_INTERVAL = 0.005
_LONG_INTERVAL = 0.05
"""Between two tries of whoever has waited for a second."""
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
        seconds: How long to wait for another writer, or for an ingest where this may not be done
            during one.

    Yields:
        Whether an ingest is going on.

    Raises:
        LibraryBusyError: Another process writes.
        StoreError: The library cannot be written.
    """
    began = time.monotonic()
    while True:
        waited = time.monotonic() - began
        if decides or not _is_ingesting(path):
            with _held(path, _WRITER) as is_ours:
                is_ingesting = _is_ingesting(path)
                if is_ours and not is_ingesting:
                    _require_none_elsewhere(path, _INGEST)
                if is_ours and (decides or not is_ingesting):
                    yield is_ingesting
                    return
        else:
            is_ingesting = True
        patience = max(seconds, _COMMIT_SECONDS) if decides and is_ingesting else seconds
        if waited >= patience:
            raise _busy(path)
        time.sleep(_interval(waited))


@contextmanager
def held_for_commit(path: Path) -> Iterator[None]:
    """Hold a library for a commit of an ingest; whoever decides at this moment is waited for."""
    with _held(path, _WRITER, seconds=math.inf):
        yield


@contextmanager
def held_for_ingest(path: Path) -> Iterator[None]:
    """Keep everybody out who would do more than decide.

    Raises:
        LibraryBusyError: Another process writes.
        StoreError: The library cannot be written.
    """
    with _held(path, _INGEST, seconds=_PROBE_SECONDS) as is_ours:
        if not is_ours:
            raise _busy(path)
        yield


@contextmanager
def held_for_training(path: Path) -> Iterator[None]:
    """Keep other trainings out, and nobody else: what a training keeps lies in one place.

    Raises:
        LibraryBusyError: Another process or thread trains in this library.
        StoreError: The library cannot be written.
    """
    with _held(path, _TRAINING) as is_ours:
        if not is_ours:
            raise LibraryBusyError(
                f"another recluster trains in the library {path}", "wait until it has ended"
            )
        yield


def take_over(path: Path) -> Holder | None:
    """Take a library over from a writer on another computer that has ended without saying so.

    Returns:
        That writer; None where there is none.

    Raises:
        LibraryBusyError: A process that this computer knows of writes.
        StoreError: The library cannot be written.
    """
    found = None
    for name in (_WRITER, _INGEST):
        lock = _acquired(path, name)
        if lock is None:
            raise _busy(path)
        try:
            found = Holder.read(path / name) or found
            forget_holder(path / name)
        finally:
            lock.release()
    return found if found is not None and found.is_elsewhere else None


def noted_locks(path: Path) -> Iterator[tuple[str, Holder, bool]]:
    """The locks that somebody noted to hold: name, who, and whether it is held now.

    Raises:
        StoreError: Whether one is held cannot be asked, as on a disk without locks.
    """
    for name in (_WRITER, _INGEST):
        holder = Holder.read(path / name)
        if holder is not None:
            yield name, holder, _is_held(path, name)


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


@contextmanager
def _held(path: Path, name: str, *, seconds: float = 0.0) -> Iterator[bool]:
    """Hold a lock, and note it.

    Yields:
        False where somebody else holds it for longer than some seconds.

    Raises:
        LibraryBusyError: It is free, and somebody on another computer noted to hold it.
    """
    lock = _acquired(path, name, seconds=seconds)
    if lock is None:
        yield False
        return
    try:
        _require_none_elsewhere(path, name)
        Holder.of_this_process().note(path / name)
        try:
            yield True
        finally:
            forget_holder(path / name)
    finally:
        lock.release()


def _is_ingesting(path: Path) -> bool:
    """Whether an ingest is going on, in this process or another one."""
    return _is_held(path, _INGEST)


def _is_held(path: Path, name: str) -> bool:
    import portalocker

    flags = portalocker.LOCK_SH | portalocker.LOCK_NB  # who looks keeps nobody else from looking
    lock = portalocker.Lock(path / name, mode="a", timeout=0, flags=flags)
    with _explained(path):
        try:
            lock.acquire()
        except portalocker.AlreadyLocked:
            return True
        lock.release()
        return False


def _acquired(path: Path, name: str, *, seconds: float = 0.0) -> Any:
    """A lock that is held; None where somebody else holds it for longer than some seconds."""
    import portalocker

    began = time.monotonic()
    lock = portalocker.Lock(path / name, mode="a", timeout=0)
    with _explained(path):
        while True:
            try:
                lock.acquire()
            except portalocker.AlreadyLocked:
                waited = time.monotonic() - began
                if waited >= seconds:
                    return None
                time.sleep(_interval(waited))
            else:
                return lock


def _interval(waited: float) -> float:
    return _INTERVAL if waited < 1.0 else _LONG_INTERVAL


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """What the system says of a lock that cannot be taken, as an error for a person."""
    import portalocker

    try:
        yield
    except OSError as error:
        raise explain(path, error) or StoreError(
            f"the library {path} cannot be written: {error.strerror}",
            "check its permissions and whether the disk is writable",
        ) from error
    except portalocker.LockException as error:
        raise StoreError(
            f"the library {path} cannot be written: its disk has no locks: {error.strerror}",
            "two programs could write at once there: put the library on another disk (--library); "
            "the photos may stay",
        ) from error


def _busy(path: Path) -> LibraryBusyError:
    holder = Holder.read(path / (_INGEST if _is_ingesting(path) else _WRITER))
    who = f": {holder}" if holder is not None else ""
    return LibraryBusyError(
        f"the library {path} is being written by another organizer{who}",
        "wait until it has ended, or have the command wait: organizer --wait 600 ...; reading is "
        "possible all the while",
    )


def _require_none_elsewhere(path: Path, name: str) -> None:
    """Make sure that nobody on another computer noted to hold a lock that is free here."""
    former = Holder.read(path / name)
    if former is not None and former.is_elsewhere:
        raise LibraryBusyError(
            f"the library {path} is being written on another computer, or was when that ended: "
            f"{former}",
            "if it has ended there, type organizer unlock, and then the command again",
        )
