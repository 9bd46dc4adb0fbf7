"""Whether the memory of an ingest grows with the number of images.

    python -m benchmarks.memory --counts 1000 10000 --embedder mobilenet_v2

Ingests folders of 640 x 480 JPEGs, each folder in a process of its own, and prints the peak
resident memory of each process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

_PROGRAM = """
import resource, sys
from organizer.cli.app import app
try:
    app(["ingest", "photos", "--embedder", sys.argv[1], "--json"], prog_name="organizer")
except SystemExit:
    pass
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak if sys.platform == "darwin" else peak * 1024, file=sys.stderr)
"""


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    first = 0
    for count in arguments.counts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _pictures(folder / "photos", count)
            peak = _peak(folder, arguments.embedder)
        first = first or peak
        print(f"{count:>9,} images {peak / 2**20:8.0f} MiB  x {peak / first:.2f}", flush=True)


def _peak(folder: Path, embedder: str) -> int:
    program = [sys.executable, "-c", _PROGRAM, embedder]
    done = subprocess.run(
        program, cwd=folder, env=dict(os.environ), check=True, capture_output=True, text=True
    )
    return int(done.stderr.split()[-1])


def _pictures(folder: Path, count: int) -> None:
    folder.mkdir()
    draw = np.random.default_rng(0)
    for number in range(count):
        coarse = Image.fromarray(draw.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        coarse.resize((640, 480), Image.Resampling.BICUBIC).save(folder / f"{number:07}.jpg")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--embedder", default="mobilenet_v2")
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 10_000])
    return parser.parse_args()


if __name__ == "__main__":
    main()
