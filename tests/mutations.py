"""Sound files of every format, and what is left of them after bytes were changed at random."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from organizer import decode
from organizer.file_kinds import image_suffixes
from organizer.library import Library
from organizer.library.ingest.report import IngestReport
from organizer.settings import Settings
from organizer.types import Outcome
from tests.raw_files import RAW_FILES, jpeg
from tests.videos import make_video, plain

_NUMBERS = [
    0,
    1,
    2,
    127,
    128,
    255,
    256,
    32_767,
    32_768,
    65_500,
    65_535,
    2**24,
    2**31 - 1,
    2**32 - 1,
]
"""What makes sizes, counts and places of a header absurd."""


def sound_files() -> dict[str, bytes]:
    """A small file of each format that is read here, by the suffix of its name."""
    decode.register_codecs()
    draw = np.random.default_rng(0)
    colours = Image.fromarray(draw.integers(0, 255, (40, 56, 3), dtype=np.uint8))
    grey16 = Image.fromarray(draw.integers(0, 4_095, (40, 56), dtype=np.uint16))
    exif = Image.Exif()
    exif[271], exif[272], exif[274] = "Maker", "Model", 6
    exif[36_867] = "2024:05:01 12:00:00"

    def saved(image: Image.Image, kind: str, **how: object) -> bytes:
        stream = io.BytesIO()
        image.copy().save(stream, kind, **how)
        return stream.getvalue()

    def others() -> list[Image.Image]:
        return [colours.rotate(90), colours.rotate(180)]

    made = {
        "base.jpg": saved(colours, "JPEG", exif=exif, icc_profile=b"no profile" * 20),
        "progressive.jpg": saved(colours, "JPEG", progressive=True, exif=exif),
        "cmyk.jpg": saved(colours.convert("CMYK"), "JPEG"),
        "restarts.jpg": saved(colours, "JPEG", restart_marker_blocks=4),
        "several.mpo": saved(colours, "MPO", save_all=True, append_images=others()),
        "plain.png": saved(colours, "PNG", exif=exif),
        "palette.png": saved(colours.convert("P"), "PNG", transparency=3),
        "deep.png": saved(grey16, "PNG"),
        "animated.png": saved(colours, "PNG", save_all=True, append_images=others()),
        "animated.gif": saved(colours, "GIF", save_all=True, append_images=others()),
        "plain.tif": saved(colours, "TIFF"),
        "lzw.tif": saved(colours, "TIFF", compression="tiff_lzw", exif=exif),
        "deflate.tif": saved(colours, "TIFF", compression="tiff_adobe_deflate"),
        "jpeg.tif": saved(colours, "TIFF", compression="jpeg"),
        "fax.tif": saved(colours.convert("1"), "TIFF", compression="group4"),
        "deep.tif": saved(grey16, "TIFF"),
        "pages.tif": saved(colours, "TIFF", save_all=True, append_images=others()),
        "plain.webp": saved(colours, "WEBP", exif=exif),
        "lossless.webp": saved(colours, "WEBP", lossless=True),
        "animated.webp": saved(colours, "WEBP", save_all=True, append_images=others()),
        "plain.bmp": saved(colours, "BMP"),
        "palette.bmp": saved(colours.convert("P"), "BMP"),
        "plain.ppm": saved(colours, "PPM"),
        "plain.tga": saved(colours, "TGA", compression="tga_rle"),
        "plain.jp2": saved(colours, "JPEG2000"),
        "plain.avif": saved(colours, "AVIF", speed=10),
        "plain.heic": saved(colours, "HEIF"),
    }
    made |= {f"raw{suffix}": make(jpeg(), 1) for suffix, make in RAW_FILES.items()}
    if "JXL" in Image.SAVE:
        made["plain.jxl"] = saved(colours, "JXL")
    made["short.mp4"] = make_video(".mp4", plain((90, 140, 60), 3))
    made["short.avi"] = make_video(".avi", plain((90, 140, 60), 3))
    return {n: c for n, c in made.items() if f".{n.rpartition('.')[2]}" in image_suffixes()}


def mutated(data: bytes, other: bytes, draw: np.random.Generator) -> bytes:
    """A file after one to four accidents; most of them in its first bytes, where numbers are."""
    changed = bytearray(data)
    for _ in range(int(draw.integers(1, 5))):
        accident = _ACCIDENTS[int(draw.integers(len(_ACCIDENTS)))]
        if len(changed) > 16:
            accident(changed, other, draw)
    return bytes(changed)


def _place(data: bytearray, draw: np.random.Generator) -> int:
    within = len(data) if draw.random() < 0.4 else min(len(data), 512)
    return int(draw.integers(0, within - 8)) if within > 8 else 0


def _flip(data: bytearray, _: bytes, draw: np.random.Generator) -> None:
    for bit in draw.integers(8, size=int(draw.integers(1, 9))).tolist():
        data[_place(data, draw)] ^= 1 << bit


def _number(data: bytearray, _: bytes, draw: np.random.Generator) -> None:
    at, size = _place(data, draw), int(draw.choice([1, 2, 4]))
    value = int(draw.choice(_NUMBERS)) % (1 << (8 * size))
    data[at : at + size] = value.to_bytes(size, "big" if draw.random() < 0.5 else "little")


def _cut(data: bytearray, _: bytes, draw: np.random.Generator) -> None:
    del data[int(draw.integers(8, len(data))) :]


def _lose(data: bytearray, _: bytes, draw: np.random.Generator) -> None:
    at = _place(data, draw)
    del data[at : at + int(draw.integers(1, 65))]


def _repeat(data: bytearray, _: bytes, draw: np.random.Generator) -> None:
    at = _place(data, draw)
    data[at:at] = data[at : at + int(draw.integers(1, 257))] * int(draw.integers(1, 5))


def _blank(data: bytearray, _: bytes, draw: np.random.Generator) -> None:
    at, size = _place(data, draw), int(draw.integers(1, 257))
    data[at : at + size] = bytes(len(data[at : at + size]))


def _splice(data: bytearray, other: bytes, draw: np.random.Generator) -> None:
    at = _place(data, draw)
    data[at : at + 128] = other[at : at + 128]


_ACCIDENTS: list[Callable[[bytearray, bytes, np.random.Generator], None]] = [
    _flip, _number, _number, _cut, _lose, _repeat, _blank, _splice,
]  # fmt: skip


def write_mutated(folder: Path, count: int, *, seed: int) -> None:
    """Write mutated files; the same seed gives the same ones."""
    draw = np.random.default_rng(seed)
    sound = list(sound_files().items())
    folder.mkdir(parents=True)
    for number in range(count):
        name, data = sound[int(draw.integers(len(sound)))]
        _, other = sound[int(draw.integers(len(sound)))]
        (folder / f"{number:06}-{name}").write_bytes(mutated(data, other, draw))


def ingest_mutated(home: Path, count: int, *, seed: int) -> IngestReport:
    """Ingest mutated files, and make sure that each is counted once."""
    folder = home / "mutated"
    write_mutated(folder, count, seed=seed)
    with warnings.catch_warnings(), Library.open_or_create(home, Settings()) as library:
        report = library.ingest(folder, embedder="hsv")
        problems = library.problems()
        assert sum(report.counts.values()) == count
        assert report.images == report.counts[Outcome.ADDED]
        unusable = report.counts[Outcome.BROKEN] + report.counts[Outcome.TOO_LARGE]
        assert len(problems) == unusable
        again = library.ingest(folder)
        assert sum(again.counts.values()) == count
        assert again.images == report.images
    return report
