"""Boxes in the frames of a video -> those of one frame, which stands for it.

A detector reports boxes of many frames of a video, and a library has one picture of it. The frame
with the surest animal counts, with all its boxes. The surest person and the surest vehicle count
whatever their frame: a video with a person is in quarantine as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from organizer.types import FRAME_AT, Detection

_ANYWHERE = ("person", "vehicle")


@dataclass(frozen=True, slots=True)
class FrameBox:
    """A box, its frame, and its classifications.

    Attributes:
        detection: The box.
        frame: The number of its frame; None for a photo.
        classes: Names and confidences, as the results have them.
    """

    detection: Detection
    frame: int | None
    classes: Sequence[Sequence[Any]]


def frame_number(box: Any) -> int | None:
    """The number of the frame that a box is in; None where none is told."""
    number = box.get("frame_number") if isinstance(box, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        return None
    return number


def boxes_of_one_frame(boxes: Sequence[FrameBox]) -> tuple[int | None, list[FrameBox]]:
    """The frame that counts, and the boxes that are kept, in their order; all of a photo."""
    if all(box.frame is None for box in boxes):
        return None, list(boxes)
    animals = [box for box in boxes if box.detection.category not in _ANYWHERE]
    surest = max(animals or boxes, key=lambda box: box.detection.confidence)
    kept = {id(box) for box in boxes if box.frame == surest.frame}
    for category in _ANYWHERE:
        alike = [box for box in boxes if box.detection.category == category]
        if alike:
            kept.add(id(max(alike, key=lambda box: box.detection.confidence)))
    return surest.frame or 0, [box for box in boxes if id(box) in kept]


def told_of_frame(
    frame: int, image: Mapping[str, Any], *, left_out: int
) -> dict[str, str | int | float]:
    """What is kept of a video with its boxes: their frame, its second, boxes of other frames."""
    told: dict[str, str | int | float] = {"frame_number": frame, "boxes_in_other_frames": left_out}
    rate = image.get("frame_rate")
    if isinstance(rate, int | float) and not isinstance(rate, bool) and 0 < rate < float("inf"):
        told[FRAME_AT] = frame / rate
    return told
