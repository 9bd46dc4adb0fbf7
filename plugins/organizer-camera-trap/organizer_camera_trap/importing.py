"""Imports a detector's results into a library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.detections.report import DetectionReport
from organizer.library.progress import NoProgress, Progress
from organizer_camera_trap.matching import match_paths
from organizer_camera_trap.megadetector import read_results


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import.

    Attributes:
        report: The library's report.
        detector: The detector's name, from the file.
        base: The folder that its paths are relative to; None for absolute paths.
        unmatched: The paths that are not in the library.
        notes: Notes to the user about the file.
    """

    report: DetectionReport
    detector: str
    base: Path | None
    unmatched: tuple[str, ...]
    notes: tuple[str, ...]


def import_results(
    library: Library,
    file: Path,
    *,
    base: Path | None = None,
    threshold: float | None = None,
    embedder: str | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> ImportReport:
    """Import MegaDetector's results.

    The file is read image by image, first for paths and mistakes, then for boxes.

    Args:
        library: The library.
        file: The results.
        base: The folder that the detector was run on; inferred where None.
        threshold: The confidence from which a box counts, from now on.
        embedder: The embedder of the crops.
        progress: Called with the progress.
        stop: Called after each batch; True interrupts.

    Raises:
        SettingsError: The file is not in the format, or its paths are ambiguous.
    """
    shown = progress or NoProgress()
    shown.begin(f"reading {file.name}", None)
    results = read_results(file)
    files = {
        str(row.file): image_id
        for image_id, rows in library.store.photos.files_of(with_people=True).items()
        for row in rows
    }
    if not files:
        raise SettingsError("there are no images in this library", "organizer ingest FOLDER")
    folder = base.expanduser().resolve() if base is not None else None
    matched = match_paths(
        results.paths, files, base=folder, results_folder=file.expanduser().resolve().parent
    )
    report = library.detections.add(
        results.detections(matched.image_ids),
        total=len(set(matched.image_ids.values())),
        threshold=threshold,
        usual_threshold=results.usual_threshold,
        embedder=embedder,
        progress=shown,
        stop=stop,
    )
    return ImportReport(
        report, results.detector, matched.base, matched.unmatched, tuple(results.notes)
    )
