"""The picture data of a TIFF: the strips or tiles of its pages, and the tags that decide decoding.

Source: TIFF 6.0; BigTIFF as libtiff reads it. Directories and data may be moved within the file by
whoever writes a tag, so what is hashed is what the numbers point to and never where it lies.
"""

from __future__ import annotations

import struct

from organizer.identity.parts import Parts, derived, total

_STARTS = {
    b"II*\0": ("<", False),
    b"MM\0*": (">", False),
    b"II+\0": ("<", True),
    b"MM\0+": (">", True),
}
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
}
_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q"}
_DECIDING = {
    256, 257, 258, 259, 262, 266, 277, 278, 284, 292, 293, 317, 320, 322, 323, 332, 338, 339,
    347, 512, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532,
}  # fmt: skip
"""Size, depth, compression and its options, photometric interpretation, order of bits and planes,
predictor, palette, tiles, inks, extra samples, sample format, tables of JPEG, YCbCr."""
_DATA = ((273, 279), (324, 325), (513, 514))
"""Where the data of strips, tiles and old JPEG lies, and how many bytes each has."""
_OF_RAW = {330, 50706}
"""Directories below a page, and the version of a DNG: the pages are previews of raw data."""
_MOST_PAGES = 4096


def is_tiff(data: bytes) -> bool:
    """Whether a file begins like a TIFF."""
    return data[:4] in _STARTS


def tiff_parts(data: memoryview) -> Parts | None:
    """The pages; None where one has no data, or overlapping data that would be hashed twice.

    None of a camera's raw file too: its pages are previews, and two dark ones may be equal.
    """
    if bytes(data[8:10]) == b"CR":
        return None
    order, is_big = _STARTS[bytes(data[:4])]
    at = struct.unpack_from(f"{order}Q", data, 8)[0] if is_big else _u32(data, order, 4)
    found: Parts = [derived("order", order)]  # of samples with several bytes
    seen: set[int] = set()
    hashed = 0
    while at and at not in seen and len(seen) < _MOST_PAGES:
        seen.add(at)
        tags, at = _directory(data, order, at, is_big=is_big)
        page = _page(data, order, tags)
        hashed += total(page)
        has_data = any(label == "data" for label, _ in page)
        if not has_data or hashed > 2 * len(data) or _OF_RAW & tags.keys():
            return None
        found += page
    return found if len(found) > 1 and not at else None


_Tags = dict[int, tuple[int, memoryview]]
"""The type and the bytes of the values, by tag."""


def _directory(data: memoryview, order: str, at: int, *, is_big: bool) -> tuple[_Tags, int]:
    """The tags of a directory, and where the next one lies; 0 for none."""
    if is_big:
        count, head, size = struct.unpack_from(f"{order}Q", data, at)[0], 8, 20
    else:
        count, head, size = struct.unpack_from(f"{order}H", data, at)[0], 2, 12
    if at + head + count * size > len(data):
        raise ValueError("the directory goes beyond the end of the file")
    tags: _Tags = {}
    for entry in range(at + head, at + head + count * size, size):
        tag, kind = struct.unpack_from(f"{order}HH", data, entry)
        values = struct.unpack_from(f"{order}{'Q' if is_big else 'I'}", data, entry + 4)[0]
        inline, room = (entry + 12, 8) if is_big else (entry + 8, 4)
        length = values * _SIZES.get(kind, 1)
        if length > room:
            inline = struct.unpack_from(f"{order}{'Q' if is_big else 'I'}", data, inline)[0]
        tags[tag] = kind, data[inline : inline + length]
    end = at + head + count * size
    following = struct.unpack_from(f"{order}{'Q' if is_big else 'I'}", data, end)[0]
    return tags, following


def _page(data: memoryview, order: str, tags: _Tags) -> Parts:
    found: Parts = []
    for tag in sorted(_DECIDING & tags.keys()):
        kind, value = tags[tag]
        if kind in _NUMBERS and len(value) <= 1024:
            found.append(derived(f"tag{tag}", repr(_numbers(order, kind, value))))
        else:
            found.append((f"tag{tag}", [value]))
    for starts, counts in _DATA:
        if starts in tags and counts in tags:
            pieces = [
                data[start : start + count]
                for start, count in zip(
                    _numbers(order, *tags[starts]), _numbers(order, *tags[counts]), strict=True
                )
            ]
            found.append(("data", pieces))
    return found


def _numbers(order: str, kind: int, value: memoryview) -> tuple[int, ...]:
    size = _SIZES[kind]
    return struct.unpack(f"{order}{len(value) // size}{_NUMBERS[kind]}", value)


def _u32(data: memoryview, order: str, at: int) -> int:
    return int(struct.unpack_from(f"{order}I", data, at)[0])
