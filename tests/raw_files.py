"""Raw files as cameras lay them out, made by hand: their directories, previews and EXIF."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Value = tuple[int, bytes | Sequence[int]]
"""The type of an entry of a directory, and its numbers, or its bytes."""

_ASCII, _SHORT, _LONG, _UNDEFINED, _RATIONAL = 2, 3, 4, 7, 10
TAKEN_AT = "2024:05:01 10:15:00"
WIDTH, HEIGHT = 640, 480


class Tiff:
    """A file with the layout of TIFF, made from what lies deepest to what lies first."""

    def __init__(self, order: str = "<", head: bytes = b"") -> None:
        self.order = order
        self.data = bytearray(head or (b"II*\0" if order == "<" else b"MM\0*"))
        self.data += bytes(4)

    def blob(self, content: bytes) -> int:
        """Where some bytes lie."""
        self.data += bytes(len(self.data) % 2)
        self.data += content
        return len(self.data) - len(content)

    def directory(self, entries: Mapping[int, Value], following: int = 0) -> int:
        """Where a directory lies, and the one that follows it."""
        rows = [self._row(tag, kind, value) for tag, (kind, value) in sorted(entries.items())]
        count = struct.pack(self.order + "H", len(rows))
        return self.blob(count + b"".join(rows) + struct.pack(self.order + "I", following))

    def done(self, first: int) -> bytes:
        """The file whose first directory lies there."""
        struct.pack_into(self.order + "I", self.data, 4, first)
        return bytes(self.data)

    def _row(self, tag: int, kind: int, value: bytes | Sequence[int]) -> bytes:
        if isinstance(value, bytes):
            content, count = value, len(value)
        else:
            letter, numbers = {_SHORT: ("H", 1), _LONG: ("I", 1), _RATIONAL: ("i", 2)}[kind]
            content = struct.pack(f"{self.order}{len(value)}{letter}", *value)
            count = len(value) // numbers
        if len(content) > 4:
            content = struct.pack(self.order + "I", self.blob(content))
        return struct.pack(self.order + "HHI", tag, kind, count) + content.ljust(4, b"\0")


def picture(width: int = WIDTH, height: int = HEIGHT, seed: int = 0) -> NDArray[np.uint8]:
    """A picture whose corners differ: ``(height, width, 3)``."""
    rng = np.random.default_rng(seed)
    corners = rng.integers(30, 226, (2, 2, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(corners).resize((width, height), Image.Resampling.BILINEAR))


def jpeg(pixels: NDArray[np.uint8] | None = None, **options: object) -> bytes:
    """A picture as a JPEG."""
    stream = io.BytesIO()
    shown = Image.fromarray(picture() if pixels is None else pixels)
    shown.save(stream, "JPEG", quality=95, **options)
    return stream.getvalue()


def lossless_jpeg(width: int, height: int) -> bytes:
    """What begins like a JPEG and holds the data of a sensor: SOF3, 14 bits."""
    frame = struct.pack(">HBHHB", 14, 14, height, width, 2) + bytes(6)
    return b"\xff\xd8\xff\xc3" + frame + b"\xff\xda\0\x02" + bytes(2_000) + b"\xff\xd9"


def camera(tiff: Tiff, turn: int, make: str = "Canon", model: str = "EOS R") -> dict[int, Value]:
    """The entries of a first directory that tell camera, orientation and time."""
    inner = tiff.directory({0x9003: (_ASCII, f"{TAKEN_AT}\0".encode())})
    return {
        0x010F: (_ASCII, f"{make}\0".encode()),
        0x0110: (_ASCII, f"{model}\0".encode()),
        0x0112: (_SHORT, [turn]),
        0x8769: (_LONG, [inner]),
    }


def strip(tiff: Tiff, content: bytes, compression: int) -> dict[int, Value]:
    """A directory's entries for one strip."""
    at = tiff.blob(content)
    return {259: (_SHORT, [compression]), 273: (_LONG, [at]), 279: (_LONG, [len(content)])}


