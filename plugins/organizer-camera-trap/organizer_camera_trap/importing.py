"""Imports a detector's results into a library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.detections.report import DetectionReport
from organizer.library.photo_paths.find import (
    FoundPhotos,
    NotFound,
    find_photos,
    library_files,
    printable,
)
from organizer.library.progress import NoProgress, Progress
from organizer_camera_trap.megadetector import OddEntries, read_results

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import.

    Attributes:
        report: The library's report.
        detector: The detector's name, from the file.
        found: The photos that its paths name, and why the others name none.
        odd: What of the file was clipped or left out.
        notes: Notes to the user about the file.
    """

    report: DetectionReport
    detector: str
    found: FoundPhotos
    odd: OddEntries
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
    """Import the results of MegaDetector or SpeciesNet.

    The file is read image by image, first for paths and odd entries, then for boxes.

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
    files = library_files(library.store)
    if not files:
        raise SettingsError("there are no images in this library", "organizer ingest FOLDER")
    found = find_photos(
        results.paths,
        files,
        base=base.expanduser().resolve() if base is not None else None,
        of_one_folder=True,
        home=file.expanduser().resolve().parent,
        roots=[root.folder for root in library.store.roots.all()],
    )
    if results.paths and not found.image_ids:
        raise _nothing(found)
    report = library.detections.add(
        results.detections(found.image_ids),
        total=len(set(found.image_ids.values())),
        threshold=threshold,
        usual_threshold=results.usual_threshold,
        embedder=embedder,
        progress=shown,
        stop=stop,
    )
    return ImportReport(report, results.detector, found, results.odd, tuple(results.notes))


def _nothing(found: FoundPhotos) -> SettingsError:
    """The error where no path names a photo."""
    first, reason = next(iter(found.not_found.items()))
    if reason is NotFound.AMBIGUOUS:
        shown = ", ".join(map(str, found.folders[:_SHOWN]))
        more = ", ..." if len(found.folders) > _SHOWN else ""
        return SettingsError(
            f"{len(found.folders)} folders fit: {printable(first)} may be in {shown}{more}",
            f"name the one that the detector was run on: --base {found.folders[0]}",
        )
    where = f"below {found.base}" if found.base is not None else "in the library"
    return SettingsError(
        f"none of the {len(found.not_found):,} images in the results is {where}: "
        f"{printable(first)}",
        "organizer ingest FOLDER first, or --base DIR, the folder that the detector was run on",
    )
