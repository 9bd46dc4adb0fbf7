"""What a library knows of images, as the columns of a batch: places, facts, field work."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.library.contexts import Contexts
from organizer.library.exporting.numbers import finite
from organizer.store.ids import IdArray, pack
from organizer.types import NOISE, ImageFacts, Labels


class PlaceColumns:
    """Where images lie."""

    def __init__(self, folders: Sequence[Path], *, missing_too: bool) -> None:
        self._folders = sorted(map(str, folders), key=len, reverse=True)
        self._missing_too = missing_too

    def of(self, files: Sequence[Sequence[tuple[str, bool]]]) -> dict[str, tuple[Any, ...]]:
        """The columns of images, each with its files as `FileLists.of` gives them."""
        split = [self._split(paths[0][0]) for paths in files]
        return {
            "paths": tuple(paths[0][0] for paths in files),
            "folders": tuple(folder for folder, _ in split),
            "files": tuple(file.replace(os.sep, "/") for _, file in split),
            "copies": tuple(
                tuple(path for path, there in paths[1:] if there or self._missing_too)
                for paths in files
            ),
            "missing": tuple(not paths[0][1] for paths in files),
        }

    def _split(self, path: str) -> tuple[str, str]:
        """A path as the deepest ingested folder that holds it, and the rest."""
        for folder in self._folders:
            start = folder if folder.endswith(os.sep) else folder + os.sep
            if path.startswith(start):
                return folder, path[len(start) :]
        folder, _, name = path.rpartition(os.sep)
        return folder, name


class FieldColumns:
    """How images were taken: by which deployment, when, in one burst with which others."""

    def __init__(self, whole: Contexts) -> None:
        self._whole = whole
        packed = pack(whole.image_ids)
        self._order = np.argsort(packed)
        self._ids = packed[self._order]

    def knows(self, name: str, ids: IdArray) -> NDArray[np.bool_]:
        """For each image whether something is known of it, by the name of its column."""
        column: Sequence[str | None] = getattr(self._whole, name)
        return np.array([column[row] is not None for row in self._rows(ids)], dtype=np.bool_)

    def deployments(self, ids: IdArray) -> set[str]:
        """The deployments of some images."""
        found = {self._whole.deployments[row] for row in self._rows(ids)}
        return {deployment for deployment in found if deployment is not None}

    def events(self, ids: IdArray) -> dict[int, tuple[str, str]]:
        """When each event of some images began and ended."""
        spans: dict[int, tuple[str, str]] = {}
        rows = self._rows(ids)
        for number, row in zip(self._whole.events[rows].tolist(), rows, strict=True):
            time = self._whole.taken_at[row]
            if number != NOISE and time is not None:
                first, last = spans.get(number, (time, time))
                spans[number] = min(first, time), max(last, time)
        return spans

    def of(self, ids: IdArray, facts: Sequence[ImageFacts]) -> dict[str, tuple[Any, ...]]:
        """The columns of images, each with what its file tells."""
        rows, whole = self._rows(ids), self._whole
        taken_at = tuple(whole.taken_at[row] for row in rows)
        return {
            "taken_at": taken_at,
            "clock_times": tuple(
                None if fact.taken_at == corrected else fact.taken_at
                for fact, corrected in zip(facts, taken_at, strict=True)
            ),
            "deployments": tuple(whole.deployments[row] for row in rows),
            "bursts": _known(whole.bursts, rows),
            "events": _known(whole.events, rows),
            "infrared": tuple(
                None if value is None else bool(value) for value in _known(whole.infrared, rows)
            ),
        }

    def _rows(self, ids: IdArray) -> list[int]:
        rows: list[int] = self._order[np.searchsorted(self._ids, ids)].tolist()
        return rows


def fact_columns(facts: Sequence[ImageFacts]) -> dict[str, tuple[Any, ...]]:
    """What files tell of images, and what their pixels do."""
    return {
        "sizes": tuple(fact.bytes for fact in facts),
        "widths": tuple(fact.width for fact in facts),
        "heights": tuple(fact.height for fact in facts),
        "formats": tuple(fact.format for fact in facts),
        "cameras": tuple(fact.camera for fact in facts),
        "latitudes": tuple(finite(fact.latitude) for fact in facts),
        "longitudes": tuple(finite(fact.longitude) for fact in facts),
        "brightness": tuple(finite(fact.brightness) for fact in facts),
        "chroma": tuple(finite(fact.chroma) for fact in facts),
        "extras": tuple(fact.extra for fact in facts),
    }


def _known(column: Labels, rows: Sequence[int]) -> tuple[int | None, ...]:
    return tuple(None if value == NOISE else value for value in column[rows].tolist())
