"""Vectors for benchmarks: of labelled photos, and a library of vectors without images."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer.library import Library
from organizer.library.ingest.assign import Assigner, AssignmentSummary
from organizer.settings import load_settings
from organizer.types import Assignments, EmbeddingBatch, PartSpec, Vectors

SPEC = PartSpec("benchmark")


def of_photos(folders: Sequence[Path], embedder: str) -> tuple[Vectors, NDArray[np.str_]]:
    """The vectors of photos and their classes, ``SET/FOLDER``, without exact copies."""
    vectors, labels = [], []
    for folder in folders:
        with tempfile.TemporaryDirectory() as name:
            with Library.open_or_create(Path(name), load_settings()) as library:
                report = library.ingest([folder], embedder=embedder)
                ids, found = library.store.vectors.read(report.embedder)
                files = library.store.photos.files_of()
            vectors.append(found)
            labels += [f"{folder.name}/{files[i][0].file.parent.name}" for i in ids]
    return np.concatenate(vectors), np.array(labels)


def ids_of(numbers: NDArray[np.int64]) -> list[str]:
    """An image id for each number."""
    return [hashlib.blake2b(str(n).encode(), digest_size=16).hexdigest() for n in numbers.tolist()]


def append(library: Library, ids: Sequence[str], vectors: Vectors) -> None:
    """Write vectors to a library, as an ingest does."""
    for start in range(0, len(ids), 50_000):
        part = slice(start, start + 50_000)
        library.store.vectors.append(SPEC, EmbeddingBatch(tuple(ids[part]), vectors[part]))


def join(
    library: Library, ids: Sequence[str], vectors: Vectors
) -> tuple[Assignments, AssignmentSummary]:
    """Assign new images to the clusters, as an ingest does."""
    current = library.store.clusterings.current()
    assert current is not None
    assigner = Assigner.open(library.store, current, seed=library.settings.seed)
    append(library, ids, vectors)
    joined = assigner.assign(ids, vectors)
    return joined, assigner.finish()
