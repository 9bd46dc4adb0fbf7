"""EXIF tags -> when, with what and where a photo was taken.

Nothing is guessed: a photo without a time has none (a file's own date says when it was copied).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from organizer.types import DecodedImage, ImageFacts

_EXIF_TIME = re.compile(r"(\d{4})[:\-](\d\d)[:\-](\d\d)[ T](\d\d):(\d\d):(\d\d)")


def facts(image: DecodedImage) -> ImageFacts:
    """What the library keeps of an image besides its vectors."""
    tags = image.metadata
    return ImageFacts(
        image_id=image.image_id,
        bytes=image.ref.size,
        width=image.width,
        height=image.height,
        format=image.format,
        taken_at=taken_at(tags),
        camera=camera(tags),
        latitude=_within(tags.get("GPSLatitude"), 90),
        longitude=_within(tags.get("GPSLongitude"), 180),
    )


def taken_at(tags: Mapping[str, str | int | float]) -> str | None:
    """Camera-local time as ISO 8601 without an offset, or None where there is none or it is void.

    Cameras whose clock was never set write zeros or year 0; that is no time.
    """
    match = _EXIF_TIME.match(str(tags.get("DateTimeOriginal", "")))
    if not match:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - camera-local
    except ValueError:
        return None
    return moment.isoformat()


def camera(tags: Mapping[str, str | int | float]) -> str | None:
    """Make, model and serial number, as far as the file tells; None where it tells nothing."""
    make, model = str(tags.get("Make", "")), str(tags.get("Model", ""))
    if model.lower().startswith(make.lower()):
        make = ""  # "NIKON" "NIKON D90" is one name, not two
    words = [make, model, str(tags.get("BodySerialNumber", ""))]
    return " ".join(word for word in words if word) or None


def _within(value: str | float | None, bound: float) -> float | None:
    return float(value) if isinstance(value, float) and abs(value) <= bound else None
