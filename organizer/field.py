"""What field work adds to photos: where a camera stood, for how long, and what a detector saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Deployment:
    """One camera at one place for one period.

    Nothing of it is guessed: what nobody told is None.

    Attributes:
        deployment_id: Its name, unique in the library.
        location: The name of the place.
        camera: The name of the camera, as the person calls it.
        latitude: Degrees, north is positive.
        longitude: Degrees, east is positive.
        start: When it began, camera-local, ISO 8601 without an offset.
        end: When it ended, likewise.
        shift: Seconds that are added to every time that its camera wrote: its clock was wrong.
    """

    deployment_id: str
    location: str | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    start: str | None = None
    end: str | None = None
    shift: int = 0

    def corrected(self, taken_at: str | None) -> str | None:
        """A time that the camera wrote, as it was."""
        return shifted(taken_at, self.shift)


class Detected(StrEnum):
    """What a detector said of an image: it saw something, nothing, or could not look."""

    FOUND = "found"
    EMPTY = "empty"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Detection:
    """One box of a detector.

    Attributes:
        category: "animal", "person", "vehicle", or the detector's own word.
        confidence: 0 to 1.
        x: The left edge as a share of the width, 0 to 1.
        y: The upper edge as a share of the height, 0 to 1.
        width: As a share of the width.
        height: As a share of the height.
        crop_id: The image that was cut out along the box; empty where none was.
    """

    category: str
    confidence: float
    x: float
    y: float
    width: float
    height: float
    crop_id: str = ""


@dataclass(frozen=True, slots=True)
class ImageDetections:
    """What one detector said of one image.

    Attributes:
        image_id: The image.
        outcome: Whether it saw something.
        detections: The boxes, the surest first.
        failure: Why it could not look; empty where it could.
        detector: Its name and version, as its results tell it.
        extra: What else its results say of the image.
    """

    image_id: str
    outcome: Detected
    detections: tuple[Detection, ...] = ()
    failure: str = ""
    detector: str = ""
    extra: Mapping[str, str | int | float] = field(default_factory=dict)


def shifted(taken_at: str | None, seconds: int) -> str | None:
    """A camera-local ISO 8601 time, moved; None where there is none."""
    if taken_at is None or not seconds:
        return taken_at
    return (datetime.fromisoformat(taken_at) + timedelta(seconds=seconds)).isoformat()
