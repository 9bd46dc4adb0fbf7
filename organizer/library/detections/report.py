"""Reports on detections: what an import did, and the numbers of images and crops."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from organizer.library.images.crops import PhotoGroup
from organizer.library.ingest.assign import AssignmentSummary
from organizer.library.ingest.crops import CropReport
from organizer.types import PartSpec


@dataclass(frozen=True, slots=True)
class DetectionCounts:
    """The results of detectors in a library, as numbers.

    Attributes:
        images: Number of images in the library.
        groups: Number of images by what they show.
        failed: Number of images without a result that a detector could not look at.
        crops: Number of active crops.
        embedded: For each embedder of crops, the number of these that have a vector.
        detectors: Number of images by the detector that looked at them.
        threshold: The confidence from which a box counts.
    """

    images: int
    groups: Counter[PhotoGroup]
    failed: int
    crops: int
    embedded: tuple[tuple[PartSpec, int], ...]
    detectors: Counter[str]
    threshold: float


@dataclass(slots=True)
class DetectionReport:
    """What an import of detections did.

    Attributes:
        counts: What is in the library afterwards.
        images: Number of images that there were results for.
        new: Number of those whose results are new.
        left: Number of those whose earlier results were kept: those of another detector, where
            these were to be kept, or where this one failed.
        cropped: What became of the crops.
        late: How new crops were assigned to the current clusters.
        outdated: Number of crops in the current clusters that no result has any more.
        embedder: What made the vectors of the crops; None where there was nothing to embed.
        seconds: Wall time.
    """

    counts: DetectionCounts
    images: int = 0
    new: int = 0
    left: int = 0
    cropped: CropReport = field(default_factory=CropReport)
    late: AssignmentSummary = field(default_factory=AssignmentSummary)
    outdated: int = 0
    embedder: PartSpec | None = None
    seconds: float = 0.0
