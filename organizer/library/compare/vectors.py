"""The vectors of a comparison: which embedders can be had, their vectors, the spaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import cycle

import numpy as np

from organizer import registry
from organizer.cluster.incremental import unit_rows
from organizer.errors import SettingsError, WeightsMissingError
from organizer.library import embedders
from organizer.library.clustering.space import NO_REDUCER, ClusterSpace
from organizer.library.compare.grid import FeatureSpec
from organizer.protocols import Weighted
from organizer.settings import Settings
from organizer.store import Store
from organizer.types import PartSpec, Vectors

Ingest = Callable[[str], bool]
"""Embeds all images with the embedder of that name; False where it was stopped."""


def with_substitutes(
    store: Store, names: Iterable[str], substitutes: Sequence[str], settings: Settings
) -> dict[str, str]:
    """What to take for each embedder: itself, or a substitute where its weights cannot be had.

    Weights are looked for (and downloaded where they can be) before anything is embedded: the
    last network of a grid must not fail after an hour.

    Raises:
        WeightsMissingError: Weights are missing and there are no substitutes.
    """
    taken = cycle(substitutes)
    found = {}
    for name in dict.fromkeys(names):
        try:
            if not _is_complete(store, name):
                _require_weights(name, settings)
            found[name] = registry.canonical_name(embedders.EMBEDDERS, name)
        except WeightsMissingError as error:
            if not substitutes:
                raise WeightsMissingError(
                    error.message,
                    f"{error.hint}; or let another network stand for it: --substitute NAME",
                ) from error
            found[name] = registry.canonical_name(embedders.EMBEDDERS, next(taken))
    for name in set(found.values()):
        if not _is_complete(store, name):
            _require_weights(name, settings)
    return found


def embed_missing(store: Store, names: Iterable[str], ingest: Ingest) -> bool:
    """See that all images have the vectors of some embedders; False where it was stopped."""
    return all(_is_complete(store, name) or ingest(name) for name in dict.fromkeys(names))


def common_ids(store: Store, names: Iterable[str]) -> tuple[list[str], int]:
    """The ids of the images that have vectors of all embedders, sorted, and how many have not.

    Raises:
        SettingsError: There is none.
    """
    ids: list[str] = store.photos.columns("image_id")["image_id"].tolist()
    common = ids
    for name in names:
        embedded = store.vectors.ids(embedders.require_spec(store, name))
        common = [image_id for image_id in common if image_id in embedded]
    if not common:
        raise SettingsError(
            "no image has the vectors of all embedders", "are the folders of the photos here?"
        )
    return sorted(common), len(ids) - len(common)


def comparison_vectors(
    store: Store, spec: PartSpec, image_ids: Sequence[str], *, kept: bool
) -> Vectors:
    """``(n, dim)`` float32 vectors of images; of unit length unless their lengths are kept."""
    ids, vectors = store.vectors.read(spec)
    row_of = {image_id: row for row, image_id in enumerate(ids)}
    rows = np.array([row_of[image_id] for image_id in image_ids], dtype=np.int64)
    return vectors[rows] if kept else unit_rows(vectors[rows])


def reduced_points(feature: FeatureSpec, vectors: Vectors, *, seed: int) -> Vectors:
    """The vectors in the space of a feature; lengths stay as they are if they are to be kept."""
    if feature.reducer.name == NO_REDUCER:
        return vectors
    if feature.lengths == "unit":
        return ClusterSpace.fit(feature.reducer, vectors, seed=seed)[1]
    options = {"random_state": seed}
    _, reducer = registry.create_part("organizer.reducers", feature.reducer, options=options)
    return np.asarray(reducer.fit_transform(vectors), dtype=np.float32)


def _is_complete(store: Store, name: str) -> bool:
    """Whether all images have vectors of an embedder."""
    count = store.vectors.count(embedders.stored_spec(store, name))
    return count > 0 and count >= store.photos.count_images()


def _require_weights(name: str, settings: Settings) -> None:
    """Make sure that an embedder can be had.

    Raises:
        WeightsMissingError: Its weights are nowhere.
    """
    if isinstance(registry.part_factory(embedders.EMBEDDERS, name), Weighted):
        embedders.pull_weights(name, settings)
