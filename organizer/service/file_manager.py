"""Show a file in the file manager of the service's machine."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from functools import partial
from http import HTTPStatus
from pathlib import Path

import typer

from organizer.service.options import LOOPBACK, ServiceOptions
from organizer.service.problems import ProblemError


def can_show_files(options: ServiceOptions) -> bool:
    """Whether whoever uses the service sees the screen of its machine, and it has a file manager.

    Args:
        options: What the service was started with.
    """
    is_local = bool(options.hosts) and LOOPBACK.issuperset(options.hosts)
    return is_local and _has_file_manager()


def show_file(file: Path, options: ServiceOptions) -> None:
    """Open the file manager at a file.

    Raises:
        ProblemError: It cannot be shown here.
    """
    if not can_show_files(options):
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "no-file-manager",
            f"no file manager can show {file} to you",
            "open its folder by yourself",
        )
    # Some file managers end only when their window is closed.
    show = partial(typer.launch, str(file), wait=True, locate=True)
    threading.Thread(target=show, name="file manager", daemon=True).start()


def _has_file_manager() -> bool:
    if sys.platform in {"win32", "darwin"}:
        return True
    has_screen = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return has_screen and shutil.which("xdg-open") is not None
