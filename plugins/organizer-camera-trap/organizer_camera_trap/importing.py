"""Take a file of a detector's results into a library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.detections.report import DetectionReport
from organizer.library.progress import NoProgress, Progress
from organizer_camera_trap.matching import match
from organizer_camera_trap.megadetector import read_results


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file of results.

    Attributes:
        report: What the library did with it.
        detector: Whose results they are, as the file tells.
        base: The folder below which its paths lie; None for whole paths.
        unmatched: The paths that are none of the library's.
        notes: What a person should know of the file.
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
) -> Imported:
    """Take MegaDetector's results in; see `organizer.library.Library.import_detections`.

    The file is read image by image: for its paths, for mistakes, and for the boxes.

    Args:
        library: The library.
        file: The results.
        base: The folder that the detector was run on; found out where None.
        threshold: The confidence from which a box counts, from now on.
        embedder: What embeds the crops.
        progress: Told how far it is.
        stop: Asked after each batch.

    Raises:
        SettingsError: The file is not in the format, or it is not clear which photos it means.
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
    matched = match(results.paths, files, base=folder, home=file.expanduser().resolve().parent)
    report = library.detections.add(
        results.detections(matched.image_ids),
        total=len(set(matched.image_ids.values())),
        threshold=threshold,
        usual_threshold=results.usual_threshold,
        embedder=embedder,
        progress=shown,
        stop=stop,
    )
    return Imported(report, results.detector, matched.base, matched.unmatched, tuple(results.notes))
