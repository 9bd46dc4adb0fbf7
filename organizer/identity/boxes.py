"""Boxes of ISO base media files (ISO/IEC 14496-12), of which HEIF, AVIF and JPEG 2000 are made."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_MOST = 1 << 16


def boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """The kind and the content of each box in some bytes.

    Raises:
        ValueError: A box is shorter than its head, or there are too many.
    """
    at = 0
    for _ in range(_MOST):
        if at + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if length == 1:
            length, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        elif length == 0:
            length = len(data) - at
        if length < head:
            raise ValueError("a box is shorter than its head")
        yield kind, data[at + head : at + length]
        at += length
    raise ValueError("there are too many boxes")
