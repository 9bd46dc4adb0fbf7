"""The time to read the capture information of 100,000 photos.

    python -m benchmarks.deployments

A library of 100,000 images in 200 folders is made without pictures. Timed is what a report, an
export or a recluster needs: cameras, corrected times, bursts and events; without deployments, and
with a template and shifted clocks. The limit is the read of the two tables that it needs. Rounds
are interleaved; medians of processor seconds are printed.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from organizer.library.images.capture import read_capture_info
from organizer.library.images.placement import TEMPLATE_CHOICE
from organizer.settings import Settings
from organizer.store import Store
from organizer.types import Deployment, ImageFacts, ImageRef, ProcessedFile

_IMAGES = 100_000
_ROUNDS = 7
_BEGAN = datetime(2024, 5, 1)  # noqa: DTZ001 - cameras know no zones


def main() -> None:
    """Measure and print."""
    settings = Settings()
    with tempfile.TemporaryDirectory() as folder:
        plain, shifted = (
            library_without_pictures(Path(folder) / name) for name in ("plain", "shifted")
        )
        shifted.choices.set(TEMPLATE_CHOICE, "{site}/{camera}/...")
        shifted.deployments.write(Deployment(f"site{i}/cam{i % 10}", shift=3600) for i in range(10))
        ways: dict[str, Callable[[], object]] = {
            "read the tables of images and files": lambda: _read(shifted),
            "contexts, without a deployment": lambda: read_capture_info(plain, settings=settings),
            "contexts, 20 deployments, 10 shifted": lambda: read_capture_info(
                shifted, settings=settings
            ),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(_ROUNDS + 1):
            for name, way in ways.items():
                start = time.process_time()
                way()
                seconds[name].append(time.process_time() - start)
        limit = statistics.median(next(iter(seconds.values()))[1:])
        print(f"{_IMAGES:,} images with a file each")
        for name, measured in seconds.items():
            median = statistics.median(measured[1:])
            print(f"  {name:<38} {median:6.3f} s   x {median / limit:.2f}")


def _read(store: Store) -> None:
    store.photos.columns("image_id", "taken_at", "camera", "brightness", "chroma")
    store.photos.file_columns("image_id", "root_id", "path", "state")


def library_without_pictures(home: Path) -> Store:
    """Make a library of many images that are known by their facts alone."""
    photos = home / "photos"
    photos.mkdir(parents=True)
    store = Store.create(home / ".organizer")
    root = store.roots.root_for(photos)
    facts, files = [], []
    for i in range(_IMAGES):
        taken = (_BEGAN + timedelta(seconds=37 * i)).isoformat()
        size = (1, 1, 1, "JPEG", taken, "RECONYX PC900", None, None, 0.5, 0.1)
        facts.append(ImageFacts(f"{i:032x}", *size))
        path = f"site{i % 20}/cam{i % 10}/{i % 200:03}RECNX/IMG_{i}.JPG"
        files.append(ProcessedFile(ImageRef(photos, path, 1, 1), f"{i:032x}"))
    with store.writing():
        store.photos.add_images(facts)
        store.photos.add_files(files, {root.folder: root.root_id})
    return store


if __name__ == "__main__":
    main()
