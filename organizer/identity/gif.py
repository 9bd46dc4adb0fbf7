"""The picture data of a GIF: the screen, colours, frames, and how these follow each other.

Left out are comments and the extensions of applications (XMP, the number of repetitions), and what
lies behind the end.
"""

from __future__ import annotations

from organizer.identity.parts import Parts

_IMAGE, _EXTENSION, _END = 0x2C, 0x21, 0x3B
_CONTROL = 0xF9


def is_gif(data: bytes) -> bool:
    """Whether a file begins like a GIF."""
    return data[:6] in {b"GIF87a", b"GIF89a"}


def gif_parts(data: memoryview) -> Parts | None:
    """The screen and the frames; None where there is no frame."""
    at = 13 + _table_bytes(data[10])
    found: Parts = [("screen", [data[6:at]])]
    end, frames = len(data), 0
    while at < end and data[at] != _END:
        start = at
        if data[at] == _EXTENSION:
            at = _end_of_blocks(data, at + 2)
            if data[start + 1] == _CONTROL:
                found.append(("control", [data[start + 2 : at]]))
        elif data[at] == _IMAGE:
            at = _end_of_blocks(data, at + 11 + _table_bytes(data[at + 9]))
            found.append(("frame", [data[start + 1 : at]]))
            frames += 1
        else:
            break
    return found if frames else None


def _table_bytes(packed: int) -> int:
    """The bytes of a table of colours, by the byte that tells of it."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _end_of_blocks(data: memoryview, at: int) -> int:
    """Where a run of blocks ends, each a byte that is its length and as many bytes."""
    end = len(data)
    while at < end and data[at]:
        at += data[at] + 1
    return min(at + 1, end)
