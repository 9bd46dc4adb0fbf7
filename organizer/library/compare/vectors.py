"""The vectors of a comparison: available embedders, their vectors, and the spaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
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
"""Embeds all images with the embedder of that name; returns False where it was stopped."""


def with_substitutes(
    store: Store, names: Iterable[str], substitutes: Sequence[str], settings: Settings
) -> dict[str, str]:
    """The embedder to use for each one: itself, or a substitute where its weights are missing.

    Weights are looked for (and downloaded where that is possible) before anything is embedded: the
    last network of a grid must not fail after an hour.

    Raises:
        WeightsMissingError: Weights are missing and there are no substitutes.
    """
    next_substitute = cycle(substitutes)
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
                    f"{error.hint}; or use another network in its place: --substitute NAME",
                ) from error
            found[name] = registry.canonical_name(embedders.EMBEDDERS, next(next_substitute))
    for name in set(found.values()):
        if not _is_complete(store, name):
            _require_weights(name, settings)
    return found


def embed_missing(store: Store, names: Iterable[str], ingest: Ingest) -> bool:
    """Embed all images with each of some embedders; returns False where it was stopped."""
    return all(_is_complete(store, name) or ingest(name) for name in dict.fromkeys(names))


def common_ids(store: Store, names: Iterable[str]) -> tuple[list[str], int]:
    """The sorted ids of the images that have vectors of all embedders, and how many have not.

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
    """``(n, d)`` the vectors in the space of a feature; lengths are kept where it says so."""
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
    """Make sure that the weights of an embedder are on this machine.

    Raises:
        WeightsMissingError: They are not, and cannot be downloaded.
    """
    if isinstance(registry.part_factory(embedders.EMBEDDERS, name), Weighted):
        embedders.pull_weights(name, settings)


class FeatureVectors:
    """The vectors of a feature, read when they are needed.

    Args:
        store: The library.
        spec: The embedder that is used for the feature.
        feature: The feature.
        image_ids: The images, in the order of the rows.
        seed: Of the space.
    """

    def __init__(
        self,
        store: Store,
        spec: PartSpec,
        feature: FeatureSpec,
        image_ids: Sequence[str],
        *,
        seed: int,
    ) -> None:
        self._store, self._spec, self.feature = store, spec, feature
        self._image_ids, self._seed = image_ids, seed

    @cached_property
    def vectors(self) -> Vectors:
        """``(n, dim)`` as the embedder gave them, scaled to length one or not."""
        kept = self.feature.lengths == "kept"
        return comparison_vectors(self._store, self._spec, self._image_ids, kept=kept)

    @cached_property
    def points(self) -> Vectors:
        """``(n, d)`` in the space of the feature."""
        return reduced_points(self.feature, self.vectors, seed=self._seed)
