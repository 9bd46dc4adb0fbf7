"""Reports on the current clustering: scores, an HTML page, plots."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from organizer.arguments import require_choice, require_flag, require_path, require_text
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress, progress_or_none
from organizer.library.reports import publish
from organizer.library.reports.image_map import ImageMap, image_map, kept_image_map
from organizer.library.reports.maps import MapMethod
from organizer.library.reports.report import ClusteringReport, make_report
from organizer.reduce.projection import Method


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

    def map(
        self, *, method: Method = "tsne", redraw: bool = False, progress: Progress | None = None
    ) -> ImageMap:
        """The map of all images of the clustering, the unassigned ones too: alike lies together.

        It is drawn of at most 10,000 images, a seeded sample of more, and the others are placed
        beside those that are most like them. It is kept in the library: images that come later are
        placed on it and move no other, and neither do decisions or a recluster, which change the
        clusters and not the vectors. It takes half a minute for 100,000 images, and nothing when it
        is kept.

        Args:
            method: "tsne", "umap" or "pca"; see `organizer.reduce.projection.project`.
            redraw: Whether to draw it anew of the images that there are now.
            progress: Receives the progress.

        Raises:
            ClusteringError: There is no clustering yet.
            PluginError: UMAP is required and not installed.

        Examples:
            >>> found = library.reports.map()  # doctest: +SKIP
            >>> found.xy.shape  # doctest: +SKIP
            (24, 2)
        """
        return image_map(
            self._store,
            _map_method(method),
            seed=self._settings.seed,
            redraw=require_flag("redraw", redraw),
            progress=progress_or_none(progress),
        )

    def kept_map(self, *, method: Method = "tsne") -> ImageMap | None:
        """The map as `map` gives it, where it is drawn already; None where it is not.

        Raises:
            ClusteringError: There is no clustering yet.
        """
        return kept_image_map(
            self._store,
            _map_method(method),
            seed=self._settings.seed,
            progress=progress_or_none(None),
        )


def _map_method(method: Method) -> Method:
    require_choice("method", method, get_args(Method))
    return method


def _labels(labels: str | None) -> str | None:
    return None if labels is None else require_text("labels", labels)


def _below(below: Path | None) -> Path:
    return Path.cwd() if below is None else require_path("below", below)
