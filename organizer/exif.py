"""The tags of a well-formed EXIF block that are kept: in a tenth of the time that Pillow takes.

Whatever is not quite in order, or of an unusual type, gives None and is left to Pillow's judgement:
a tag is never read differently. The layout is that of TIFF 6.0, section 2, and of EXIF 2.32, 4.6.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from typing import Any

MAKE, MODEL, ORIENTATION, DATE_TIME = 0x010F, 0x0110, 0x0112, 0x0132
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
AMBIENT_TEMPERATURE = 0x9400
UNKNOWN = frozenset({0, -1, 0xFFFFFFFF})
"""Denominators of what is not known: 4.6.6.8 says FFFFFFFF.H, which is -1 where it is signed."""

INNER = {
    0x9003: "DateTimeOriginal",
    0x9004: "DateTimeDigitized",
    0x9011: "OffsetTimeOriginal",
    0x9290: "SubSecTime",
    0x9291: "SubSecTimeOriginal",
    0x9292: "SubSecTimeDigitized",
    0xA431: "BodySerialNumber",
    0x927C: "MakerNote",
    0x9286: "UserComment",
}
"""Tags of the EXIF directory that are kept as they are."""

MISPLACED = {tag: name for tag, name in INNER.items() if "Time" in name}
"""Those that some cameras write into the first directory instead."""

BLOCKS = frozenset({"MakerNote", "UserComment"})
"""Those whose bytes are a maker's own."""

GPS_LATITUDE, GPS_LONGITUDE, GPS_STATUS = (2, 1), (4, 3), 9
"""Tags of the GPS directory: numbers and hemisphere of each axis, and whether there was a fix."""

_FILLED = re.compile("\0|\xff\xff")
"""What follows a text in a field of fixed length: a NUL, or memory that was never written."""

_BYTES, _TEXT, _SHORT, _LONG, _RATIONAL, _UNDEFINED, _SIGNED = 1, 2, 3, 4, 5, 7, 10
_SIZE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}

_Entry = tuple[int, int, int]
"""Type, count, and where the value lies in the block."""


class _OddError(Exception):
    """Something is not quite in order."""


def clean_text(text: str) -> str:
    """A text of fixed length up to its first NUL, without what cannot be printed."""
    text = _FILLED.split(text, maxsplit=1)[0]
    if not text.isprintable():
        spaced = (" " if char.isspace() else char for char in text)
        text = "".join(char for char in spaced if char.isprintable())
    return text.strip()


def plain_tags(block: bytes) -> dict[str, Any] | None:
    """The tags of a block as it stands in a JPEG, by their standard names.

    A place is the degrees of latitude and longitude, or what is written for no number, with the
    hemisphere: a pair under "GPSLatitude" and "GPSLongitude".

    Returns:
        None where the block is not quite in order.
    """
    data = block.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return None
    try:
        outer = _directory(data, order, _number(data, order + "I", 4))
        found: dict[str, Any] = {
            "Orientation": _integer(data, order, outer.get(ORIENTATION), _SHORT),
            "Make": _text(data, outer.get(MAKE)),
            "Model": _text(data, outer.get(MODEL)),
            "DateTime": _text(data, outer.get(DATE_TIME)),
        }
        misplaced = {tag: outer[tag] for tag in MISPLACED if tag in outer}
        inner = _below(data, order, outer.get(EXIF_IFD))
        found |= _of_inner(data, order, misplaced | inner)
        gps = _below(data, order, outer.get(GPS_IFD))
        for name, (numbers, side) in (
            ("GPSLatitude", GPS_LATITUDE),
            ("GPSLongitude", GPS_LONGITUDE),
        ):
            found[name] = _angles(data, order, gps.get(numbers)), _text(data, gps.get(side))
        found["GPSStatus"] = _text(data, gps.get(GPS_STATUS))
    except _OddError:
        return None
    return found


def _directory(data: bytes, order: str, at: int) -> dict[int, _Entry]:
    """The entries of a directory; every value lies inside the block, and no tag is there twice."""
    count = _number(data, order + "H", at)
    begin, end = at + 2, at + 2 + 12 * count
    if end > len(data):
        raise _OddError
    found: dict[int, _Entry] = {}
    total = 0
    entries = struct.iter_unpack(order + "HHII", data[begin:end])
    for place, (tag, kind, number, offset) in enumerate(entries):
        size = _SIZE.get(kind, 0) * number
        if size > 4:
            total += size
            if offset + size > len(data) or total > len(data):
                raise _OddError
        else:
            offset = begin + 12 * place + 8  # noqa: PLW2901 - a short value lies in its entry
        if tag in found:
            raise _OddError
        if size:
            found[tag] = (kind, number, offset)
    return found


def _of_inner(data: bytes, order: str, inner: Mapping[int, _Entry]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tag, name in INNER.items():
        entry = inner.get(tag)
        is_block = entry is not None and entry[0] in {_BYTES, _UNDEFINED}
        if is_block and name not in BLOCKS:
            raise _OddError
        found[name] = _raw(data, entry) if is_block else _text(data, entry)
    found["AmbientTemperature"] = _ratio(data, order, inner.get(AMBIENT_TEMPERATURE))
    return found


def _below(data: bytes, order: str, entry: _Entry | None) -> dict[int, _Entry]:
    at = _integer(data, order, entry, _LONG)
    return {} if at is None else _directory(data, order, at)


def _raw(data: bytes, entry: _Entry | None) -> bytes | None:
    return None if entry is None else data[entry[2] : entry[2] + entry[1]]


def _text(data: bytes, entry: _Entry | None) -> str | None:
    if entry is None:
        return None
    if entry[0] != _TEXT:
        raise _OddError
    return data[entry[2] : entry[2] + entry[1]].removesuffix(b"\0").decode("latin-1")


def _integer(data: bytes, order: str, entry: _Entry | None, kind: int) -> int | None:
    if entry is None:
        return None
    if entry[:2] != (kind, 1):
        raise _OddError
    return _number(data, order + ("H" if kind == _SHORT else "I"), entry[2])


def _ratio(data: bytes, order: str, entry: _Entry | None) -> float | None:
    if entry is None:
        return None
    if entry[0] not in {_RATIONAL, _SIGNED} or entry[1] != 1:
        raise _OddError
    signs = "ii" if entry[0] == _SIGNED else "II"
    above, below = struct.unpack_from(order + signs, data, entry[2])
    return None if below in UNKNOWN else float(above / below)


def _angles(data: bytes, order: str, entry: _Entry | None) -> tuple[float, ...] | None:
    if entry is None:
        return None
    if entry[0] != _RATIONAL or entry[1] != 3:
        raise _OddError
    parts = struct.unpack_from(order + "6I", data, entry[2])
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return tuple(math.nan if below in UNKNOWN else above / below for above, below in pairs)


def _number(data: bytes, kind: str, at: int) -> int:
    try:
        return int(struct.unpack_from(kind, data, at)[0])
    except struct.error as error:
        raise _OddError from error
