"""The picture data of JPEG 2000: the codestream, and the boxes that say what its components mean.

Left out are comments in the codestream's head, and boxes of Exif, XMP and UUIDs.
"""

from __future__ import annotations

import struct

from organizer.identity.boxes import boxes
from organizer.identity.parts import Parts

_JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
_SOC = b"\xff\x4f\xff\x51"
_TILE, _COMMENT = 0xFF90, 0xFF64
_DECIDING = {b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef"}


def is_jp2(data: bytes) -> bool:
    """Whether a file begins like a JPEG 2000 file with boxes."""
    return data[:12] == _JP2


def is_codestream(data: bytes) -> bool:
    """Whether a file is a codestream without boxes."""
    return data[:4] == _SOC


def jp2_parts(data: memoryview) -> Parts | None:
    """The header's boxes that decide decoding, and the codestreams; None where there is none."""
    found: Parts = []
    streams = 0
    for kind, content in boxes(data):
        if kind == b"jp2h":
            found += [
                (name.decode(), [inner]) for name, inner in boxes(content) if name in _DECIDING
            ]
        elif kind == b"jp2c":
            found += codestream_parts(content) or []
            streams += 1
    return found if streams else None


def codestream_parts(data: memoryview) -> Parts | None:
    """A codestream without the comments in its head.

    Raises:
        ValueError: Its head is not in order.
    """
    found: Parts = []
    at = 2
    while True:
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == _TILE:
            return [*found, ("tiles", [data[at:]])]
        if length < 2:
            raise ValueError("a segment is shorter than its length")
        if marker != _COMMENT:
            found.append((f"{marker:04x}", [data[at + 4 : at + 2 + length]]))
        at += 2 + length
