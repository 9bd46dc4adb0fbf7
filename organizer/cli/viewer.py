"""Pictures opened with the person's viewer, or the system's."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import typer

from organizer.cli.session import say
from organizer.errors import SettingsError


def open_picture(file: Path, viewer: str | None) -> None:
    """Open a picture; a viewer that fails is reported on stderr.

    Args:
        file: The picture.
        viewer: A command that takes its path; the system's viewer where None.

    Raises:
        SettingsError: The command cannot be run.
    """
    if viewer is None:
        failed = typer.launch(str(file)) != 0
    else:
        try:
            failed = subprocess.run([*shlex.split(viewer), str(file)], check=False).returncode != 0  # noqa: S603 - the user's own command
        except (OSError, ValueError) as error:  # ValueError: a quote that is not closed
            raise SettingsError(f"cannot run {viewer!r}: {error}", "correct --viewer") from error
    if failed:
        say(f"no viewer opened {file}; name one with --viewer COMMAND or ORGANIZER_VIEWER")
