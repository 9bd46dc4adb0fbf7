"""What a command that fails prints: two lines for a person, and JSON where that was asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import typer

from organizer.cli.session import print_error, writes_unicode
from organizer.errors import OrganizerError
from organizer.fields.problem import bug_fields, problem_fields, usage_fields


def print_failure(error: OrganizerError) -> None:
    """Print an error and its hint to stderr, and as JSON to stdout if that was asked for."""
    print_error(error)
    print_failure_json(problem_fields(error))


def print_failure_json(fields: Mapping[str, object]) -> None:
    """Print an error as one line of JSON, if that was asked for."""
    arguments = sys.argv[1:]
    if "--json" not in arguments[: arguments.index("--") if "--" in arguments else None]:
        return
    with suppress(OSError):  # stdout may be what failed
        sys.stdout.write(json.dumps(fields, ensure_ascii=not writes_unicode(sys.stdout)) + "\n")
        sys.stdout.flush()


@contextmanager
def odd_ends_as_json() -> Iterator[None]:
    """Print wrong use and bugs, which end the program above the commands, as JSON too.

    What a person sees of them is printed by Typer, and by Python.
    """
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        print_failure_json(_fields(error))
        raise


def _fields(error: Exception) -> dict[str, object]:
    wrong: Any = error
    usage = typer.BadParameter.__mro__[1]  # Typer gives no name to the error of any wrong use
    if not isinstance(error, usage):
        return bug_fields(error)
    path = wrong.ctx.command_path if wrong.ctx else "organizer"
    return usage_fields(wrong.format_message(), f"{path} --help", wrong.exit_code)
