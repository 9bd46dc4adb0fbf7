"""The vectors of several embedders side by side: joined from those that are stored."""

from __future__ import annotations

import numpy as np

from organizer import registry
from organizer.cluster.incremental import unit_rows
from organizer.library.embedders.choose import stored_spec
from organizer.library.embedders.describe import describe_embedder
from organizer.settings import Settings
from organizer.store import Store
from organizer.types import EmbeddingBatch, PartSpec

_ROWS_AT_ONCE = 8_192


def join_vectors(store: Store, name: str) -> int:
    """Join the stored vectors of the embedders that A+B names, as if A+B had embedded the photos.

    The caller holds the library for writing, in a transaction.

    Returns:
        The number of images whose vectors were joined; 0 where the name is not one of several
        embedders, or not all of them have vectors here.
    """
    parts = _stored_parts(store, name)
    if len(parts) < 2:
        return 0
    joined = _joined_spec(parts)
    known = [store.vectors.ids(part) for part in parts]
    have = store.vectors.ids(joined)
    first = store.vectors.stream(parts[0], rows=_ROWS_AT_ONCE)
    count = 0
    for ids, vectors in first:
        rows = [
            row
            for row, image_id in enumerate(ids.tolist())
            if image_id not in have and all(image_id in other for other in known[1:])
        ]
        chosen = ids[rows].tolist()
        others = [store.vectors.read_rows(part, chosen) for part in parts[1:]]
        columns = [unit_rows(each) for each in (vectors[rows], *others)]
        store.vectors.append(joined, EmbeddingBatch(tuple(chosen), np.concatenate(columns, axis=1)))
        count += len(chosen)
    return count


def part_lengths(store: Store, spec: PartSpec, settings: Settings) -> list[int]:
    """The lengths of the vectors of the networks that a spec joins; [] where it joins none.

    Handcrafted features are left as they are: of `hog+hsv` one would drown the other.
    """
    names = registry.joined_names(spec.name)
    if len(names) < 2 or not all(spec.version.split("+")):
        return []
    stored = _stored_parts(store, spec.name)
    if stored:
        lengths = [store.vectors.dim(part) for part in stored]
    else:
        lengths = [describe_embedder(name, settings).dim for name in names]
    return lengths if sum(lengths) == store.vectors.dim(spec) and all(lengths) else []


def _stored_parts(store: Store, name: str) -> list[PartSpec]:
    """The specs of the parts of a name, where all of them have vectors; [] otherwise."""
    names = registry.joined_names(name)
    if len(names) < 2:
        return []
    parts = [stored_spec(store, part) for part in names]
    return parts if all(store.vectors.count(part) for part in parts) else []


def _joined_spec(parts: list[PartSpec]) -> PartSpec:
    """As `organizer.embed.combined` names it."""
    return PartSpec(
        "+".join(part.name for part in parts), version="+".join(part.version for part in parts)
    )
