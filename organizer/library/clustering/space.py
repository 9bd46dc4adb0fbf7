"""The space that is clustered in: an embedder's vectors, reduced or not, of unit length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from organizer import registry
from organizer.cluster.incremental import unit_rows, unit_rows_in_place
from organizer.errors import PluginError, SettingsError
from organizer.protocols import Reducer, Restorable
from organizer.store import Store
from organizer.types import PartSpec, Vectors

REDUCERS = "organizer.reducers"
NO_REDUCER = "none"
_CENTER = "center"

_HALF_FROM = 200_000
_ROWS_AT_ONCE = 8_192
_FITTED_TO = 20_000
"""Images that a reducer is fitted to; of more, a seeded sample."""


def parse_reducer(text: str) -> PartSpec:
    """Parse a reducer as it is typed: ``pca:128``, ``umap:10``, ``none``.

    Raises:
        SettingsError: There is no such reducer, or the number of dimensions is none.
    """
    name, colon, number = text.partition(":")
    if name != NO_REDUCER:
        registry.check_part(REDUCERS, name)
    if not colon:
        return PartSpec(name)
    if not number.isdecimal() or int(number) < 1 or name == NO_REDUCER:
        raise SettingsError(
            f"--reduce cannot be {text!r}", "NAME or NAME:DIMENSIONS, for example pca:128, or none"
        )
    return PartSpec(name, {"n_components": int(number)})


def reducer_text(reducer: PartSpec) -> str:
    """A reducer as it is typed."""
    dimensions = reducer.params.get("n_components")
    return f"{reducer.name}:{dimensions}" if dimensions else reducer.name


def centred_by(reducer: PartSpec) -> str | None:
    """What the vectors are centred by before they are reduced; None for nothing."""
    found = reducer.params.get(_CENTER)
    return None if found is None else str(found)


def centring_text(reducer: PartSpec) -> str:
    """What the vectors are centred by, for a person; empty for nothing."""
    by = centred_by(reducer)
    return f"centred by {by.replace(',', ' and ')}" if by else ""


def with_centring(reducer: PartSpec, by: str | None) -> PartSpec:
    """The spec of a space whose vectors are centred first.

    The reducer itself is given vectors and knows nothing of it.
    """
    return replace(reducer, params={**reducer.params, _CENTER: by}) if by else reducer


def read_unit_vectors(store: Store, spec: PartSpec) -> tuple[tuple[str, ...], Vectors]:
    """All ids and unit vectors of an embedder; very many are held in half precision."""
    ids, vectors = store.vectors.read(spec, half=store.vectors.count(spec) > _HALF_FROM)
    return ids, unit_rows_in_place(vectors)


class ClusterSpace:
    """A fitted reducer, or none."""

    def __init__(self, spec: PartSpec, reducer: Any = None) -> None:
        self.spec, self._reducer = spec, reducer

    @classmethod
    def fit(cls, spec: PartSpec, vectors: Vectors, *, seed: int) -> tuple[Self, Vectors]:
        """Fit a reducer and transform the vectors.

        Args:
            spec: The reducer.
            vectors: ``(n, dim)`` float32 or float16 of unit length.
            seed: Of the sample, and of all that the reducer draws.

        Returns:
            The space, and ``(n, fewer)`` float32 points of unit length.

        Raises:
            PluginError: The reducer's state cannot be stored.
        """
        if spec.name == NO_REDUCER:
            return cls(spec), vectors
        space = cls(spec, _created(spec, seed=seed))
        if len(vectors) <= _FITTED_TO:
            fitted = space._reducer.fit_transform(vectors.astype(np.float32, copy=False))
            return space, unit_rows(np.asarray(fitted, dtype=np.float32))
        draw = np.random.default_rng(seed)
        rows = np.sort(draw.choice(len(vectors), _FITTED_TO, replace=False))
        space._reducer.fit_transform(vectors[rows].astype(np.float32, copy=False))
        return space, space.points(vectors)

    @classmethod
    def restored(cls, spec: PartSpec, state: Mapping[str, NDArray[Any]], *, seed: int = 0) -> Self:
        """A space from its stored state."""
        if spec.name == NO_REDUCER:
            return cls(spec)
        reducer = _created(spec, seed=seed)
        reducer.restore(state)
        return cls(spec, reducer)

    def points(self, vectors: Vectors) -> Vectors:
        """Transform ``(n, dim)`` unit vectors to ``(n, d)`` unit points, some at a time."""
        if self._reducer is None or not len(vectors):
            return vectors
        points: Vectors | None = None
        for start in range(0, len(vectors), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            block = vectors[rows].astype(np.float32, copy=False)
            transformed = unit_rows(np.asarray(self._reducer.transform(block), dtype=np.float32))
            if points is None:
                points = np.empty((len(vectors), transformed.shape[1]), dtype=np.float32)
            points[rows] = transformed
        assert points is not None  # noqa: S101 - there are vectors
        return points

    def state(self) -> Mapping[str, NDArray[Any]]:
        """The fitted state, to be stored."""
        return {} if self._reducer is None else self._reducer.state()


def _created(spec: PartSpec, *, seed: int) -> Any:
    params = {name: value for name, value in spec.params.items() if name != _CENTER}
    plain = replace(spec, params=params)
    _, reducer = registry.create_part(REDUCERS, plain, options={"random_state": seed})
    if not isinstance(reducer, Restorable) or not isinstance(reducer, Reducer):
        raise PluginError(
            f"reducer {spec.name!r} cannot store what it fitted, so new images could not be placed",
            "use another --reduce",
        )
    return reducer
