"""What Lance raises, told apart: what the system refused, what is damaged, and what is a bug.

Lance says what went wrong only in its message: one type of exception stands for a full disk, a
damaged file and a wrong argument. The forms below were collected by harming tables and systems on
purpose; `tests/test_lance_errors.py` does it again. Whatever has none of these forms is let
through: nobody foresaw it, so nobody may call it damage.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from organizer.errors import StoreError
from organizer.refusals import refusal

_ALWAYS_THERE = ("library.json", "journal.sqlite")
"""Files one of which every library has; a folder may be made anew where its disk was."""

_LANCE_ERRORS = (OSError, RuntimeError, ValueError, pa.ArrowException, MemoryError)
_PANICS = ("PanicException", "RustPanic")
"""What a panic of Lance's Rust code becomes; these exceptions have no public class."""

_SYSTEM_CODE = re.compile(r"\(os error (\d+)\)")
_WHERE_IN_RUST = re.compile(r",? ?(?:/|[A-Za-z]:\\)[^\s,]*\.rs:\d+:\d+")
_PREFIX = re.compile(
    r"^(?:lance error: |External error: |Wrapped error: |LanceError\(\w+\): |"
    r"Generic [\w/]+ error: |Invalid user input: |Invalid input, )+"
)

_DAMAGE = re.compile(
    "|".join(
        (
            # a file is gone
            r"Not found: .*\.lance/",
            r"Dataset at path .* was not found",
            r"Table '.*' was not found",
            r"Fragment \d+ does not contain any data",
            # a file is cut or empty
            r"failed to fill whole buffer",
            r"file size is too small",
            r"Invalid range \d+\.\.\d+ for object of size",
            r"Arrow file does not contain correct footer",
            r"invalid seek to a negative or overflowing position",
            r"does not have sufficient data",
            # what is in it is not what a file of Lance begins, ends or is laid out with
            r"file does not appear to be a Lance file",
            r"magic number does not match",
            r"Encountered corrupt file",
            r"Unknown Lance storage version",
            r"does not have a transaction file",
            r"[Gg]lobal buffers?(?: \d+ (?:position|range)|, schema expected)",
            r"is outside file of size",
            r"column metadata (?:offset table|range|region)",
            # a part of it cannot be decoded
            r"failed to decode Protobuf message",
            r"is missing its encoding",
            r"Flat buffer has \d+ bytes, expected",
            r"Struct child array length",
            r"cannot read columns of differing lengths together",
            r"Invalid argument error: (?:First offset|Invalid UTF-?8|Invalid scalar value)",
            r"the sliced Buffer cannot exceed",
            r"out of range for slice of length",
            # a manifest that contradicts itself
            r"references parent id",
            r"Unsupported logical type",
            r"These must be the same length",
            r"non-leaf fields should have column_index",
            r"mixes V\d+ and V\d+ data files",
            r"mixed data-file-version capability",
            r"The projection specified the column index",
        )
    )
)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """What Lance raises for a disk or a table that cannot be used, as an error for a person.

    Args:
        path: The library.

    Raises:
        StoreError: The disk is full, gone or may not be used, or the library is damaged. Anything
            else is raised as it is.
    """
    try:
        yield
    except BaseException as error:
        explained = explain(path, error)
        if explained is None:
            raise
        raise explained from error


def explain(path: Path, error: BaseException) -> StoreError | None:
    """The error for a person, of one that Lance or the system raised; None where it is a bug.

    Args:
        path: The library.
        error: What was raised while the library was used.
    """
    if not isinstance(error, _LANCE_ERRORS) and type(error).__name__ not in _PANICS:
        return None
    reason, code = _plain(error), _system_code(error)
    refused = _refused(path, code, reason)
    if refused is not None:
        return refused
    is_gone = code == errno.ENOENT
    if is_gone or _DAMAGE.search(str(error)) or _has_emptied_table(path):
        return damaged(path, reason)
    return None


def require_there(path: Path) -> None:
    """Make sure that a library in which a file is missing has not gone as a whole.

    Raises:
        StoreError: It has.
    """
    if not _is_there(path):
        raise _gone(path)


def damaged(path: Path, reason: str) -> StoreError:
    """The error for a library that cannot be read any more."""
    return StoreError(
        f"the library {path} is damaged: {reason}",
        "organizer doctor says what is damaged, and organizer doctor --fix mends it: your "
        "decisions are kept, nothing is deleted, your photos are not touched",
    )


def _refused(path: Path, code: int | None, reason: str) -> StoreError | None:
    """The error where the system, not the library, is at fault; None where it is not."""
    refused = refusal(code, f"the library {path}", reason)
    if refused is not None:
        return StoreError(*refused)
    return None if _is_there(path) else _gone(path)


def _is_there(path: Path) -> bool:
    return any((path / name).exists() for name in _ALWAYS_THERE)


def _gone(path: Path) -> StoreError:
    return StoreError(
        f"the library {path} is not there any more", "check whether its disk is connected"
    )


def _system_code(error: BaseException) -> int | None:
    """The number of the system's error, as `errno` names it; None where there is none."""
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _SYSTEM_CODE.search(str(error))
    if found is None:
        return None
    code = int(found[1])
    # Rust prints Windows' own numbers; Python knows which of errno's they are.
    return OSError(code, "", None, code).errno if sys.platform == "win32" else code


def _plain(error: BaseException) -> str:
    """What was raised in one line, without the places in Rust's sources and its wrappings."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.strerror or os.strerror(error.errno)
    line = (str(error).splitlines() or [""])[0]
    return _PREFIX.sub("", _WHERE_IN_RUST.sub("", line)) or type(error).__name__


def _has_emptied_table(path: Path) -> bool:
    """Whether a table has lost its columns: Lance reads a manifest of zeros as one without any.

    A disk that lost its power leaves such manifests; what follows sounds like a wrong argument.
    """
    import lance

    for table in path.glob("*.lance"):
        try:
            if not lance.dataset(str(table)).schema.names:
                return True
        except (OSError, RuntimeError, ValueError):
            continue
    return False
