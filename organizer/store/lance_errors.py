"""What Lance raises, as errors of organizer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from organizer.errors import StoreError

_LANCE_ERRORS = (OSError, RuntimeError, ValueError, pa.ArrowException)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """What Lance raises for a broken disk or a broken table, as an error for a person.

    Raises:
        StoreError: The disk is full, the library may not be used, or it is damaged.
    """
    try:
        yield
    except StoreError:
        raise
    except BaseException as error:
        # Lance's Rust code panics on some damage; that exception has no public class.
        panicked = type(error).__name__ == "PanicException"
        if not panicked and not isinstance(error, _LANCE_ERRORS):
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        if "No space left" in str(error):
            raise StoreError(
                f"the disk of the library {path} is full",
                "make room and run the command again: what was committed is kept",
            ) from error
        if isinstance(error, PermissionError) or "ermission denied" in reason:
            raise StoreError(
                f"the library {path} may not be written or read: {reason}", "check its permissions"
            ) from error
        raise damaged(path, reason) from error


def damaged(path: Path, reason: str) -> StoreError:
    """The error for a library that cannot be read any more."""
    return StoreError(
        f"the library {path} is damaged: {reason}",
        "put back a copy of it, or move it away and ingest again; your photos are not touched",
    )
