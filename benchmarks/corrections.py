"""The cost of decisions in libraries of different sizes: seconds, and bytes that are written.

    python -m benchmarks.corrections --sizes 100000 1000000
    python -m benchmarks.corrections --one-by-one 1000

The rows are made through the store: vectors of a mixture, images, files. Clusters hold about ten
thousand images. In one open library each decision is made several times; the median counts. As
typed, a command includes the start of the program. One by one: so many ingests of one small
picture, then so many moves, with the time of the first and the last fifty, and the files and bytes
that are left.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from benchmarks.growth import mixture
from benchmarks.vectors import append, ids_of
from organizer.library import Library
from organizer.library.corrections.requests import MoveImages
from organizer.settings import load_settings
from organizer.store.database import Database
from organizer.store.file_index import path_id
from organizer.store.schemas import FILES, IMAGES

_ROUNDS = 5
_BATCH = 500
_ROWS = 50_000
_A_CLUSTER = 10_000


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    if arguments.one_by_one:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
            _one_by_one(Path(name), arguments.one_by_one)
        return
    print(f"{arguments.dim} dimensions, clusters of about {_A_CLUSTER:,} images, medians")
    print(f"{'images':>9}  {'what':<28} {'seconds':>9} {'kB written':>11}")
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
            _measure(Path(name), size, arguments.dim, typed=size <= arguments.typed)


def _measure(folder: Path, size: int, dim: int, *, typed: bool) -> None:
    k = max(4, size // _A_CLUSTER)
    make_library(folder, size, dim, k)
    with Library.open(folder, load_settings()) as library:
        library.recluster(k=k)
    with Library.open(folder, load_settings()) as library:
        _row(size, "first rename", *_timed(lambda: library.corrections.rename(1, "One")))
        _in_one_library(library, size)
    if typed:
        _as_typed(folder, size)


def _one_by_one(folder: Path, count: int) -> None:
    draw = np.random.default_rng(0)
    files = [folder / "photos" / f"{number}.png" for number in range(count + 60)]
    files[0].parent.mkdir()
    for number, file in enumerate(files):
        colour = np.eye(3)[number % 3] * 190 + 30
        pixels = np.clip(colour + draw.normal(0, 9, (16, 16, 3)), 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(file)
    with Library.open_or_create(folder, load_settings()) as library:
        library.ingest(files[:60], embedder="raw")
        library.recluster(k=3)
        ids = [cluster.id for cluster in library.clusters]
        later = files[60:]
        ingests = [_timed(partial(library.ingest, [file]))[0] for file in later]
        _print_one_by_one(folder, "ingests", ingests)
        goals = [ids[number % 3] for number in range(1, len(later) + 1)]
        moves = [
            _timed(partial(library.corrections.move, file, goal))[0]
            for file, goal in zip(later, goals, strict=True)
        ]
        _print_one_by_one(folder, "moves", moves)


def _print_one_by_one(folder: Path, what: str, seconds: list[float]) -> None:
    first, last = np.median(seconds[:50]), np.median(seconds[-50:])
    files = [file for file in (folder / ".organizer").rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    print(
        f"{len(seconds):,} {what}: first {first * 1000:.1f} ms, last {last * 1000:.1f} ms; "
        f"{len(files)} files, {size / 1000:,.0f} kB",
        flush=True,
    )


def _in_one_library(library: Library, size: int) -> None:
    corrections = library.corrections
    sizes = {cluster.id: cluster.size for cluster in library.clusters}
    goal, other, third = sorted(sizes, key=lambda i: -sizes[i])[:3]
    of_goal = {m.image_id for m in library.clusters.members(goal)}
    outside = iter(i for i in ids_of(np.arange(size)) if i not in of_goal)
    draw = iter(range(10**6))
    _repeated(size, "move one", lambda: corrections.move(next(outside), goal))
    _repeated(size, "undo", corrections.undo)
    _repeated(size, "redo", corrections.redo)
    inside = iter([m.image_id for m in library.clusters.members(other)])
    _repeated(size, "exclude one", lambda: corrections.exclude(next(inside), other))
    _repeated(size, "rename", lambda: corrections.rename(other, f"Name {next(draw)}"))
    _repeated(
        size,
        f"batch of {_BATCH} moves",
        lambda: corrections.apply([MoveImages(next(outside), goal) for _ in range(_BATCH)]),
    )
    _row(size, "undo of a batch", *_timed(corrections.undo))
    _row(size, "redo of a batch", *_timed(corrections.redo))
    both = f"merge {sizes[other]:,} and {sizes[third]:,}"
    _row(size, both, *_timed(lambda: corrections.merge([other, third])))
    _row(size, "undo of the merge", *_timed(corrections.undo))
    _row(size, "redo of the merge", *_timed(corrections.redo))
    _repeated(size, "move one into the merged", lambda: corrections.move(next(outside), other))
    _row(size, "split", *_timed(lambda: corrections.split(goal, k=2)))


def _as_typed(folder: Path, size: int) -> None:
    image = ids_of(np.arange(1))[0]
    with Library.open(folder, load_settings()) as library:
        one, other = sorted(cluster.id for cluster in library.clusters)[-2:]
    for words in (
        ["clusters", "rename", f"{one}", "Typed"],
        ["clusters", "move", image, "--to", f"{one}"],
        ["clusters", "show", f"{one}"],
        ["clusters", "merge", f"{one}", f"{other}"],
        ["undo"],
        ["redo"],
    ):
        command = [sys.executable, "-m", "organizer", *words, "--library", str(folder)]

        def run(command: list[str] = command) -> None:
            subprocess.run(command, check=True, capture_output=True, timeout=600)

        _row(size, f"typed: {' '.join(words)[:20]}", *_timed(run))


def _repeated(size: int, what: str, work: Callable[[], object]) -> None:
    measured = [_timed(work) for _ in range(_ROUNDS)]
    seconds, written = (float(np.median(part)) for part in zip(*measured, strict=True))
    _row(size, what, seconds, written)


def _row(size: int, what: str, seconds: float, written: float) -> None:
    print(f"{size:>9,}  {what:<28} {seconds:>9.3f} {written / 1000:>11,.1f}", flush=True)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """The seconds of some work, and the bytes that it wrote."""
    before = _written()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began, _written() - before


def _written() -> int:
    """The bytes that this process and its ended children have written so far (Linux)."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


