"""The time of commands that should be immediate.

    python -m benchmarks.responsiveness --images 100000

Makes a library of small pictures with the channel-mean embedder and prints medians of five runs of
whole commands: --help, status, clusters, show, and an ingest of files that are all known and
unchanged (all of them, and a folder of ten thousand of them).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

_PER_FOLDER = 10_000
_RUNS = 5


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _pictures(folder / "photos", arguments.images)
        start = time.perf_counter()
        _typed(folder, "ingest", "photos", "--embedder", "channel-mean")
        seconds = time.perf_counter() - start
        rate = arguments.images / seconds
        print(
            f"first ingest of {arguments.images:,} pictures {seconds:8.1f} s ({rate:,.0f} a second)"
        )
        _typed(folder, "recluster", "--k", "8")
        _median(folder, "--help")
        _median(folder, "status")
        _median(folder, "clusters")
        _median(folder, "show", "0000007.png")
        _median(folder, "ingest", "photos/000")
        _median(folder, "ingest", "photos")
        size = sum(f.stat().st_size for f in (folder / ".organizer").rglob("*") if f.is_file())
        files = sum(f.is_file() for f in (folder / ".organizer").rglob("*"))
        print(f"library {size / arguments.images:.0f} bytes per image, {files} files")


def _median(folder: Path, *typed: str) -> None:
    times = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        _typed(folder, *typed)
        times.append(time.perf_counter() - start)
    low, high = min(times), max(times)
    name = f"organizer {' '.join(typed)}"
    print(f"{name:<28} {statistics.median(times):6.2f} s  ({low:.2f} to {high:.2f})")


def _typed(folder: Path, *typed: str) -> None:
    program = [sys.executable, "-m", "organizer", *typed]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ORGANIZER_")}
    subprocess.run(program, cwd=folder, env=environment, check=True, capture_output=True)


def _pictures(folder: Path, count: int) -> None:
    draw = np.random.default_rng(0)
    for number in range(count):
        place = folder / f"{number // _PER_FOLDER:03}"
        place.mkdir(parents=True, exist_ok=True)
        pixels = draw.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{number:07}.png", compress_level=0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--images", type=int, default=100_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
