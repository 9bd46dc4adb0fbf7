"""The cost of metadata against decoding: EXIF with its maker note, and every installed reader.

    python -m benchmarks.metadata

The same photos are decoded (for a network that needs 224 pixels on the shorter side) without and
with an EXIF block as a camera trap writes it, and their facts are read as in an ingest: the
standard tags, the light, the values of the installed readers. Rounds are interleaved, every photo
is paired with itself, medians are printed. Other speeds are measured by benchmarks/ingest.py.
"""

from __future__ import annotations

import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from benchmarks.photos import photos
from organizer import decode, light, metadata
from organizer.types import DecodedImage, ImageRef

_SIDE = 224
_ROUNDS = 15
_COUNTS = {12.0: 6, 3.0: 16, 0.3: 32}
_FILES = 100_000


def main() -> None:
    """Measure and print."""
    readers = metadata.installed_readers()
    print(f"readers: {', '.join(readers) or 'none'}")
    with tempfile.TemporaryDirectory() as folder:
        for megapixels, count in _COUNTS.items():
            made = photos(Path(folder) / f"{megapixels}", count, megapixels)
            plain = [file.read_bytes() for file in sorted(made.iterdir())]
            _compare(megapixels, plain, [_with_exif(data) for data in plain])


def _compare(megapixels: float, plain: list[bytes], tagged: list[bytes]) -> None:
    readers = metadata.installed_readers()
    images = [_decoded(data) for data in tagged]
    found = metadata.read_extra(images[0], tagged[0], readers).found

    def facts(place: int) -> object:
        image = images[place]
        extra = metadata.read_extra(image, tagged[place], readers)
        return metadata.image_facts(image, extra.found)

    ways: dict[str, Callable[[int], object]] = {
        "decode, no EXIF in the file": lambda place: _decoded(plain[place]),
        "decode, EXIF and maker note": lambda place: _decoded(tagged[place]),
        "facts and readers": facts,
        "light": lambda place: light.measure_light(images[place].pixels),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(_ROUNDS + 1):
        for place in range(len(plain)):
            for name, way in ways.items():
                taken = _seconds(way, place)
                if round_:
                    seconds[name].append(taken)
    without, with_, facts_, _ = (seconds[name] for name in ways)
    alone = statistics.median(without)
    exif = statistics.median(b - a for a, b in zip(without, with_, strict=True))
    print(f"{megapixels:g} megapixels, {len(plain[0]) // 1000} kB, processor microseconds a file")
    for name, measured in seconds.items():
        print(f"  {name:<30} {statistics.median(measured) * 1e6:8.1f}")
    both = exif + statistics.median(facts_)
    print(f"  EXIF, facts and readers        {both * 1e6:8.1f}   {both / alone:.1%} of decoding")
    print(f"  of {_FILES:,} files: {both * _FILES:.1f} s of {alone * _FILES:,.0f} s on one core")
    print(f"  found: {', '.join(sorted(found)) or 'nothing'}")


def _decoded(data: bytes) -> DecodedImage:
    ref = ImageRef(Path("/"), "x", len(data), 0)
    return decode.decode_image(ref, data, image_id="x", min_side=_SIDE)


def _seconds(way: Callable[[int], object], place: int) -> float:
    start = time.thread_time()
    way(place)
    return time.thread_time() - start


def _with_exif(data: bytes) -> bytes:
    """The same JPEG with the EXIF block of a Reconyx HyperFire, pixels untouched."""
    exif = Image.Exif()
    exif.update({0x010F: "RECONYX", 0x0110: "PC900 PROFESSIONAL", 0x0132: "2020:04:16 10:10:32"})
    exif.get_ifd(0x8769).update(
        {
            0x9003: "2020:04:16 10:10:32",
            0x9004: "2020:04:16 10:10:32",
            0x8827: 50,
            0x9209: 24,
            0x927C: _note(),
        }
    )
    block = exif.tobytes()
    if not block.startswith(b"Exif"):
        block = b"Exif\0\0" + block
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


def _note() -> bytes:
    head = struct.pack("<H3H2H2s2H2H", 0xF101, 3, 0, 1, 0x2010, 0x0518, b"M\0", 2, 5, 0, 7)
    when = struct.pack("<6HHHhh", 27, 53, 17, 1, 13, 2011, 4, 2, -9, -23)
    tail = "H600BD05002562".encode("utf-16-le").ljust(30, b"\0") + struct.pack("<7H", *range(7))
    return (head + when + tail + b"EAST").ljust(1541, b"\0")


if __name__ == "__main__":
    main()
