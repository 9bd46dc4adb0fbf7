"""What a detector reports: boxes, detections, and the crops that they make."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_STEPS = 10_000

SAME_ANIMAL = 0.5
"""The overlap (intersection over union) from which two boxes of a photo are of one animal, as in
PASCAL VOC and COCO."""


class Detected(StrEnum):
    """What a detector found in an image: something, nothing, or that it could not look."""

    FOUND = "found"
    EMPTY = "empty"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in a picture, in shares of its width and height.

    Attributes:
        x: The left edge, 0 to 1.
        y: The upper edge, 0 to 1.
        width: As a share of the picture's.
        height: As a share of the picture's.
    """

    x: float
    y: float
    width: float
    height: float

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, upper, right and lower edge in a picture of some size; at least one pixel."""
        left, right = _span(self.x, self.width, width)
        upper, lower = _span(self.y, self.height, height)
        return left, upper, right, lower

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        both = max(across, 0.0) * max(down, 0.0)
        either = self.width * self.height + other.width * other.height - both
        return both / either if either > 0 else 0.0


WHOLE = Box(0.0, 0.0, 1.0, 1.0)


"""All of a picture."""


@dataclass(frozen=True, slots=True)
class Crop:
    """What lies in a box of an image: an image of its own.

    Attributes:
        crop_id: Its image id; see `crop_id`.
        image_id: The frame that it is cut out of.
        box: Where.
    """

    crop_id: str
    image_id: str
    box: Box

    @classmethod
    def of(cls, image_id: str, box: Box) -> Crop:
        """What lies in a box of an image."""
        return cls(crop_id(image_id, box), image_id, box)


def crop_id(image_id: str, box: Box) -> str:
    """The image id of a crop: 32 hexadecimal digits that the frame's content and the box make.

    Boxes that differ by less than a ten-thousandth of the picture, as far as detectors write them,
    make one id.
    """
    edges = [round(edge * _STEPS) for edge in (box.x, box.y, box.width, box.height)]
    text = f"{image_id} {' '.join(map(str, edges))}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Detection:
    """One box of a detector.

    Attributes:
        category: "animal", "person", "vehicle", or the detector's own category.
        confidence: 0 to 1.
        x: The left edge as a share of the width, 0 to 1.
        y: The upper edge as a share of the height, 0 to 1.
        width: As a share of the width.
        height: As a share of the height.
        crop_id: The image that is cut out along the box; empty where none is.
    """

    category: str
    confidence: float
    x: float
    y: float
    width: float
    height: float
    crop_id: str = ""

    @property
    def box(self) -> Box:
        """Where it is."""
        return Box(self.x, self.y, self.width, self.height)


@dataclass(frozen=True, slots=True)
class ImageDetections:
    """What one detector found in one image.

    Attributes:
        image_id: The image.
        outcome: Whether it found something.
        detections: The boxes, the surest first.
        failure: Why it could not look; empty where it could.
        detector: Its name and version, as in its results.
        extra: What else its results have about the image.
    """

    image_id: str
    outcome: Detected
    detections: tuple[Detection, ...] = ()
    failure: str = ""
    detector: str = ""
    extra: Mapping[str, str | int | float] = field(default_factory=dict)


def _span(start: float, share: float, whole: int) -> tuple[int, int]:
    first = min(max(int(start * whole), 0), whole - 1)
    last = min(max(round((start + share) * whole), first + 1), whole)
    return first, last
