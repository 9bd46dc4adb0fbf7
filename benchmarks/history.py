"""What a long history costs: files, bytes and seconds after many ingests, renames and reclusters.

    python -m benchmarks.history --rounds 1000

A round is an ingest of one new photo, a rename and a recluster, in one library of a few photos.
Where files and bytes follow the data, their number at the end is about that of the beginning; the
seconds, of the processor, are medians of the last ten rounds, or of as many as there were.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image

from organizer.library import Library
from organizer.settings import load_settings

_FIRST = 60
_K = 4
_LAST = 10
_EMBEDDER = "hsv"


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    print(f"{_FIRST} photos at first, one more each round, k = {_K}, {_EMBEDDER}")
    print(
        f"{'rounds':>7} {'images':>7} {'files':>7} {'MB':>7} {'journal MB':>11} "
        f"{'ingest s':>9} {'rename s':>9} {'recluster s':>12}"
    )
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        _measure(Path(name), arguments.rounds, set(arguments.shown))


def _measure(folder: Path, rounds: int, shown: set[int]) -> None:
    photos = folder / "photos"
    photos.mkdir()
    for number in range(_FIRST):
        _make_photo(photos, number)
    seconds: dict[str, list[float]] = defaultdict(list)
    with Library.open_or_create(folder, load_settings()) as library:
        library.ingest([photos], embedder=_EMBEDDER)
        library.recluster(k=_K)
        for number in range(1, rounds + 1):
            _make_photo(photos, _FIRST + number)
            began = time.process_time()
            library.ingest([photos])
            ingested = time.process_time()
            next(iter(library.clusters)).rename(f"Name {number}")
            renamed = time.process_time()
            library.recluster(k=_K)
            seconds["ingest"].append(ingested - began)
            seconds["rename"].append(renamed - ingested)
            seconds["recluster"].append(time.process_time() - renamed)
            if number in shown or number == rounds:
                _print(library, number, seconds)


def _print(library: Library, number: int, seconds: dict[str, list[float]]) -> None:
    sizes = [file.stat().st_size for file in library.store.path.rglob("*") if file.is_file()]
    journal = sum(file.stat().st_size for file in library.store.path.glob("*.sqlite*"))
    ingest, rename, recluster = (np.median(all_[-_LAST:]) for all_ in seconds.values())
    print(
        f"{number:>7,} {library.status().images:>7,} {len(sizes):>7,} {sum(sizes) / 1e6:>7.2f} "
        f"{journal / 1e6:>11.2f} {ingest:>9.3f} {rename:>9.3f} {recluster:>12.3f}",
        flush=True,
    )


def _make_photo(folder: Path, number: int) -> None:
    """A small photo around one of four colours, which no other number gives."""
    draw = np.random.default_rng(number)
    base = np.array([(200, 60, 60), (60, 200, 60), (60, 60, 200), (200, 200, 60)][number % 4])
    pixels = np.clip(base + draw.normal(0, 25, (36, 48, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(folder / f"{number:05}.jpg", quality=90)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--shown", type=int, nargs="+", default=[1, 10, 30, 100, 300, 1_000])
    parser.add_argument("--folder", type=Path, default=None, help="where the library is made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
