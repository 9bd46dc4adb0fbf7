"""The time of reports and exports: with pictures and a map, and for a large library.

    python -m benchmarks.report --library DIR --map tsne umap pca
    python -m benchmarks.report --size 1000000 --dim 512 --k 100

The first measures `organizer report --html --map NAME` on an existing library, as a whole command.
The second makes a library of vectors of a mixture and rows of images without files, clusters it,
and measures the report without a map and the exports: seconds and peak memory, without pictures.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.growth import mixture
from benchmarks.vectors import append, ids_of
from organizer.library import Library
from organizer.library.exports import ExportOptions
from organizer.settings import load_settings
from organizer.types import ImageFacts, ImageRef, ProcessedFile

_BLOCK = 50_000
_CAMERAS, _SECONDS = 40, 97


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    if arguments.inside:
        _inside(*arguments.inside)
    elif arguments.library:
        for method in arguments.map:
            times = [_typed(arguments.library, method) for _ in range(arguments.rounds)]
            seconds, size = statistics.median(t for t, _ in times), times[0][1]
            print(f"--map {method:5} {seconds:6.1f} s, page {size / 1e6:.1f} MB", flush=True)
    else:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
            _fill(Path(name), arguments.size, arguments.dim, arguments.k)
            print(f"{arguments.size:,} x {arguments.dim}, k = {arguments.k}")
            for what in ("report", "csv", "parquet", "parquet+vectors"):
                ran = _python("-m", "benchmarks.report", "--inside", name, what)
                seconds, peak = map(float, ran.split())
                print(f"{what:15} {seconds:7.1f} s, peak {peak:.2f} GiB", flush=True)


def _typed(library: Path, method: str) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as name:
        page = Path(name) / "report.html"
        typed = ["report", "--library", str(library), "--html", str(page), "--map", method]
        began = time.perf_counter()
        _python("-m", "organizer", *typed, "--labels", "folders")
        return time.perf_counter() - began, page.stat().st_size


def _inside(folder: str, what: str) -> None:
    """Do one thing in this process and print seconds and peak memory."""
    began = time.perf_counter()
    with Library.open(Path(folder), load_settings()) as library:
        if what == "report":
            library.reports.write(html=Path(folder) / "report.html", map_method="none")
        else:
            exporter, _, vectors = what.partition("+")
            choice = ExportOptions(vectors=bool(vectors))
            to = Path(folder) / f"{what}.{exporter}"
            library.exports.write(exporter, to, choice)
    seconds = time.perf_counter() - began
    print(f"{seconds:.1f} {_peak():.3f}")


def _peak() -> float:
    """The peak memory of this process in GiB; getrusage would include its parent's."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    held = next(line for line in lines if line.startswith("VmHWM"))
    return int(held.split()[1]) / 1024**2


def _fill(folder: Path, size: int, dim: int, k: int) -> None:
    draw = np.random.default_rng(1)
    with Library.open_or_create(folder, load_settings()) as library:
        photos = library.store.photos
        root = library.store.roots.root_for(folder)
        for start in range(0, size, _BLOCK):
            numbers = np.arange(start, min(start + _BLOCK, size))
            ids = ids_of(numbers)
            vectors = mixture(len(numbers), dim, k, seed=start + 1)
            append(library, ids, vectors)
            light = draw.uniform(size=(len(ids), 2)).tolist()
            photos.add_images(
                [
                    _facts(i, n, *pair)
                    for i, n, pair in zip(ids, numbers.tolist(), light, strict=True)
                ]
            )
            files = [
                ProcessedFile(ImageRef(folder, f"{n}.jpg", 1, 1), i)
                for i, n in zip(ids, numbers.tolist(), strict=True)
            ]
            photos.add_files(files, {folder: root.root_id}, known={})
        library.recluster(k=k)


def _facts(image_id: str, number: int, brightness: float, chroma: float) -> ImageFacts:
    taken = np.datetime64("2026-01-01T00:00:00") + np.timedelta64(number * _SECONDS, "s")
    camera = f"Camera {number % _CAMERAS}"
    return ImageFacts(image_id, 1, 8, 8, "JPEG", str(taken), camera, None, None, brightness, chroma)


def _python(*typed: str) -> str:
    ran = subprocess.run([sys.executable, *typed], check=True, capture_output=True, text=True)
    return ran.stdout


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--library", type=Path)
    parser.add_argument("--map", nargs="+", default=["tsne"])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--folder", type=Path, default=None, help="where the library is made")
    parser.add_argument("--inside", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
