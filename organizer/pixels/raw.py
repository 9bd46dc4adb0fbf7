"""Raw files of cameras: the pictures that the camera put into them, and their EXIF.

A raw file holds what the sensor measured, and for the display of the camera one or more JPEGs of it
which the camera developed. The largest is as large as the photo, or nearly, in most files since
2005. Where it lies depends on the maker:

- Containers with the layout of TIFF (CR2, NEF, ARW, DNG, PEF, SRW, ORF, RW2 and more) name it in a
  directory: as ``JPEGInterchangeFormat``, as a strip with JPEG compression, or under a tag of the
  maker.
- In others (RAF, CR3, CRW, MRW, X3F), and where a TIFF names it in a maker's own block alone, it is
  found by how a JPEG begins.

Sensor data may be in (lossless) JPEGs too, and in DNG in tiles that are JPEGs like any other: what
a directory calls a mosaic, a linear raw or a mask is never taken, and a DNG is not searched.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from organizer import exif
from organizer.errors import ImageError
from organizer.file_kinds import FileKind, file_kind

LEAST_SIDE = 320
"""Pixels of the longer side: what is smaller is a thumbnail, which networks see as a blur."""

_MAGICS = {
    b"II*\0": "<", b"MM\0*": ">", b"IIRO": "<", b"IIRS": "<", b"MMOR": ">", b"IIU\0": "<",
}  # fmt: skip
"""The first bytes of TIFF, and of Olympus and Panasonic, and their order of bytes."""

_OWN_MAGICS = (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM")
_CANON_CR2, _CANON_CRW, _CANON_CR3 = b"CR", b"HEAPCCDR", b"ftypcrx "

_SUBFILE_TYPE, _COMPRESSION, _PHOTOMETRIC = 254, 259, 262
_STRIPS, _STRIP_BYTES, _SUB_IFDS = 273, 279, 330
_JPEG_AT, _JPEG_BYTES, _DNG_VERSION, _PANASONIC_JPEG = 513, 514, 50_706, 0x002E
_MOSAIC, _LINEAR_RAW, _MASK = 32_803, 34_892, 0b100
_PICTURES = {None, 1, 2, 6}
"""Photometric interpretations of pictures: not told, grey, RGB, YCbCr."""

_JPEGS = {6, 7}
_MOST_DIRECTORIES = 64
_BASELINE, _HUFFMAN, _END, _START_OF_SCAN = {0xC0, 0xC1, 0xC2}, 0xC4, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_HUFFMAN, 0xC8, 0xCC}
_TYPES = {1: "B", 3: "H", 4: "I", 13: "I"}
_HEAD = 2**20
"""Bytes in which the metadata of a CR3 begin."""

_Directory = Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Preview:
    pixels: int
    side: int
    at: int
    length: int | None


def is_raw(data: bytes, suffix: str) -> bool:
    """Whether a file is a camera's raw file, by its content; by its suffix where that may be.

    Args:
        data: The whole content.
        suffix: The suffix of its name, in lower case and with its dot.
    """
    if data.startswith(_OWN_MAGICS) or data[4:12] == _CANON_CR3 or data[6:14] == _CANON_CRW:
        return True
    if data[:4] not in _MAGICS:
        return file_kind(suffix) is FileKind.RAW and not data.startswith(b"\xff\xd8\xff")
    if data[8:10] == _CANON_CR2 or file_kind(suffix) is FileKind.RAW:
        return True
    return any(
        _DNG_VERSION in directory or _photometric(directory) in {_MOSAIC, _LINEAR_RAW}
        for directory in _directories(data)
    )


def previews(data: bytes) -> Iterator[bytes]:
    """The JPEGs in a raw file that show its photo, the largest first; thumbnails are left out."""
    directories = list(_directories(data))
    found = _told(data, directories)
    if not any(preview.side >= LEAST_SIDE for preview in found):
        if any(_DNG_VERSION in directory for directory in directories):
            return
        found = list(_searched(data))
    for preview in sorted(found, key=lambda preview: -preview.pixels):
        if preview.side >= LEAST_SIDE:
            end = len(data) if preview.length is None else preview.at + preview.length
            yield data[preview.at : end]


def exif_block(data: bytes) -> bytes | None:
    """The EXIF of a raw file, laid out as in a JPEG; None where its pictures alone have it."""
    if data[:4] in _MAGICS:
        plain = b"II*\0" if _MAGICS[data[:4]] == "<" else b"MM\0*"
        return data if data.startswith(plain) else plain + data[4:]
    return _canon_block(data) if data[4:12] == _CANON_CR3 else None


def develop(data: bytes) -> NDArray[np.uint8]:
    """The photo of a raw file as LibRaw develops it: ``(h, w, 3)``, upright, at half its size.

    Raises:
        ImageError: LibRaw is not installed, or does not read the file.
    """
    if find_spec("rawpy") is None:
        raise ImageError(
            "the raw file holds no preview that can be used: pip install "
            "'organizer-photos[raw]' to develop it",
            lasting=False,
        )
    import rawpy

    try:
        with rawpy.imread(io.BytesIO(data)) as opened:
            pixels: NDArray[np.uint8] = opened.postprocess(use_camera_wb=True, half_size=True)
    except rawpy.LibRawError as error:
        raise ImageError(f"the raw file cannot be developed: {_text(error)}") from error
    return pixels


def _text(error: Exception) -> str:
    told = error.args[0] if error.args else ""
    return told.decode(errors="replace") if isinstance(told, bytes) else str(told)


_PILLOW_RAISES = (
    OSError, ValueError, TypeError, SyntaxError, LookupError, ArithmeticError, AttributeError,
    struct.error,
)  # fmt: skip
"""What comes of damaged directories; the last but one where a tag has a value of another type."""


def _canon_block(data: bytes) -> bytes | None:
    """One block of the three of a CR3: directories of the picture, of EXIF and of GPS."""
    with suppress(*_PILLOW_RAISES):
        outer, *below = (_loaded(_box(data, kind)) for kind in (b"CMT1", b"CMT2", b"CMT4"))
        for tag, inner in zip((exif.EXIF_IFD, exif.GPS_IFD), below, strict=True):
            if inner:
                outer[tag] = dict(inner)
        return outer.tobytes()
    return None


def _box(data: bytes, kind: bytes) -> bytes:
    at = data.find(kind, 0, _HEAD)
    if at < 4:
        return b""
    return data[at + 4 : at - 4 + int.from_bytes(data[at - 4 : at])]


def _loaded(block: bytes) -> Image.Exif:
    found = Image.Exif()
    if block:
        found.load(b"Exif\0\0" + block)
    return found


# What directories tell -------------------------------------------------------------------------


def _told(data: bytes, directories: list[_Directory]) -> list[_Preview]:
    found = []
    for directory in directories:
        if _PANASONIC_JPEG in directory and data.startswith(b"IIU\0"):
            found += _preview(data, *directory[_PANASONIC_JPEG])
        subfile = directory.get(_SUBFILE_TYPE, (0,))[0]
        if _photometric(directory) not in _PICTURES or subfile & _MASK:
            continue
        pairs = [(_JPEG_AT, _JPEG_BYTES)]
        if directory.get(_COMPRESSION, (0,))[0] in _JPEGS:
            pairs.append((_STRIPS, _STRIP_BYTES))
        for at, length in pairs:
            if len(directory.get(at, ())) == len(directory.get(length, ())) == 1:
                found += _preview(data, directory[at][0], directory[length][0])
    return found


def _photometric(directory: _Directory) -> int | None:
    return directory.get(_PHOTOMETRIC, (None,))[0]


def _directories(data: bytes) -> Iterator[_Directory]:
    """All directories of a TIFF: the chain, and what hangs below each; no damaged ones."""
    order = _MAGICS.get(data[:4])
    if order is None or len(data) < 8:
        return
    waiting, seen = [int(struct.unpack_from(order + "I", data, 4)[0])], set[int]()
    while waiting and len(seen) < _MOST_DIRECTORIES:
        at = waiting.pop()
        if at in seen or not 0 < at <= len(data) - 2:
            continue
        seen.add(at)
        directory, following = _directory(data, order, at)
        waiting += [*following, *directory.get(_SUB_IFDS, ())]
        yield directory


def _directory(data: bytes, order: str, at: int) -> tuple[_Directory, list[int]]:
    """The numbers in a directory by their tags, and where the one after it begins."""
    (count,) = struct.unpack_from(order + "H", data, at)
    end = at + 2 + 12 * count
    if end > len(data):
        return {}, []
    found: dict[int, tuple[int, ...]] = {}
    for place in range(at + 2, end, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", data, place)
        size = struct.calcsize(_TYPES.get(kind, "")) * number
        (offset,) = struct.unpack_from(order + "I", data, place + 8)
        if tag == _PANASONIC_JPEG:
            found[tag] = (offset, number)
        elif 0 < size <= 4:
            found[tag] = struct.unpack_from(f"{order}{number}{_TYPES[kind]}", data, place + 8)
        elif tag in {_SUB_IFDS, _STRIPS, _STRIP_BYTES} and 0 < size <= len(data) - offset:
            found[tag] = struct.unpack_from(f"{order}{number}{_TYPES[kind]}", data, offset)
    following = struct.unpack_from(order + "I", data, end) if end + 4 <= len(data) else ()
    return found, [*following]


def _preview(data: bytes, at: int, length: int | None) -> list[_Preview]:
    size = _jpeg_size(data, at)
    return [_Preview(size[0] * size[1], max(size), at, length)] if size else []


# What has to be searched for -------------------------------------------------------------------


def _searched(data: bytes) -> Iterator[_Preview]:
    at = data.find(b"\xff\xd8\xff")
    while at >= 0:
        yield from _preview(data, at, None)
        at = data.find(b"\xff\xd8\xff", at + 1)


def _jpeg_size(data: bytes, at: int) -> tuple[int, int] | None:
    """Width and height of a JPEG of 8 bits that begins there; None where none does, or another."""
    if data[at : at + 2] != b"\xff\xd8":
        return None
    at += 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4])
        if marker in {0, _END, _START_OF_SCAN} or length < 2:
            return None
        if marker in _FRAMES and at + 10 <= len(data):
            bits, height, width, bands = struct.unpack_from(">BHHB", data, at + 4)
            is_picture = marker in _BASELINE and bits == 8 and bands in {1, 3} and height and width
            return (width, height) if is_picture else None
        at += 2 + length
    return None