def make_library(folder: Path, size: int, dim: int, k: int) -> None:
    """A library of vectors, images and files; there are no photos."""
    with Library.open_or_create(folder, load_settings()) as library:
        root = library.store.roots.add(folder).root_id
        for start in range(0, size, _ROWS):
            numbers = np.arange(start, min(start + _ROWS, size))
            ids = ids_of(numbers)
            append(library, ids, mixture(len(ids), dim, k, seed=start + 1))
            _add_rows(Database(library.store.path), ids, root)
        library.store.tidy()


def _add_rows(database: Database, ids: list[str], root: int) -> None:
    n = len(ids)
    images = {
        name: pa.nulls(n, kind) for name, kind in zip(IMAGES.names, IMAGES.types, strict=True)
    }
    images |= {"image_id": pa.array(ids), "bytes": pa.array([1] * n, pa.int64())}
    images |= {name: pa.array([8] * n, pa.int32()) for name in ("width", "height")}
    images |= {"format": pa.array(["PNG"] * n), "extra": pa.array([""] * n)}
    images |= {"picture_hash": pa.array(ids), "file_hash": pa.array(ids), "view": ["1"] * n}
    paths = [f"{image_id}.png" for image_id in ids]
    files = {
        "path_id": [path_id(root, path) for path in paths],
        "root_id": pa.array([root] * n, pa.int32()),
        "path": paths,
        "image_id": ids,
        "size": [1] * n,
        "mtime_ns": [1] * n,
        "state": ["present"] * n,
        "file_hash": ids,
    }
    with database.transaction():
        database.append("images", pa.table(images, schema=IMAGES))
        database.append("files", pa.table(files, schema=FILES))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--one-by-one", type=int, default=0, help="ingests and moves, one by one")
    parser.add_argument("--typed", type=int, default=100_000, help="up to which size to type")
    parser.add_argument("--folder", type=Path, default=None, help="where the libraries are made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
