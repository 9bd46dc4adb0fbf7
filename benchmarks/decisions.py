"""How long one waits for a decision, and for the clusters after it, in a program that stays open.

    python -m benchmarks.decisions --images 100000 --clusters 60

The rows are made through the store, as in `benchmarks.corrections`. One open library makes fifty
decisions of each kind through ``library.corrections.apply``, as a service does for several people;
after each, another thread reads what a page shows: the clusters with sizes, names and examples.
Milliseconds by the clock: the median, 95 of 100, and the longest; and the median of the processor's
time, which other programs on the machine do not lengthen.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.corrections import make_library
from benchmarks.vectors import ids_of
from organizer.library import Library
from organizer.library.corrections.requests import (
    DecisionRequest,
    ExcludeImages,
    MakeCluster,
    MergeClusters,
    MoveImages,
    PinCluster,
    RenameCluster,
)
from organizer.settings import load_settings

_ROUNDS = 50
_SELECTED = 24

Times = list[tuple[float, float]]
"""Seconds by the clock and of the processor."""


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        make_library(folder, arguments.images, arguments.dim, arguments.clusters)
        with Library.open(folder, load_settings()) as library:
            library.recluster(k=arguments.clusters)
        print(
            f"{arguments.images:,} images, {arguments.clusters} clusters, {arguments.dim} "
            f"dimensions; {_ROUNDS} of each, ms"
        )
        print(f"{'':<32} {'median':>8} {'p95':>8} {'longest':>8} {'cpu':>8}")
        with Library.open(folder, load_settings()) as library, ThreadPoolExecutor(1) as reader:
            library.defer_upkeep()
            _measure(library, partial(_read, reader, library))


def _measure(library: Library, read: Callable[[], object]) -> None:
    _row("first read", [_timed(read)])
    sizes = {cluster.id: cluster.size for cluster in library.clusters}
    large = sorted(sizes, key=lambda i: -sizes[i])
    apply = library.corrections.apply
    images = _images_in_turn(sum(sizes.values()))
    held = {i: [m.image_id for m in library.clusters.members(i)] for i in large[:5]}
    _row("first decision", [_timed(lambda: apply([MoveImages(next(images), large[0])]))])

    def repeated(what: str, make: Callable[[int], list[DecisionRequest]]) -> None:
        requests = [make(number) for number in range(_ROUNDS)]
        _rows(what, [partial(apply, request) for request in requests], read)

    def some(count: int) -> list[str]:
        return [next(images) for _ in range(count)]

    repeated("rename", lambda n: [RenameCluster(large[n % 20], f"Name {n}")])
    repeated("pin", lambda n: [PinCluster(large[n % 20])])
    repeated("move 1", lambda n: [MoveImages(some(1), large[n % 7])])
    _rows("undo of these", [library.undo] * _ROUNDS, read)
    _rows("redo of these", [library.redo] * _ROUNDS, read)
    repeated(f"move {_SELECTED}", lambda n: [MoveImages(some(_SELECTED), large[n % 7])])
    repeated(
        f"{_SELECTED} moves at once",
        lambda n: [MoveImages(image, large[n % 7]) for image in some(_SELECTED)],
    )
    repeated("exclude 1", lambda n: [ExcludeImages(held[large[n % 5]].pop(), large[n % 5])])
    repeated("make a cluster of 10", lambda _: [MakeCluster(some(10))])
    _rows("undo of these", [library.undo] * _ROUNDS, read)
    merged = iter(large[8:])
    count = min(_ROUNDS, len(large) - 8)
    merges = [[MergeClusters([large[n % 8], next(merged)])] for n in range(count)]
    _rows("merge two", [partial(apply, request) for request in merges], read)
    _rows("undo of these", [library.undo] * count, read)
    _row("upkeep that waited", [_timed(library.tidy)])
    _row("decision after it", [_timed(lambda: apply([MoveImages(next(images), large[0])]))])


def _images_in_turn(count: int) -> Iterator[str]:
    return iter(ids_of(np.random.default_rng(0).permutation(count)))


def _read(reader: ThreadPoolExecutor, library: Library) -> object:
    return reader.submit(library.clusters.summaries).result()


def _rows(what: str, work: list[Callable[[], object]], read: Callable[[], object]) -> None:
    decided: Times = []
    shown: Times = []
    for one in work:
        decided.append(_timed(one))
        shown.append(_timed(read))
    _row(what, decided)
    _row("  the clusters after it", shown)


def _row(what: str, times: Times) -> None:
    clock, cpu = np.array(times).T * 1000
    shown = (np.median(clock), np.percentile(clock, 95), clock.max(), np.median(cpu))
    print(f"{what:<32} " + " ".join(f"{value:>8.1f}" for value in shown), flush=True)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--clusters", type=int, default=60)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--folder", type=Path, default=None, help="where the library is made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