def interchange(tiff: Tiff, content: bytes) -> dict[int, Value]:
    """A directory's entries for a JPEGInterchangeFormat."""
    return {513: (_LONG, [tiff.blob(content)]), 514: (_LONG, [len(content)])}


def _cr2(preview: bytes, turn: int) -> bytes:
    tiff = Tiff(head=b"II*\0")
    tiff.data += b"CR\2\0" + bytes(4)
    sensor = tiff.directory(strip(tiff, lossless_jpeg(6_000, 4_000), 6))
    small = tiff.directory(interchange(tiff, jpeg(picture(160, 120))), sensor)
    return tiff.done(tiff.directory(camera(tiff, turn) | strip(tiff, preview, 6), small))


def _nef(preview: bytes, turn: int) -> bytes:
    tiff = Tiff(">")
    shown = tiff.directory({259: (_SHORT, [6])} | interchange(tiff, preview))
    mosaic: dict[int, Value] = {262: (_SHORT, [32_803])}
    sensor = tiff.directory(mosaic | strip(tiff, bytes(500), 34_713))
    thumbnail: dict[int, Value] = {254: (_LONG, [1]), 262: (_SHORT, [2])}
    first = thumbnail | strip(tiff, bytes(160 * 120 * 3), 1) | {330: (_LONG, [shown, sensor])}
    return tiff.done(tiff.directory(camera(tiff, turn, "NIKON", "Z 6") | first))


def _arw(preview: bytes, turn: int) -> bytes:
    tiff = Tiff()
    mosaic: dict[int, Value] = {262: (_SHORT, [32_803])}
    sensor = tiff.directory(mosaic | strip(tiff, bytes(500), 32_767))
    shown = interchange(tiff, preview) | {330: (_LONG, [sensor])}
    return tiff.done(tiff.directory(camera(tiff, turn, "SONY", "ILCE-7") | shown))


def _dng(preview: bytes, turn: int) -> bytes:
    """With tiles that are plain JPEGs, larger than the preview: those of a lossy DNG."""
    tiff = Tiff()
    tile = jpeg(picture(800, 800, seed=9))
    linear: dict[int, Value] = {262: (_SHORT, [34_892]), 254: (_LONG, [0])}
    sensor = tiff.directory(linear | strip(tiff, tile, 7))
    mask: dict[int, Value] = {262: (_SHORT, [4]), 254: (_LONG, [4])}
    sky = tiff.directory(mask | strip(tiff, tile, 7))
    colours: dict[int, Value] = {262: (_SHORT, [6]), 254: (_LONG, [1])}
    shown = tiff.directory(colours | strip(tiff, preview, 7))
    first: dict[int, Value] = {
        262: (_SHORT, [2]),
        330: (_LONG, [sensor, shown, sky]),
        50_706: (1, b"\1\4\0\0"),
    }
    return tiff.done(tiff.directory(camera(tiff, turn) | first))


def _pef(preview: bytes, turn: int) -> bytes:
    tiff = Tiff(">")
    shown = tiff.directory(interchange(tiff, preview))
    small = tiff.directory(interchange(tiff, jpeg(picture(160, 120))), shown)
    mosaic: dict[int, Value] = {262: (_SHORT, [32_803])}
    sensor = mosaic | strip(tiff, bytes(500), 65_535)
    return tiff.done(tiff.directory(camera(tiff, turn, "PENTAX", "K-1") | sensor, small))


def _orf(preview: bytes, turn: int) -> bytes:
    """The place of the preview is in the maker's note alone."""
    tiff = Tiff(head=b"IIRO")
    tiff.blob(preview)
    return tiff.done(tiff.directory(camera(tiff, turn, "OLYMPUS", "E-M1")))


