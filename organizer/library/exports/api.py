"""Exports: the images with their clusters, in formats that other tools read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from organizer.arguments import (
    refused,
    require_flag,
    require_mapping,
    require_object,
    require_path,
    require_text,
)
from organizer.library.exports.options import ExportOptions, ExportReport
from organizer.library.exports.run import run_export
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress, progress_or_none


class Exports:
    """The images with their clusters and all that is known of them, for other tools.

    Examples:
        >>> library.exports.write("csv", Path("images.csv")).images  # doctest: +SKIP
        24
    """

    def __init__(self, opened: OpenLibrary) -> None:
        self._opened, self._store, self._settings = opened, opened.store, opened.settings

    def write(
        self,
        exporter: str,
        to: str | Path | BinaryIO | None = None,
        options: ExportOptions | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        force: bool = False,
        progress: Progress | None = None,
    ) -> ExportReport:
        """Write the images with their clusters in a format that another tool reads.

        It is written beside its target and moved there when it is complete.

        Args:
            exporter: A format's name: csv, xlsx, parquet, megadetector-json, fiftyone,
                embedding-atlas, or a plugin's.
            to: A file, or a folder for a format that is one; a stream for csv. In the current
                folder, under the format's own name, where None.
            options: Which images, with or without vectors; all images where None.
            params: The options of the format, by name; a text becomes what the option is declared
                to be.
            force: Whether what is at the target may be replaced.
            progress: Receives the progress.

        Raises:
            SettingsError: The target is there already or cannot be, or there is no such format,
                cluster or embedder.
            ClusteringError: Clusters are named, and there is no clustering yet.
            OrganizerError: The target cannot be written.
        """
        if options is not None:
            require_object("options", options, ExportOptions)
        return run_export(
            self._store,
            require_text("exporter", exporter, or_empty=True),
            _target(to),
            (options or ExportOptions()).checked(),
            params={} if params is None else require_mapping("params", params),
            force=require_flag("force", force),
            progress=progress_or_none(progress),
            settings=self._settings,
        )


def _target(to: str | Path | BinaryIO | None) -> Path | BinaryIO | None:
    if to is None or isinstance(to, str | Path):
        return None if to is None else require_path("to", to)
    if not callable(getattr(to, "write", None)):
        raise refused("to", to, "a path, or a stream that can be written to")
    return to
