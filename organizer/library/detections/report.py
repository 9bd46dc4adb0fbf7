"""What importing detections did, and what the results of detectors come to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from organizer.library.detections.embed import CropReport
from organizer.library.images.crops import PhotoGroup
from organizer.library.ingest.assign import AssignmentSummary
from organizer.types import PartSpec


@dataclass(frozen=True, slots=True)
class DetectionCounts:
    """What the detectors' results in a library come to.

    Attributes:
        images: Images in the library.
        groups: Images by what they show.
        failed: Of those without a result, the images that a detector could not look at.
        crops: Boxes that count, and make a crop.
        embedded: For each embedder of crops, how many of these have a vector.
        detectors: Images by the detector that looked at them.
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
    """What taking detections in did.

    Attributes:
        images: Images that the results speak of.
        new: Those of which they say something new.
        left: Those of which what was seen before stands: that of another detector, where it was
            to stand, or where this one failed.
        cropped: What became of the crops.
        late: What joined the present clusters.
        counts: What is in the library afterwards.
        outdated: Crops that are in the present clusters and that no result makes any more.
        embedder: What made the vectors of the crops; None where there was nothing to cut.
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
