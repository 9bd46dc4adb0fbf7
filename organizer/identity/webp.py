"""The picture data of a WebP: its bit streams, transparency and frames.

Left out are Exif, XMP and the colour profile, and with them the header of the extended format,
which a still picture gets with its first keyword; of an animation its canvas counts.
"""

from __future__ import annotations

import struct

from organizer.identity.parts import Parts

_PICTURE = {b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"}
_MOST_CHUNKS = 1 << 16
"""Chunks above which a file is no photo: a hostile one of empty chunks would take long."""
_CANVAS = slice(4, 10)
"""Width and height in the header of the extended format, behind its flags."""


def is_webp(data: bytes) -> bool:
    """Whether a file begins like a WebP."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def webp_parts(data: memoryview) -> Parts | None:
    """The chunks that decide pixels; None where there are none, or too many."""
    found: Parts = []
    canvas = data[:0]
    at, end = 12, min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    for _ in range(_MOST_CHUNKS):
        if at + 8 > end:
            break
        kind, length = struct.unpack_from("<4sI", data, at)
        content = data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
        if kind == b"VP8X":
            canvas = content[_CANVAS]
        elif kind in _PICTURE:
            found.append((kind.decode("ascii"), [content]))
    else:
        return None
    if any(kind == "ANMF" for kind, _ in found):
        found.append(("canvas", [canvas]))
    return found if any(kind in {"VP8 ", "VP8L", "ANMF"} for kind, _ in found) else None
