"""What it costs that files are decoded in processes that may be killed.

    python -m benchmarks.workers --embedder efficientnet_lite2_int8 --photos 300 --rounds 5

The same executor on the same files, by turns with worker processes and with the same work done on
threads of one process, where a crash of a decoder ends the run. Prints images a second and core
seconds an image, both medians, and the median of the ratios of each pair; and once what twelve
photos take, with the start of the processes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

from benchmarks.photos import photos
from organizer import execute
from organizer.discover import Walk
from organizer.library.embedders import load_embedder
from organizer.protocols import LoadedEmbedder
from organizer.reading import FileReader
from organizer.settings import available_cores, load_settings
from organizer.types import ImageRef, PartSpec


class Threads:
    """In place of a pool of workers: the work is done where it is asked for."""

    def __init__(self, served: str, most: int) -> None:
        del served, most
        self._reader = FileReader()

    def __enter__(self) -> Self:
        """Nothing to start."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""

    def start(self, count: int) -> None:
        """Nothing to start."""

    def close(self) -> None:
        """Nothing to end."""

    def attempt(self, job: Callable[[Any], Any], *, size: int) -> Any:
        """See `WorkerPool.attempt`."""
        del size

        def call(method: str, *arguments: Any) -> Generator[Any, Any, Any]:
            steps: Generator[Any, Any, Any] = getattr(self._reader, method)(*arguments)
            return steps

        return job(call)


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    loaded = load_embedder(PartSpec(arguments.embedder), load_settings())
    with tempfile.TemporaryDirectory() as folder:
        made = photos(Path(folder) / "photos", arguments.photos, arguments.megapixels)
        refs = list(Walk(made, made))
        rounds = [_pair(loaded, refs) for _ in range(arguments.rounds + 1)][1:]
        few = [_pair(loaded, refs[:12], whole=True) for _ in range(arguments.rounds)]
    print(
        f"{arguments.embedder}, {arguments.photos} photos of {arguments.megapixels:g} megapixels,"
    )
    print(f"{available_cores()} cores, load {os.getloadavg()[0]:.1f}")
    for place, name in enumerate(("processes", "threads")):
        rate = statistics.median(1 / pair[place][0] for pair in rounds)
        core = statistics.median(1e3 * pair[place][1] for pair in rounds)
        print(f"{name:>10} {rate:7.1f} images/s {core:6.2f} core ms an image")
    for place, what in enumerate(("images/s", "images a core second")):
        ratios = sorted(threads[place] / workers[place] for workers, threads in rounds)
        middle = statistics.median(ratios)
        print(f"processes / threads, {what}: {middle:.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})")
    more = statistics.median(12 * (workers[0] - threads[0]) for workers, threads in few)
    print(f"twelve photos, with the start of the processes: {more:+.2f} s")


def _pair(
    loaded: LoadedEmbedder, refs: list[ImageRef], *, whole: bool = False
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Wall and core seconds an image, with processes and with threads."""
    workers = _seconds(loaded, refs, whole=whole)
    with patch.object(execute, "WorkerPool", Threads):
        threads = _seconds(loaded, refs, whole=whole)
    return workers, threads


def _seconds(loaded: LoadedEmbedder, refs: list[ImageRef], *, whole: bool) -> tuple[float, float]:
    """From the first batch to the last, unless whole: processes start but once in a long run."""
    done, before, begun = 0, _times(), time.perf_counter()
    for number, batch in enumerate(
        execute.ThreadedExecutor().run(refs, loaded, find=lambda _: None)
    ):
        wall, core = time.perf_counter() - begun, _times() - before
        done += len(batch.files)
        if number == 0 and not whole:
            done, before, begun = 0, _times(), time.perf_counter()
    return wall / done, core / done


def _times() -> float:
    """Core seconds of this process and its children, those that still run included; on Linux."""
    ticks = 0
    for listed in Path("/proc/self/task").glob("*/children"):
        for pid in listed.read_text().split():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return sum(os.times()[:4]) + ticks / os.sysconf("SC_CLK_TCK")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--embedder", default="efficientnet_lite2")
    parser.add_argument("--megapixels", type=float, default=3.0)
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
