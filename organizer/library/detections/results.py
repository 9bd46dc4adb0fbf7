"""A detector's results as they are given: each is checked before it is stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from organizer.arguments import (
    refused,
    require_image_id,
    require_mapping,
    require_number,
    require_object,
    require_objects,
    require_text,
)
from organizer.types import Detected, Detection, ImageDetections


def checked_results(found: Iterator[Any]) -> Iterator[ImageDetections]:
    """The results as they come, each known to be one that can be stored.

    Raises:
        SettingsError: One is not. What came before it may be stored already.
    """
    for one in found:
        yield _checked(require_object("a result", one, ImageDetections))


def _checked(one: ImageDetections) -> ImageDetections:
    require_image_id("the image of a result", one.image_id)
    require_object("outcome", one.outcome, Detected)
    for box in require_objects("detections", one.detections, Detection):
        require_text("the category of a box", box.category)
        require_number("the confidence of a box", box.confidence, least=0, most=1)
        for place in (box.x, box.y, box.width, box.height):
            require_number("the place of a box", place)
    require_text("failure", one.failure, or_empty=True)
    require_text("detector", one.detector, or_empty=True)
    for name, value in require_mapping("extra", one.extra).items():
        if not isinstance(value, str | int | float):
            raise refused(f"extra[{name!r}]", value, "a text or a number")
    return one
