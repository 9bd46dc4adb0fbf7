"""The size of a JPEG XL picture, read before anything is decoded.

Its decoder for Pillow decodes as it opens, so a decompression bomb would have gone off before
Pillow asks for the size.
"""

from __future__ import annotations

from organizer.errors import ImageError

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_LENGTHS = (9, 13, 18, 30)


def is_jxl(data: bytes) -> bool:
    """Whether a file is a JPEG XL by its first bytes."""
    return data.startswith((_CODESTREAM, _CONTAINER))


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height in pixels (ISO/IEC 18181-1, SizeHeader).

    Raises:
        ImageError: They are not there.
    """
    bits = _Bits(_codestream(data)[2:18])
    is_small = bits.take(1)
    height = _length(bits, is_small=is_small)
    ratio = bits.take(3)
    if not ratio:
        return _length(bits, is_small=is_small), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _length(bits: _Bits, *, is_small: int) -> int:
    return 8 * (bits.take(5) + 1) if is_small else bits.take(_LENGTHS[bits.take(2)]) + 1


def _codestream(data: bytes) -> bytes:
    if data.startswith(_CODESTREAM):
        return data[:64]
    at = 0
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        head = 16 if length == 1 else 8
        if kind in {b"jxlc", b"jxlp"}:
            head += 4 if kind == b"jxlp" else 0
            return data[at + head : at + head + 64]
        length = int.from_bytes(data[at + 8 : at + 16]) if length == 1 else length
        if length < head:
            break
        at += length
    raise ImageError("the picture is damaged: it has no codestream")


class _Bits:
    """Bits of a codestream, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._rest, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise ImageError("the picture is damaged: it ends in its first bytes")
        value = self._rest & ((1 << count) - 1)
        self._rest >>= count
        self._left -= count
        return value
