"""The program as typed, in this process: without the second that a start takes."""

from __future__ import annotations

import io
import sys
import traceback
import warnings
from pathlib import Path

import pytest

from organizer.cli import main
from tests.conftest import Ran


class _Screen(io.StringIO):
    """Takes what is written to a terminal."""

    def isatty(self) -> bool:
        return True


def in_this_process(
    here: Path,
    *words: object,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    stdin: str = "",
    columns: int | None = None,
) -> Ran:
    """What `organizer WORDS` gives. A bug becomes a traceback on stderr, as it does in a shell.

    Args:
        here: The current folder.
        *words: What is typed.
        cwd: Another current folder.
        env: Variables of the environment.
        stdin: What stdin holds.
        columns: Of the terminal that stdout is; None for a pipe.
    """
    out, err = io.StringIO() if columns is None else _Screen(), io.StringIO()
    if columns is not None:
        env = {**(env or {}), "COLUMNS": str(columns)}
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(sys, "argv", ["organizer", *map(str, words)])
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        patch.chdir(cwd or here)
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        except Exception:  # noqa: BLE001 - whatever a bug raises
            traceback.print_exc(file=err)
            code = 1
    return Ran(code, out.getvalue(), err.getvalue())
