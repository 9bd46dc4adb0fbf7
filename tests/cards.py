"""Libraries that hold vectors without photos: cards that come, and what became of the clusters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.incremental import unit
from organizer.library import Library
from organizer.library.joining import Finished, Joiner
from organizer.settings import Settings
from organizer.types import Assignments, EmbeddingBatch, PartSpec, Vectors

SPEC = PartSpec("painter")


def id_of(number: int) -> str:
    return hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()


def ids_of(numbers: Iterable[int]) -> list[str]:
    return [id_of(number) for number in numbers]


def blobs(
    sizes: Sequence[int], *, dim: int = 16, scale: float = 0.08, seed: int = 0, first: int = 0
) -> Vectors:
    """Groups around the axes from `first` on, one after the other."""
    draw = np.random.default_rng(seed)
    centres = np.eye(dim, dtype=np.float32)[first : first + len(sizes)]
    noise = draw.normal(0, scale, (sum(sizes), dim))
    return unit((np.repeat(centres, sizes, axis=0) + noise).astype(np.float32))


def library_at(folder: Path, **settings: int) -> Library:
    return Library.open_or_create(folder, Settings(**settings))  # type: ignore[arg-type]


def fill(library: Library, ids: Sequence[str], vectors: Vectors) -> None:
    library.store.vectors.append(SPEC, EmbeddingBatch(tuple(ids), vectors))


def ingest(
    library: Library, ids: Sequence[str], vectors: Vectors, *, batch: int | None = None
) -> tuple[Assignments, Finished]:
    """What an ingest does with the vectors of new images."""
    current = library.store.clusterings.current()
    assert current is not None
    joiner = Joiner(library.store, current, seed=library.settings.seed)
    size = batch or max(len(ids), 1)
    parts = []
    for start in range(0, len(ids), size):
        part = slice(start, start + size)
        fill(library, ids[part], vectors[part])
        parts.append(joiner.join(ids[part], vectors[part]))
    return Assignments.joined(parts), joiner.finish()


def members(library: Library) -> Assignments:
    current = library.store.clusterings.current()
    assert current is not None
    found = library.store.clusterings.assignments(current.clustering_id)
    return found.take(np.argsort(found.image_ids))


def where(library: Library) -> dict[str, int]:
    found = members(library)
    assert len(set(found.image_ids)) == len(found)
    return dict(zip(found.image_ids.tolist(), found.cluster_ids.tolist(), strict=True))


def cluster_of(library: Library, ids: Iterable[str]) -> int:
    """The one cluster that holds all of some images."""
    at = where(library)
    held = {at[image_id] for image_id in ids}
    assert len(held) == 1, held
    return held.pop()


def truth_of(sizes: Sequence[int]) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(sizes)), sizes)
