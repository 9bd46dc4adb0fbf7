"""An XMP packet -> the tags of time and place in it.

Only these few are looked for, as attributes or as elements; a packet is never parsed as XML, which
somebody else wrote.
"""

from __future__ import annotations

import re
from typing import Any

_NAMES = {
    "exif:DateTimeOriginal": "XMP:DateTimeOriginal",
    "photoshop:DateCreated": "XMP:DateTimeOriginal",
    "xmp:CreateDate": "XMP:CreateDate",
    "xap:CreateDate": "XMP:CreateDate",
    "exif:GPSLatitude": "XMP:GPSLatitude",
    "exif:GPSLongitude": "XMP:GPSLongitude",
    "exif:GPSStatus": "XMP:GPSStatus",
}
_TAG = re.compile(
    rf"\b({'|'.join(_NAMES)})\s*(?:=\s*([\"'])([^\"'<>]{{1,60}})\2|>([^<>]{{1,60}})</)"
)
_LONGEST = 1_000_000
"""Characters of a packet that are looked at."""


def xmp_tags(packet: Any) -> dict[str, str]:
    """The tags of time and place in a packet; the first of two of one meaning counts."""
    text = packet.decode("utf-8", "replace") if isinstance(packet, bytes) else packet
    if not isinstance(text, str):
        return {}
    found: dict[str, str] = {}
    matches = _TAG.findall(text[:_LONGEST])
    for name, meaning in _NAMES.items():
        for written, _, quoted, inner in matches:
            if written == name:
                found.setdefault(meaning, (quoted or inner).strip())
    return found
