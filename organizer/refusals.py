"""What the system refuses: a full disk, one that went, no permission; what happened, what to do.

These are never mistakes of the program, whatever it was about to do.
"""

from __future__ import annotations

import errno
import os

from organizer.errors import OrganizerError

_KEPT = "run the command again: what was committed is kept"

_REFUSALS: tuple[tuple[frozenset[int], str, str], ...] = (
    (
        frozenset({errno.ENOSPC, errno.EDQUOT}),
        "the disk of {what} is full",
        f"make room and {_KEPT}",
    ),
    (
        frozenset({errno.EACCES, errno.EPERM}),
        "{what} may not be written or read: {reason}",
        "check its permissions",
    ),
    (
        frozenset({errno.EROFS}),
        "{what} is on a disk that can only be read",
        "make the disk writable, or work with a copy of photos and library on another one",
    ),
    (
        frozenset({errno.EMFILE, errno.ENFILE}),
        "too many files are open to go on with {what}",
        f"close other programs or allow more open files (ulimit -n 4096), and {_KEPT}",
    ),
    (  # a disk that fails, a drive that was unplugged, a network drive that went
        frozenset(
            {
                errno.EIO, errno.ENOTCONN, errno.ESTALE, errno.ENXIO, errno.ENODEV,
                errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN,
                errno.ENETUNREACH, errno.ECONNRESET, errno.ECONNABORTED, errno.ECONNREFUSED,
                errno.ESHUTDOWN,
            }
        ),
        "the disk of {what} does not answer: {reason}",
        f"check the disk, its cable or its network, and {_KEPT}",
    ),
    (
        frozenset({errno.EINTR, errno.EAGAIN}),
        "the work on {what} was interrupted: {reason}",
        _KEPT,
    ),
    (
        frozenset({errno.ENOMEM}),
        "there is not enough memory for {what}",
        f"close other programs and {_KEPT}",
    ),
)  # fmt: skip
"""What the system refuses, by the numbers of `errno`: what happened, and what to do."""


def refusal(code: int | None, what: str, reason: str) -> tuple[str, str] | None:
    """What happened and what to do, for a number of `errno`; None where it is no refusal.

    Args:
        code: The number.
        what: What the system refused to work on.
        reason: What the system says.
    """
    for codes, message, hint in _REFUSALS:
        if code in codes:
            return message.format(what=what, reason=reason), hint
    return None


def explain_refusal(error: OSError) -> OrganizerError | None:
    """The error for a person; None where the system refused nothing."""
    what = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "a file"
    found = refusal(error.errno, what, error.strerror or "")
    return None if found is None else OrganizerError(*found)
