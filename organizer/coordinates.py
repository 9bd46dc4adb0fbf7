"""Tags of a place -> degrees of latitude and longitude, where they have one meaning.

Without a hemisphere, 33 degrees 51 minutes are two places; half of a number is none. So whatever is
unclear gives None, never another place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

_HEMISPHERES = {"n": 1, "north": 1, "e": 1, "east": 1, "s": -1, "south": -1, "w": -1, "west": -1}
_SIDES = {"latitude": frozenset("ns"), "longitude": frozenset("ew")}
_BOUNDS = {"latitude": 90, "longitude": 180}
_XMP = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))? ?([NSEWnsew])", re.ASCII)


def degrees(parts: Sequence[float], side: str | None, *, axis: str) -> float | None:
    """Degrees, minutes and seconds of a hemisphere as degrees, north and east positive.

    Args:
        parts: The three numbers; NaN where one is unknown.
        side: The hemisphere: a letter or a word, however it is capitalised, up to a NUL.
        axis: "latitude" or "longitude".

    Returns:
        None where the hemisphere is unknown or of the other axis, a number is unknown, negative or
        beyond its range, or one has a fraction though a smaller unit follows.

    Examples:
        >>> degrees((33, 51, 0), "S", axis="latitude")
        -33.85
    """
    word = (side or "").split("\0")[0].strip().lower()
    if len(parts) != 3 or word not in _HEMISPHERES or word[0] not in _SIDES[axis]:
        return None
    if not all(math.isfinite(part) and part >= 0 for part in parts):
        return None
    whole, minutes, seconds = parts
    if minutes > 60 or seconds > 60:
        return None
    if (whole % 1 and (minutes or seconds)) or (minutes % 1 and seconds):
        return None
    value = whole + minutes / 60 + seconds / 3600
    return _HEMISPHERES[word] * value if value <= _BOUNDS[axis] else None


def degrees_of_xmp(text: str, *, axis: str) -> float | None:
    """Degrees from a text as XMP has it: ``33,51.5S`` or ``33,51,30S``; None for any other text.

    See "GPSCoordinate" in the XMP specification, part 2, 1.2.7.4.
    """
    match = _XMP.fullmatch(text.strip())
    if match is None:
        return None
    whole, minutes, seconds, side = match.groups()
    return degrees((float(whole), float(minutes), float(seconds or 0)), side, axis=axis)


def place(
    latitude: float | None, longitude: float | None, status: str | None
) -> tuple[float | None, float | None]:
    """A place as a receiver gave it; none where it says that it had no fix.

    A receiver without a fix says so by the status ``V``, or writes zeros for both.
    """
    mark = (status or "").split("\0")[0].strip().upper()
    if mark == "V" or (latitude == 0 and longitude == 0 and mark != "A"):
        return None, None
    return latitude, longitude
