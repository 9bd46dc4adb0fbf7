"""The cost of adding images to libraries of different sizes, and of reclustering a large one.

    python -m benchmarks.growth --sizes 10000 100000 1000000 --dim 512 --k 100

For each size: a library of vectors of a mixture is clustered; then 2,000 images of the same mixture
are assigned, timed without and with the write and the search for novel clusters. For the largest
size the peak memory of the recluster, in a process of its own, and its time.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.vectors import append, ids_of
from organizer.library import Library
from organizer.library.ingest.assign import Assigner
from organizer.settings import load_settings
from organizer.types import Vectors

_CARD, _CARDS = 2_000, 3


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    if arguments.recluster:
        _recluster(arguments.recluster, arguments.k)
        return
    print(f"a card of {_CARD:,} images, {arguments.dim} dimensions, k = {arguments.k}")
    print(f"{'images':>9} {'join s':>8} {'finish s':>9} {'recluster s':>12} {'peak GiB':>9}")
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
            _measure(Path(name), size, arguments.dim, arguments.k)


def _measure(folder: Path, size: int, dim: int, k: int) -> None:
    with Library.open_or_create(folder, load_settings()) as library:
        for start in range(0, size, 50_000):
            numbers = np.arange(start, min(start + 50_000, size))
            append(library, ids_of(numbers), mixture(len(numbers), dim, k, seed=start + 1))
    command = [sys.executable, "-m", "benchmarks.growth", "--recluster", str(folder)]
    ran = subprocess.run(
        [*command, "--k", str(k)], check=True, capture_output=True, text=True, timeout=7_200
    )
    seconds, peak = map(float, ran.stdout.split()[-2:])
    joins, finishes = [], []
    with Library.open(folder, load_settings()) as library:
        for card in range(_CARDS):
            ids = ids_of(np.arange(size + card * _CARD, size + (card + 1) * _CARD))
            vectors = mixture(_CARD, dim, k, seed=10**6 + card)
            current = library.store.clusterings.current()
            assert current is not None
            began = time.perf_counter()
            assigner = Assigner.open(library.store, current, seed=0)
            assigner.assign(ids, vectors)
            joined = time.perf_counter()
            append(library, ids, vectors)
            appended = time.perf_counter()
            assigner.finish()
            joins.append(joined - began)
            finishes.append(time.perf_counter() - appended)
    print(
        f"{size:>9,} {np.median(joins):>8.2f} {np.median(finishes):>9.2f} {seconds:>12.1f} "
        f"{peak:>9.2f}",
        flush=True,
    )


def _recluster(folder: Path, k: int) -> None:
    began = time.perf_counter()
    with Library.open(folder, load_settings()) as library:
        report = library.recluster(k=k)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(report.algorithm, file=sys.stderr)
    print(f"{seconds:.1f} {peak:.3f}")


def mixture(n: int, dim: int, k: int, *, seed: int) -> Vectors:
    """Overlapping groups of different sizes and widths, along some directions more than others."""
    fixed = np.random.default_rng(0)
    centres = fixed.normal(size=(k, dim)).astype(np.float32)
    shares = fixed.dirichlet(np.full(k, 2.0))
    scales = (1 / np.sqrt(1 + np.arange(dim) / 16)).astype(np.float32)
    draw = np.random.default_rng(seed)
    which = draw.choice(k, n, p=shares)
    noise = draw.normal(size=(n, dim)).astype(np.float32) * scales * 2
    return np.asarray(centres[which] + noise, dtype=np.float32)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--folder", type=Path, default=None, help="where the libraries are made")
    parser.add_argument("--recluster", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
