"""The locks of a library: one writer at a time, and readers whose versions stay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from organizer.errors import LibraryBusyError, StoreError

_WRITER, _READERS = "lock", "readers"


@contextmanager
def held_for_writing(path: Path) -> Iterator[None]:
    """Hold a library for writing.

    Raises:
        LibraryBusyError: Another process writes.
        StoreError: The library cannot be written.
    """
    import portalocker

    lock = portalocker.Lock(path / _WRITER, mode="a", timeout=0)
    try:
        lock.acquire()
    except portalocker.LockException as error:
        raise LibraryBusyError(
            f"the library {path} is being written by another organizer",
            "wait until it has ended; reading is possible all the while",
        ) from error
    except OSError as error:
        raise StoreError(
            f"the library {path} cannot be written: {error.strerror}",
            "check its permissions and whether the disk is writable",
        ) from error
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
