"""An error as JSON fields, and the word by which programs know its kind."""

from __future__ import annotations

from organizer.errors import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    ClusteringError,
    OrganizerError,
    SettingsError,
    StaleRevisionError,
    StoreError,
    one_line,
)


def problem_kind(error: OrganizerError) -> str:
    """The kind of an error, in the words of the service's problems too."""
    kinds: dict[type[OrganizerError], str] = {
        SettingsError: "invalid",
        ClusteringError: "cannot-be-clustered",
        StoreError: "library-unavailable",
        StaleRevisionError: "stale-revision",
    }
    return next((kind for kind_of, kind in kinds.items() if isinstance(error, kind_of)), "failed")


def problem_fields(error: OrganizerError) -> dict[str, object]:
    """An error that a person can act on."""
    return _fields(problem_kind(error), error.message, error.hint, error.exit_code)


def usage_fields(message: str, hint: str, exit_code: int) -> dict[str, object]:
    """Wrong use: an option, a command or a value that there is not."""
    return _fields("invalid", message, hint, exit_code)


def interruption_fields() -> dict[str, object]:
    """An end by Ctrl-C."""
    return _fields("interrupted", "interrupted", "", EXIT_INTERRUPTED)


def bug_fields(error: BaseException) -> dict[str, object]:
    """What should not happen; its traceback is on stderr."""
    hint = "report it with the traceback on stderr"
    return _fields("bug", one_line(error), hint, EXIT_FAILED)


def _fields(kind: str, message: str, hint: str, exit_code: int) -> dict[str, object]:
    values = {"type": kind, "message": message, "hint": hint or None, "exit_code": exit_code}
    return {"error": values}
