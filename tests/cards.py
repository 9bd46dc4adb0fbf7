"""Libraries that hold vectors without photos: new images, and what became of the clusters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.incremental import unit_rows
from organizer.library import Library
from organizer.library.corrections.editor import Editor
from organizer.library.corrections.report import DecisionReport
from organizer.library.ingest.assign import Assigner, AssignmentSummary
from organizer.settings import Settings
from organizer.types import (
    Assignments,
    EmbeddingBatch,
    ImageFacts,
    ImageRef,
    PartSpec,
    ProcessedFile,
    Vectors,
)

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
    return unit_rows((np.repeat(centres, sizes, axis=0) + noise).astype(np.float32))


def library_at(folder: Path, **settings: int) -> Library:
    return Library.open_or_create(folder, Settings(**settings))


def fill(library: Library, ids: Sequence[str], vectors: Vectors) -> None:
    """Vectors of images, and files that hold them: what has none is swept up after a failure."""
    folder = library.store.path.parent
    root = library.store.roots.root_for(folder)
    library.store.roots.write_pending()
    library.store.vectors.append(SPEC, EmbeddingBatch(tuple(ids), vectors))
    facts = [ImageFacts(i, 1, 8, 8, "PNG", None, None, None, None) for i in ids]
    library.store.photos.add_images(facts)
    refs = [ImageRef(folder, f"{image_id}.png", 1, 1) for image_id in ids]
    files = [ProcessedFile(ref, i, f) for ref, i, f in zip(refs, ids, facts, strict=True)]
    library.store.photos.add_files(files, {folder: root.root_id})


def ingest(
    library: Library, ids: Sequence[str], vectors: Vectors, *, batch: int | None = None
) -> tuple[Assignments, AssignmentSummary]:
    """What an ingest does with the vectors of new images."""
    current = library.store.clusterings.current()
    assert current is not None
    assigner = Assigner.open(library.store, current, seed=library.settings.seed)
    size = batch or max(len(ids), 1)
    parts = []
    for start in range(0, len(ids), size):
        part = slice(start, start + size)
        fill(library, ids[part], vectors[part])
        parts.append(assigner.assign(ids[part], vectors[part]))
    return Assignments.joined(parts) if parts else Assignments.empty(), assigner.finish()


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


def decide(library: Library, decision: Callable[[Editor], object]) -> DecisionReport:
    """Make a decision about images by their ids, also of images without a file."""
    with library.store.writing():
        editor = Editor.open(library.store, settings=library.settings)
        decision(editor)
        editor.commit()
    return editor.reports[-1]