def _rw2(preview: bytes, turn: int) -> bytes:
    tiff = Tiff(head=b"IIU\0")
    return tiff.done(
        tiff.directory(camera(tiff, turn, "Panasonic", "DC-G9") | {0x2E: (_UNDEFINED, preview)})
    )


def _exif(turn: int) -> bytes:
    tiff = Tiff()
    return tiff.done(tiff.directory(camera(tiff, turn, "FUJIFILM", "X-T3")))


def _raf(preview: bytes, turn: int) -> bytes:
    with Image.open(io.BytesIO(preview)) as opened:
        pixels = np.asarray(opened)
    shown = jpeg(pixels, exif=b"Exif\0\0" + _exif(turn))
    head = b"FUJIFILMCCD-RAW 0201FF129506".ljust(84, b"\0") + struct.pack(">II", 148, len(shown))
    return head.ljust(148, b"\0") + shown + bytes(500)


def _cr3(preview: bytes, turn: int) -> bytes:
    first = Tiff()
    outer = {tag: value for tag, value in camera(first, turn).items() if tag != 0x8769}
    inner, place = Tiff(), Tiff()
    taken: dict[int, Value] = {0x9003: (_ASCII, f"{TAKEN_AT}\0".encode())}
    hemisphere: dict[int, Value] = {9: (_ASCII, b"V\0")}
    blocks = (
        _box(b"CMT1", first.done(first.directory(outer))),
        _box(b"CMT2", inner.done(inner.directory(taken))),
        _box(b"CMT4", place.done(place.directory(hemisphere))),
    )
    moov = _box(b"moov", _box(b"uuid", bytes(16) + b"".join(blocks)))
    return _box(b"ftyp", b"crx \0\0\0\1crx isom") + moov + _box(b"mdat", preview + bytes(500))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


RAW_FILES: Mapping[str, Callable[[bytes, int], bytes]] = {
    ".cr2": _cr2, ".nef": _nef, ".arw": _arw, ".dng": _dng, ".pef": _pef, ".orf": _orf,
    ".rw2": _rw2, ".raf": _raf, ".cr3": _cr3,
}  # fmt: skip
"""Each kind: made from the JPEG of its preview and an EXIF orientation."""


def without_preview(turn: int = 1) -> bytes:
    """A raw file with a thumbnail alone."""
    tiff = Tiff()
    mosaic: dict[int, Value] = {262: (_SHORT, [32_803])}
    sensor = tiff.directory(mosaic | strip(tiff, bytes(500), 1))
    small = interchange(tiff, jpeg(picture(160, 120)))
    return tiff.done(tiff.directory(camera(tiff, turn) | small | {330: (_LONG, [sensor])}))


def mosaic_dng(turn: int = 1, width: int = 320, height: int = 240) -> bytes:
    """A DNG of a red surface, of which no preview was made."""
    tiff = Tiff()
    sensor = np.full((height, width), 4_000, dtype="<u2")
    sensor[::2, ::2] = 40_000
    identity = [number for place in range(9) for number in (int(place % 4 == 0), 1)]
    entries: dict[int, Value] = {
        254: (_LONG, [0]), 256: (_LONG, [width]), 257: (_LONG, [height]), 258: (_SHORT, [16]),
        262: (_SHORT, [32_803]), 277: (_SHORT, [1]), 278: (_LONG, [height]), 284: (_SHORT, [1]),
        33_421: (_SHORT, [2, 2]), 33_422: (1, bytes([0, 1, 1, 2])), 50_706: (1, b"\1\4\0\0"),
        50_708: (_ASCII, b"Made by hand\0"), 50_717: (_LONG, [65_535]),
        50_721: (_RATIONAL, identity), 50_728: (_RATIONAL, [1, 1] * 3),
    }  # fmt: skip
    return tiff.done(
        tiff.directory(camera(tiff, turn) | strip(tiff, sensor.tobytes(), 1) | entries)
    )
