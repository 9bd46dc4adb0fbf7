"""Write a report as a page or as plots; a file that no report wrote is not replaced unasked."""

from __future__ import annotations

from pathlib import Path

from organizer.atomic import write_atomically
from organizer.library.output_paths import (
    require_suffix,
    resolve_output,
    resolve_output_file,
    resolve_output_folder,
    unwritable,
)
from organizer.library.progress import Progress
from organizer.library.reports.contents import report_contents
from organizer.library.reports.maps import MapMethod
from organizer.library.reports.report import ClusteringReport
from organizer.report.page import render
from organizer.report.plots import write_plots
from organizer.settings import Settings
from organizer.store import Store

_MARK = b'<meta name="generator" content="organizer">'
_HEAD = 65_536
"""Bytes at the beginning of a page that hold the mark."""


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
) -> tuple[ClusteringReport, tuple[Path, ...]]:
    """See `Reports.write`."""
    # A place that cannot be written to is reported before minutes of work, not after.
    page = None if html is None else _page_at(store, html, force=force)
    folder = None if plots is None else resolve_output_folder(store, plots, option="--plots")
    report, contents = report_contents(
        store,
        labels,
        map_method=map_method,
        below=below,
        page=None if page is None else page.parent,
        settings=settings,
        progress=progress,
    )
    written: list[Path] = []
    if page is not None and html is not None:
        progress.begin("writing the page", None)
        _write(page, render(contents))
        written.append(html)
    if folder is not None and plots is not None:
        progress.begin("drawing the plots", None)
        written += [plots / file.name for file in write_plots(contents, folder)]
    return report, tuple(written)


def _page_at(store: Store, html: Path, *, force: bool) -> Path:
    place = resolve_output(store, html, option="--html")
    if not place.is_dir():
        require_suffix(place, ".html", ".htm", option="--html")
    return resolve_output_file(
        store,
        html,
        option="--html",
        kind="report of organizer",
        is_ours=None if force else _is_page,
        otherwise=", or add --force",
    )


def _is_page(file: Path) -> bool:
    with file.open("rb") as stream:
        return _MARK in stream.read(_HEAD)


def _write(place: Path, page: str) -> None:
    try:
        write_atomically(place, page.encode())
    except OSError as error:
        raise unwritable(place, error, option="--html") from error
