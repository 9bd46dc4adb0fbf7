"""What ends the program above the commands, wrong use and bugs, printed as JSON too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from organizer.cli.session import print_failure_json
from organizer.fields.problem import bug_fields, usage_fields


@contextmanager
def odd_ends_as_json() -> Iterator[None]:
    """Print what Typer and Python print for a person as JSON too, if that was asked for."""
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
