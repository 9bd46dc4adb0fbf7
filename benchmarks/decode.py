"""The speed of decoders for the size that a network needs.

    python -m benchmarks.decode

Prints images per second and core at 12, 3 and 0.3 megapixels, for a network that needs 256 pixels
on the shorter side, and the ratio to Pillow's reduced decoding; then threads against processes.
Rounds are interleaved and medians printed.
"""

from __future__ import annotations

import io
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.photos import photos
from organizer import decode
from organizer.settings import available_cores
from organizer.types import ImageRef

_SIDE = 256
_ROUNDS = 7
_COUNTS = {12.0: 8, 3.0: 24, 0.3: 96}


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        for megapixels, count in _COUNTS.items():
            made = photos(Path(folder) / f"{megapixels}", count, megapixels)
            files = sorted(made.iterdir())
            _one_core(megapixels, [file.read_bytes() for file in files])
        _threads_and_processes(sorted((Path(folder) / "3.0").iterdir()))


def _one_core(megapixels: float, contents: list[bytes]) -> None:
    ways = _ways()
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_ROUNDS + 1):
        for name, way in ways.items():
            rates[name].append(_rate(way, contents))
    print(f"{megapixels:g} megapixels, {len(contents[0]) // 1000} kB, images/s a core")
    usual = statistics.median(rates["Pillow reduced"][1:])
    for name, measured in rates.items():
        median = statistics.median(measured[1:])
        print(f"  {name:<30} {median:7.1f}   x {median / usual:.2f}")


def _ways() -> dict[str, Callable[[bytes], object]]:
    import simplejpeg

    def eighths(data: bytes) -> object:
        return simplejpeg.decode_jpeg(data, min_height=_SIDE, min_width=_SIDE)

    ways: dict[str, Callable[[bytes], object]] = {
        "Pillow in full": lambda data: np.asarray(Image.open(io.BytesIO(data)).convert("RGB")),
        "Pillow reduced": _pillow,
        "simplejpeg, any eighth": eighths,
        "organizer, with EXIF and checks": _ours,
    }
    try:
        import cv2
    except ImportError:
        print("OpenCV is left out: pip install opencv-python-headless")
        return ways
    cv2.setNumThreads(1)
    scales = {
        8: cv2.IMREAD_REDUCED_COLOR_8,
        4: cv2.IMREAD_REDUCED_COLOR_4,
        2: cv2.IMREAD_REDUCED_COLOR_2,
        1: cv2.IMREAD_COLOR,
    }

    def opencv(data: bytes) -> object:
        side = min(simplejpeg.decode_jpeg_header(data)[:2])
        scale = next(s for s in (8, 4, 2, 1) if side // s >= _SIDE or s == 1)
        flags = scales[scale] | cv2.IMREAD_IGNORE_ORIENTATION
        return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), flags), cv2.COLOR_BGR2RGB)

    return {**ways, "OpenCV reduced": opencv}


def _pillow(data: bytes) -> object:
    image = Image.open(io.BytesIO(data))
    image.draft(None, (_SIDE, _SIDE))
    return np.asarray(image.convert("RGB"))


def _ours(data: bytes) -> object:
    return decode.decode_image(
        ImageRef(Path("/"), "x", len(data), 0), data, image_id="x", min_side=_SIDE
    )


def _decode_file(file: Path) -> np.ndarray:
    ref = ImageRef(file.parent, file.name, file.stat().st_size, 0)
    data = decode.read_file(ref, max_bytes=2**31)
    return decode.decode_image(ref, data, image_id="x", min_side=_SIDE).pixels


def _threads_and_processes(files: list[Path]) -> None:
    cores = available_cores()
    spawn = multiprocessing.get_context("spawn")
    pools: dict[str, Executor] = {
        "threads": ThreadPoolExecutor(cores),
        "processes": ProcessPoolExecutor(cores, spawn),
    }
    rates: dict[str, list[float]] = {name: [] for name in pools}
    work = files * 3
    for _ in range(_ROUNDS + 1):
        for name, pool in pools.items():
            rates[name].append(_rate(partial(_all, pool), [work]) * len(work))
    print(f"3 megapixels, {cores} cores, images/s")
    for name, measured in rates.items():
        print(f"  {cores} {name:<28} {statistics.median(measured[1:]):7.1f}")
    for pool in pools.values():
        pool.shutdown()


def _all(pool: Executor, files: list[Path]) -> None:
    for _ in pool.map(_decode_file, files):
        pass


def _rate(way: Callable[[Any], object], work: Sequence[Any]) -> float:
    start = time.perf_counter()
    for one in work:
        way(one)
    return len(work) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
