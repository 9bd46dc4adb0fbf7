"""Reports on the current clustering: scores, an HTML page, plots."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from organizer.arguments import require_choice, require_flag, require_path, require_text
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress, progress_or_none
from organizer.library.reports import publish
from organizer.library.reports.maps import MapMethod
from organizer.library.reports.report import ClusteringReport, make_report


class Reports:
    """Reports on how good the current clustering is.

    Examples:
        >>> report = library.reports.make(labels="folders")  # doctest: +SKIP
        >>> report.silhouette.mean, report.truth.nmi  # doctest: +SKIP
    """

    def __init__(self, opened: OpenLibrary) -> None:
        self._opened, self._store, self._settings = opened, opened.store, opened.settings

    def make(self, *, labels: str | None = None, below: Path | None = None) -> ClusteringReport:
        """Score the current clustering.

        Args:
            labels: "folders" (the name of the folder that a file lies in is its class), "camera",
                "format" or "light", the path of a CSV file with the columns path and label
                (FILE:COLUMN for another column), or None.
            below: What a relative path of labels is relative to; the current folder where None.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: The labels cannot be read, or fit no image.
        """
        labels, below = _labels(labels), _below(below)
        return make_report(self._store, labels, below=below, settings=self._settings)

    def write(
        self,
        *,
        html: str | Path | None = None,
        plots: str | Path | None = None,
        map_method: MapMethod = "tsne",
        labels: str | None = None,
        below: Path | None = None,
        force: bool = False,
        progress: Progress | None = None,
    ) -> tuple[ClusteringReport, tuple[Path, ...]]:
        """Write the report as one HTML page, as PNG plots, or both.

        Args:
            html: The page's file; one that an earlier report wrote is replaced.
            plots: The folder of the plots.
            map_method: How the map is drawn; "none" for no map.
            labels: See `make`.
            below: See `make`; paths are shown relative to it.
            force: Whether to replace a file that no report wrote.
            progress: Receives the progress.

        Returns:
            The report and the files that were written.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: The labels cannot be read, or a file cannot be written.
            PluginError: The map needs a package that is not installed.
        """
        require_choice("map_method", map_method, get_args(MapMethod))
        return publish.publish(
            self._store,
            html=None if html is None else require_path("html", html),
            plots=None if plots is None else require_path("plots", plots),
            map_method=map_method,
            labels=_labels(labels),
            below=_below(below),
            force=require_flag("force", force),
            settings=self._settings,
            progress=progress_or_none(progress),
        )


def _labels(labels: str | None) -> str | None:
    return None if labels is None else require_text("labels", labels)


def _below(below: Path | None) -> Path:
    return Path.cwd() if below is None else require_path("below", below)
