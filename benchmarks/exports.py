"""The time and the memory of tables of 100,000 photos: CSV, the Excel workbook, counts.

    python -m benchmarks.exports

The library of `benchmarks.deployments`, 100,000 images without pictures, has 20 sites. Each table
is written in a process of its own, of which the processor seconds and the peak memory (resident)
are printed.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.deployments import library_without_pictures
from organizer.library import Library
from organizer.library.exports import ExportOptions
from organizer.library.images.placement import TEMPLATE_CHOICE

_MIB = 1024
"""Kibibytes."""

_ALL = ExportOptions(include_missing=True)

WAYS: dict[str, Callable[[Library, Path], object]] = {
    "open the library": lambda _library, _to: None,
    "export csv": lambda library, to: library.exports.write("csv", to / "a.csv", _ALL),
    "export xlsx": lambda library, to: library.exports.write("xlsx", to / "a.xlsx", _ALL),
    "counts by site and month": lambda library, _to: library.sightings.counts(["site", "month"]),
    "events": lambda library, _to: library.sightings.events(),
}
"""What is measured, by what it is called."""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        store = library_without_pictures(Path(folder))
        with store.writing():
            store.roots.write_pending()
            store.choices.set(TEMPLATE_CHOICE, "{site}/...")
        started = multiprocessing.get_context("spawn")
        for name in WAYS:
            process = started.Process(target=_measure, args=(name, Path(folder)))
            process.start()
            process.join()


def _measure(name: str, home: Path) -> None:
    with Library.open(home) as library:
        begun = time.process_time()
        WAYS[name](library, home)
        seconds = time.process_time() - begun
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / _MIB
    print(f"{name:<26} {seconds:6.1f} s  {peak:6.0f} MiB")


if __name__ == "__main__":
    main()
