"""A report on disk: one page, or plots. What organizer did not write is never replaced unasked."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from organizer.errors import SettingsError
from organizer.library.illustrating import MapMethod, illustrated
from organizer.library.progress import Progress
from organizer.library.reporting import Report
from organizer.report.contents import Contents
from organizer.report.page import render
from organizer.report.plots import write_plots
from organizer.settings import Settings
from organizer.store import Store

_MARK = b'<meta name="generator" content="organizer">'
_HEAD = 65_536
"""A page says by what it was made in its first bytes."""


def publish(
    store: Store,
    *,
    html: Path | None,
    plots: Path | None,
    map_method: MapMethod,
    labels: str | None,
    below: Path,
    force: bool,
    settings: Settings,
    progress: Progress,
) -> tuple[Report, tuple[Path, ...]]:
    """See `organizer.library.Library.illustrate`."""
    # A place that cannot be written to is told of before minutes of work, not after.
    if html is not None:
        _require_writable(html, force=force)
    if plots is not None and plots.exists() and not plots.is_dir():
        raise SettingsError(f"{plots} is a file", "name a folder for the plots")
    report, contents = illustrated(
        store, labels, map_method=map_method, below=below, settings=settings, progress=progress
    )
    written: list[Path] = []
    if html is not None:
        progress.begin("writing the page", None)
        _write(html, render(contents))
        written.append(html)
    if plots is not None:
        progress.begin("drawing the plots", None)
        written += _plotted(contents, plots)
    return report, tuple(written)


def _plotted(contents: Contents, folder: Path) -> tuple[Path, ...]:
    try:
        return write_plots(contents, folder)
    except OSError as error:
        raise SettingsError(
            f"cannot write the plots to {folder}: {error.strerror}", "name another folder"
        ) from error


def _require_writable(file: Path, *, force: bool) -> None:
    if file.is_dir():
        raise SettingsError(f"{file} is a folder", "name a file, for example report.html")
    if not file.parent.is_dir():
        raise SettingsError(f"there is no folder {file.parent}", "make it first")
    if file.exists() and not force and not _is_page(file):
        raise SettingsError(
            f"{file} is there and no report of organizer", "name another file, or add --force"
        )


def _is_page(file: Path) -> bool:
    with file.open("rb") as stream:
        return _MARK in stream.read(_HEAD)


def _write(file: Path, page: str) -> None:
    """Write a file whole or not at all."""
    try:
        handle, partial = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(page)
            # mkstemp makes it readable to nobody else; a report is to be shown.
            Path(partial).chmod(0o666 & ~_umask())
            Path(partial).replace(file)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SettingsError(
            f"cannot write {file}: {error.strerror}", "name another file with --html"
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
