"""How quick a search is in a large library, and how many of the nearest images it finds.

    python -m benchmarks.search --photos FOLDER ... --images 100000

The vectors of the photos in some folders are enlarged to as many as wanted: each further one lies
between a photo and one of its nearest, with a part of another pair's difference for noise. Every
sixth class is held out, and asked for.

Recall is that of the ten nearest, against a comparison with all vectors, for images of the library,
photos of classes that it does not hold, likes less unlikes, and random vectors, positive ones and
any: nothing that an embedder gives is as far off as these. Times are those of
``library.search(image_id)``, of one thread and of several, alone and while another thread ingests;
the processor's time for a search, of all cores, includes that of the ingest.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.vectors import ids_of, of_photos
from organizer.cluster.incremental import unit_rows
from organizer.library import Library
from organizer.library.embedders import load_embedder
from organizer.settings import load_settings
from organizer.types import (
    EmbeddingBatch,
    ImageFacts,
    ImageRef,
    PartSpec,
    ProcessedFile,
    Vectors,
)

_AT_ONCE = 8_192
_NEAREST, _NOISE = 12, 0.25
_ASKED, _LIMIT = 100, 10
_SECONDS = 12.0
_CARD = 6_000
_EMBEDDER = "efficientnet_lite2"


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    photos, labels = of_photos(arguments.photos, _EMBEDDER)
    names = np.unique(labels)
    is_held = np.isin(labels, names[::6])
    draw = np.random.default_rng(0)
    vectors = enlarged(photos[~is_held], arguments.images, draw)
    queries = _queries(vectors, photos[~is_held], photos[is_held], draw)
    print(
        f"{len(photos):,} photos of {len(names)} classes, {len(vectors):,} vectors of "
        f"{vectors.shape[1]} dimensions"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Library.open_or_create(folder, load_settings()) as library:
            _fill(library, folder, vectors)
            _recall(library, vectors, queries)
            _times(library, folder, len(vectors))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    held = vectors.nbytes / 1024**3
    print(f"peak memory {peak:.2f} GiB; {held:.2f} of them are the vectors to compare with")


def enlarged(photos: Vectors, images: int, draw: np.random.Generator) -> NDArray[np.float16]:
    """``(images, dim)``: the vectors of photos, and others between neighbours."""
    unit = unit_rows(photos)
    near = np.empty((len(photos), _NEAREST), dtype=np.int64)
    for start in range(0, len(photos), _AT_ONCE):
        cosines = unit[start : start + _AT_ONCE] @ unit.T
        near[start : start + _AT_ONCE] = np.argpartition(-cosines, _NEAREST + 1)[
            :, 1 : _NEAREST + 1
        ]
    made = np.empty((images, photos.shape[1]), dtype=np.float16)
    made[: len(photos)] = photos[:images]
    for start in range(len(photos), images, _AT_ONCE):
        n = min(_AT_ONCE, images - start)
        one, noise = draw.integers(0, len(photos), (2, n))
        other = near[one, draw.integers(0, _NEAREST, n)]
        share = draw.uniform(0.2, 0.8, (n, 1))
        between = photos[one] * share + photos[other] * (1 - share)
        made[start : start + n] = np.maximum(
            between + _NOISE * (photos[noise] - photos[near[noise, 0]]), 0
        )
    return made[draw.permutation(images)]


def _queries(
    vectors: NDArray[np.float16], photos: Vectors, held: Vectors, draw: np.random.Generator
) -> dict[str, Vectors]:
    unit = unit_rows(photos)
    any_direction = draw.normal(size=(_ASKED, vectors.shape[1])).astype(np.float32)
    likes, unlikes = draw.integers(0, len(unit), (2, _ASKED, 3))
    return {
        "images of the library": vectors[draw.choice(len(vectors), _ASKED)].astype(np.float32),
        "photos of other classes": held[draw.choice(len(held), _ASKED)],
        "three likes less three unlikes": unit[likes].mean(1) - unit[unlikes].mean(1),
        "random, positive": np.abs(any_direction),
        "random": any_direction,
    }


def _fill(library: Library, folder: Path, vectors: NDArray[np.float16]) -> None:
    """Store images, files, vectors, and a clustering, as an ingest and a recluster do."""
    store, ids = library.store, ids_of(np.arange(len(vectors)))
    with store.writing():
        root = store.roots.add(folder)
        for start in range(0, len(ids), 20_000):
            part = slice(start, start + 20_000)
            with store.transaction():
                _add(library, folder, root.root_id, ids[part], vectors[part].astype(np.float32))
        began = time.perf_counter()
        store.tidy()
        print(f"search index made in {time.perf_counter() - began:.1f} s")
    size = sum(f.stat().st_size for f in store.path.rglob("_indices/**/*") if f.is_file())
    print(f"it has {size / len(ids):.0f} bytes an image")
    library.recluster(k=50, reduce="none")


def _add(library: Library, folder: Path, root_id: int, ids: list[str], vectors: Vectors) -> None:
    store = library.store
    store.vectors.append(_spec(), EmbeddingBatch(tuple(ids), vectors))
    nothing = (None, None, None, None)
    store.photos.add_images([ImageFacts(i, 1, 640, 480, "JPEG", *nothing) for i in ids])
    refs = [ImageRef(folder, f"{i[:2]}/{i}.jpg", 1, 1) for i in ids]
    files = [ProcessedFile(ref, image_id) for ref, image_id in zip(refs, ids, strict=True)]
    store.photos.add_files(files, {folder: root_id})


def _recall(library: Library, vectors: NDArray[np.float16], queries: dict[str, Vectors]) -> None:
    ids = np.array(ids_of(np.arange(len(vectors))))
    print(f"{'':<30} {'recall at 10':>12} {'median ms':>10}")
    for name, asked in queries.items():
        hits, times = 0, []
        cosines = _cosines(vectors, asked)
        for query, row in zip(asked, cosines, strict=True):
            exact = set(ids[np.argpartition(-row, _LIMIT)[:_LIMIT]].tolist())
            began = time.perf_counter()
            found = library.store.vectors.nearest(_spec(), query, _LIMIT)
            times.append(time.perf_counter() - began)
            hits += len(exact & {image_id for image_id, _ in found})
        recall = hits / (_LIMIT * len(asked))
        print(f"{name:<30} {recall:>12.3f} {1000 * np.median(times):>10.1f}", flush=True)


def _cosines(vectors: NDArray[np.float16], queries: Vectors) -> Vectors:
    """``(queries, vectors)``: the cosine of each pair."""
    parts = [
        unit_rows(queries) @ unit_rows(vectors[start : start + _AT_ONCE].astype(np.float32)).T
        for start in range(0, len(vectors), _AT_ONCE)
    ]
    return np.concatenate(parts, axis=1)


def _times(library: Library, folder: Path, images: int) -> None:
    ids = ids_of(np.arange(images))
    library.search(ids[0])
    heads = f"{'a second':>9} {'p50 ms':>8} {'p95 ms':>8} {'CPU ms':>8}"
    print(f"{'library.search(image_id)':<44} {heads}")
    _print_times("one client, without a pause", library, ids, clients=1, pause=0.0)
    _print_times("8 clients, without a pause", library, ids, clients=8, pause=0.0)
    _print_times("8 clients, four times a second each", library, ids, clients=8, pause=0.25)
    with _ingesting(library, folder / "card") as count:
        while not count():
            time.sleep(0.2)
        name = "8 clients, four times a second each, ingest"
        _print_times(name, library, ids, clients=8, pause=0.25)
        _print_times("8 clients, without a pause, ingest", library, ids, clients=8, pause=0.0)
        began, at = time.perf_counter(), count()
        time.sleep(_SECONDS / 2)
        rate = (count() - at) / (time.perf_counter() - began)
    print(f"the ingest alone: {rate:.0f} images a second")


def _print_times(
    name: str, library: Library, ids: list[str], *, clients: int, pause: float
) -> None:
    times: list[float] = []
    until = time.perf_counter() + _SECONDS

    def ask(number: int) -> None:
        draw = np.random.default_rng(number)
        time.sleep(draw.uniform(0, pause) if pause else 0)
        while time.perf_counter() < until:
            began = time.perf_counter()
            hits = library.search(ids[draw.integers(len(ids))], limit=_LIMIT)
            times.append(time.perf_counter() - began)
            assert len(hits) == _LIMIT
            time.sleep(max(0.0, pause - times[-1]))

    used = time.process_time()
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    middle, high = 1000 * np.percentile(times, [50, 95])
    rate = len(times) / _SECONDS
    cpu = 1000 * (time.process_time() - used) / len(times)
    print(f"{name:<44} {rate:>9.0f} {middle:>8.1f} {high:>8.1f} {cpu:>8.1f}", flush=True)


@contextmanager
def _ingesting(library: Library, card: Path) -> Iterator[Callable[[], int]]:
    """Another thread ingests made-up photos; how many it has done."""
    card.mkdir()
    draw = np.random.default_rng(0)
    for number in range(_CARD):
        coarse = Image.fromarray(draw.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        coarse.resize((1024, 768)).save(card / f"{number:05}.jpg", quality=85)
    before, done = library.store.vectors.count(_spec()), threading.Event()
    thread = threading.Thread(
        target=library.ingest, args=[card], kwargs={"embedder": _EMBEDDER, "stop": done.is_set}
    )
    thread.start()
    try:
        yield lambda: library.store.vectors.count(_spec()) - before
    finally:
        done.set()
        thread.join()


@cache
def _spec() -> PartSpec:
    """The embedder with the version of its weights, as an ingest stores it."""
    return load_embedder(PartSpec(_EMBEDDER), load_settings()).spec


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="FOLDER/CLASS/photo")
    parser.add_argument("--images", type=int, default=100_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
