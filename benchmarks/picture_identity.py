"""What it costs to know a photo by its picture: the two hashes against decoding.

    python -m benchmarks.picture_identity PHOTOS

PHOTOS is a folder with real JPEGs; each is enlarged to 3, 6 and 12 megapixels and encoded as a
camera does. Hashes and decoding are measured one after the other on each file, so that a slower
moment of the machine meets both; the medians of the pairs' ratios are printed. Until format 6 the
hash of the file was made too, so what is new is the hash of the picture.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from organizer import decode
from organizer.identity import file_hash, picture_hash
from organizer.types import ImageRef

_MEGAPIXELS = (3, 6, 12)
_FILES, _ROUNDS, _SIDE = 8, 7, 224


def main() -> None:
    """Measure and print."""
    found = Path(sys.argv[1]).rglob("*")
    files = sorted(f for f in found if f.suffix.lower() in {".jpg", ".jpeg"})[:_FILES]
    for megapixels in _MEGAPIXELS:
        contents = [_enlarged(file, megapixels) for file in files]
        print(f"{megapixels} megapixels, {sum(map(len, contents)) / len(contents) / 1e6:.1f} MB")
        for name, side in (("in full", None), (f"reduced to {_SIDE} pixels", _SIDE)):
            pairs = [_measured(data, side) for _ in range(_ROUNDS) for data in contents]
            decoding, of_file, of_picture = (statistics.median(c) for c in zip(*pairs, strict=True))
            new = statistics.median(pair[2] / pair[0] for pair in pairs)
            print(
                f"  decoded {name}: {decoding * 1e3:.1f} ms; hash of the file "
                f"{of_file * 1e3:.2f} ms, of the picture {of_picture * 1e3:.2f} ms, {new:.1%}"
            )


def _measured(data: bytes, side: int | None) -> tuple[float, float, float]:
    ref = ImageRef(Path("/"), "x.jpg", len(data), 0)
    return (
        _seconds(lambda: decode.decode_image(ref, data, image_id="0" * 32, min_side=side)),
        _seconds(lambda: file_hash(data)),
        _seconds(lambda: picture_hash(data)),
    )


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _enlarged(file: Path, megapixels: float) -> bytes:
    with Image.open(file) as image:
        factor = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        size = round(image.width * factor), round(image.height * factor)
        out = io.BytesIO()
        image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(out, "JPEG", quality=92)
    return out.getvalue()


if __name__ == "__main__":
    main()
