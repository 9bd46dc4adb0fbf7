"""The picture data of a JPEG: its tables, frame and scans, up to the end of the first image.

Left out are the segments of applications (Exif, XMP, IPTC, colour profiles, thumbnails) and
comments, and what lies behind the end of the image: previews, further pictures, videos, padding.
One thing that such segments say does decide colours: whether three components are RGB or YCbCr,
and four CMYK or YCCK. What libjpeg concludes (jdapimin.c, default_decompress_parms) is part of the
identity, and not the segment itself, since programs that write Exif add or drop a JFIF segment
where that changes nothing.
"""

from __future__ import annotations

import numpy as np

from organizer.identity.parts import Parts, derived

_EOI, _SOS, _APP0, _APP14, _COM = 0xD9, 0xDA, 0xE0, 0xEE, 0xFE
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_WITHOUT_LENGTH = {0x01, 0xD8, *range(0xD0, 0xD8)}
_MOST_SEGMENTS = 1 << 16
"""Segments above which a file is no photo: a hostile one of tiny segments would take long."""
_FIRST_BLOCK, _LARGEST_BLOCK = 1 << 11, 1 << 17
"""Bytes of a scan that are looked through at once: few at first, since scans may be short, then as
many as stay in the cache."""


def is_jpeg(data: bytes) -> bool:
    """Whether a file begins like a JPEG."""
    return data[:3] == b"\xff\xd8\xff"


def jpeg_parts(data: memoryview) -> Parts | None:
    """The tables, the frame and the scans; None where there is no scan."""
    found: Parts = []
    colours = _Colours()
    at, scans, end = 2, 0, len(data)
    for _ in range(_MOST_SEGMENTS):
        at = _next_marker(data, at)
        if at + 1 >= end or data[at + 1] == _EOI:
            return [*found, derived("colours", colours.as_decoded())] if scans else None
        marker = data[at + 1]
        if marker in _WITHOUT_LENGTH:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2:
            return None
        payload = data[at + 4 : at + 2 + length]
        stop = at + 2 + length
        if marker == _SOS:
            stop = _end_of_scan(data, stop)
            found.append(("scan", [data[at + 2 : _unpadded(data, at + 4, stop)]]))
            scans += 1
        elif _APP0 <= marker <= 0xEF or marker == _COM:
            if not scans:
                colours.note(marker, payload)
        else:
            if marker in _FRAMES:
                colours.frame(payload)
            found.append((f"{marker:02x}", [payload]))
        at = stop
    return None


class _Colours:
    """What a decoder concludes of the components."""

    def __init__(self) -> None:
        self._jfif = False
        self._adobe: int | None = None
        self._components = b""

    def note(self, marker: int, payload: memoryview) -> None:
        """Look at a segment of an application."""
        if marker == _APP0 and len(payload) >= 14 and bytes(payload[:5]) == b"JFIF\0":
            self._jfif = True
        elif marker == _APP14 and len(payload) >= 12 and bytes(payload[:5]) == b"Adobe":
            self._adobe = payload[11]

    def frame(self, payload: memoryview) -> None:
        """Look at the frame: the ids of its components."""
        self._components = bytes(payload[6 + 3 * i] for i in range(payload[5]))

    def as_decoded(self) -> str:
        """The colours of the components, by libjpeg's rules."""
        if len(self._components) == 3:
            if self._jfif or self._adobe not in {None, 0}:
                return "ycc"
            by_name = self._adobe is None and self._components == b"RGB"
            return "rgb" if self._adobe == 0 or by_name else "ycc"
        if len(self._components) == 4:
            # Pillow takes the values of a file with the mark of Adobe for inverted ones.
            return f"{'ycck' if self._adobe == 2 else 'cmyk'} {self._adobe is not None}"
        return ""


def _next_marker(data: memoryview, at: int) -> int:
    """Where the next marker begins, at or behind a place: its last 0xFF; fill bytes are passed."""
    end = len(data)
    if at < end and data[at] != 0xFF:
        at = _end_of_scan(data, at)
    while at + 1 < end and data[at + 1] == 0xFF:
        at += 1
    return at


def _end_of_scan(data: memoryview, at: int) -> int:
    """Where the entropy-coded data from a place on ends: at a marker that is no restart marker."""
    numbers, last, size = np.frombuffer(data, dtype=np.uint8), len(data) - 1, _FIRST_BLOCK
    marked = np.empty(min(_LARGEST_BLOCK, max(last - at, 0)), dtype=np.bool_)
    ones = marked.view(np.uint8)
    while at < last:
        count = min(size, last - at)
        here, then = marked[:count], numbers[at + 1 : at + 1 + count]
        np.equal(numbers[at : at + count], 0xFF, out=here)
        np.minimum(ones[:count], then, out=ones[:count])  # 0xFF in data is followed by 0
        if here[here.argmax()]:  # quicker than any()
            (marks,) = here.nonzero()  # np.flatnonzero() takes thrice as long for a short scan
            codes = then[marks]
            ends = (codes & 0xF8 != 0xD0) & (codes != 0xFF)
            first = ends.argmax()
            if ends[first]:
                return at + int(marks[first])
        at += count
        size = _LARGEST_BLOCK
    return len(data)


def _unpadded(data: memoryview, start: int, stop: int) -> int:
    """The end of a scan without the fill bytes that may stand before a marker."""
    while stop > start and data[stop - 1] == 0xFF:
        stop -= 1
    return stop
