"""The picture data of a PNG: its critical chunks, transparency, and the frames of an animation.

The compressed data is one stream, however it is cut into chunks. Left out are texts, Exif, times,
and what tells of colours without changing the numbers that are decoded: gAMA, cHRM and sRGB are
not applied by Pillow, and a colour profile is part of the view.
"""

from __future__ import annotations

import struct

from organizer.identity.parts import Parts

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ALSO = {b"tRNS", b"acTL", b"fcTL", b"fdAT"}
_IS_ANCILLARY = 0x20
"""The bit of a chunk's first letter that says that a decoder may pass over it."""


def is_png(data: bytes) -> bool:
    """Whether a file begins like a PNG."""
    return data[:8] == _SIGNATURE


def png_parts(data: memoryview) -> Parts | None:
    """The chunks that decide pixels; None where there is no image data."""
    found: Parts = []
    at, end, has_data = 8, len(data), False
    while at + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"IEND":
            break
        if kind == b"IDAT":
            has_data = True
            if found and found[-1][0] == "IDAT":
                found[-1][1].append(content)
                continue
        if not kind[0] & _IS_ANCILLARY or kind in _ALSO:
            found.append((kind.decode("latin-1").encode("ascii", "replace").decode(), [content]))
    return found if has_data else None
