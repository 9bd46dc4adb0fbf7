"""Small files that claim, or unpack to, far more than a computer has memory for."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from organizer import decode

_SIDE = 65_500
_BLOCK = 1 << 20


def _saved(kind: str, side: int = 64, **how: object) -> bytes:
    decode.register_codecs()
    stream = io.BytesIO()
    Image.new("RGB", (side, side), (90, 140, 60)).save(stream, kind, **how)
    return stream.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _zeros(count: int) -> bytes:
    """So many zeros, packed."""
    packer = zlib.compressobj(1)
    whole, rest = divmod(count, _BLOCK)
    zeros = bytes(_BLOCK)
    packed = [packer.compress(zeros) for _ in range(whole)]
    return b"".join([*packed, packer.compress(zeros[:rest]), packer.flush()])


def _png(side: int, *, bits: int = 8, colour: int = 0, extra: bytes = b"") -> bytes:
    """A black PNG; `colour` is 0 for grey, 6 for colours with alpha."""
    row = 1 + side * bits * {0: 1, 6: 4}[colour] // 8
    head = struct.pack(">IIBBBBB", side, side, bits, colour, 0, 0, 0)
    parts = [_chunk(b"IHDR", head), extra, _chunk(b"IDAT", _zeros(row * side))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + _chunk(b"IEND", b"")


def _png_with(kind: bytes, before: bytes) -> bytes:
    """A PNG of 8 x 8 with a chunk that unpacks to two gigabytes."""
    return _png(8, extra=_chunk(kind, before + _zeros(1 << 31)))


def _resized(data: bytes, mark: bytes, at: int, form: str, *, side: int = _SIDE) -> bytes:
    """A file whose header claims another size: two numbers, so many bytes behind a mark."""
    place = data.index(mark) + len(mark) + at
    size = struct.pack(form, side, side)
    return data[:place] + size + data[place + len(size) :]


def _gif_frames() -> bytes:
    """20,000 frames, each of 4,096 x 4,096."""
    one = _saved("GIF", 4_096)
    start = one.index(b",\0\0\0\0")
    return one[:start] + one[start:-1] * 20_000 + b";"


def _tiff_directories() -> bytes:
    """A directory after the other, 200,000 of them, of one pixel."""
    entries = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (278, 1), (279, 1)]
    size = 2 + 12 * len(entries) + 4
    listed = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    parts = [b"II*\0", struct.pack("<I", 12), bytes(4)]
    for number in range(200_000):
        following = 12 + (number + 1) * size if number < 199_999 else 0
        parts.append(struct.pack("<H", len(entries)) + listed + struct.pack("<I", following))
    return b"".join(parts)


def _tiff_strip(side: int) -> bytes:
    """One strip of zeros, packed."""
    strip = _zeros(side * side * 3)
    entries = [
        (256, 4, side), (257, 4, side), (259, 3, 8), (262, 3, 2), (273, 4, 0), (277, 3, 3),
        (278, 4, side), (279, 4, len(strip)),
    ]  # fmt: skip
    begin = 8 + 2 + 12 * len(entries) + 4
    rows = [(tag, kind, begin if tag == 273 else value) for tag, kind, value in entries]
    listed = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in rows)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(rows)) + listed + bytes(4) + strip


def _tga_runs(side: int) -> bytes:
    head = struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, side, side, 24, 0)
    return head + b"\xff\x10\x20\x30" * (-(-side // 128) * side)


def _bmp_runs(side: int) -> bytes:
    runs = (b"\xff\x01" * -(-side // 255) + b"\0\0") * side + b"\0\x01"
    head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(runs), 0, 0, 256, 0)
    palette = bytes(1_024)
    size = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", size + len(runs), 0, 0, size) + head + palette + runs


def _heic_grid() -> bytes:
    """An image that claims to be a grid of a few hundred thousand tiles."""
    data = _resized(_saved("HEIF", 128), b"ispe", 4, ">II")
    return data.replace(b"hvc1", b"grid", 1)


BOMBS: dict[str, Callable[[], bytes]] = {
    "canvas.png": lambda: _png(_SIDE),
    "bits.png": lambda: _png(_SIDE, bits=1),
    "alpha16.png": lambda: _png(13_000, bits=16, colour=6),
    "profile.png": lambda: _png_with(b"iCCP", b"wide\0\0"),
    "text.png": lambda: _png_with(b"zTXt", b"Comment\0\0"),
    "international.png": lambda: _png_with(b"iTXt", b"Comment\0\1\0\0\0"),
    "canvas.gif": lambda: _resized(_saved("GIF"), b"GIF87a", 0, "<HH"),
    "frames.gif": _gif_frames,
    "directories.tif": _tiff_directories,
    "strip.tif": lambda: _tiff_strip(13_000),
    "canvas.tif": lambda: _tiff_strip(30_000),
    "canvas.jpg": lambda: _resized(_saved("JPEG"), b"\xff\xc0\0\x11\x08", 0, ">HH"),
    "progressive.jpg": lambda: _resized(
        _saved("JPEG", progressive=True), b"\xff\xc2\0\x11\x08", 0, ">HH", side=13_000
    ),
    "canvas.jp2": lambda: _resized(_saved("JPEG2000"), b"\xff\x51", 4, ">II"),
    "canvas.webp": lambda: _resized(_saved("WEBP"), b"\x9d\x01\x2a", 0, "<HH", side=16_383),
    "lossless.webp": lambda: _resized(
        _saved("WEBP", lossless=True), b"VP8L", 5, "<HH", side=0xFFFF
    ),
    "canvas.heic": lambda: _resized(_saved("HEIF", 128), b"ispe", 4, ">II"),
    "grid.heic": _heic_grid,
    "canvas.avif": lambda: _resized(_saved("AVIF", speed=10), b"ispe", 4, ">II"),
    "runs.bmp": lambda: _bmp_runs(13_000),
    "canvas.bmp": lambda: _resized(_saved("BMP"), b"BM", 16, "<ii"),
    "runs.tga": lambda: _tga_runs(13_000),
    "canvas.ppm": lambda: b"P6 65500 65500 255\n" + bytes(10_000),
}
"""What makes each: a canvas of 65,500 squared if nothing else is meant."""


def sidecars() -> Iterator[tuple[str, bytes]]:
    """Files beside a photo that are nested as deep as a parser may not follow."""
    yield "photo.jpg.json", b'{"title":' + b"[" * 500_000 + b"]" * 500_000 + b"}"
    yield "photo.xmp", b"<x:xmpmeta>" + b"<a>" * 300_000 + b"</a>" * 300_000


def write_bomb(name: str, folder: Path) -> Path:
    """Write a bomb into a new folder."""
    folder.mkdir(parents=True)
    file = folder / name
    file.write_bytes(BOMBS[name]())
    return file
