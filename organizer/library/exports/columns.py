"""The columns of an export batch: files, facts, and how images were taken."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.library.exports.numbers import finite
from organizer.library.images.capture import CaptureInfo
from organizer.store.ids import IdArray, pack_ids
from organizer.types import NOISE, ImageFacts, Labels


class FileColumns:
    """The columns about the files of images.

    Args:
        folders: The ingested folders.
        missing_too: Whether missing files count among the copies.
    """

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


class CaptureColumns:
    """The columns about how images were taken: deployment, time, burst, event, light.

    Some 90 bytes an image are kept of the capture info.
    """

    def __init__(self, info: CaptureInfo) -> None:
        packed = pack_ids(info.image_ids)
        self._order = np.argsort(packed)
        self._ids = packed[self._order]
        self._times = np.array([time or "" for time in info.taken_at], dtype=np.bytes_)
        names = sorted({name for name in info.deployments if name is not None})
        number = {name: place for place, name in enumerate(names)}
        self._names = names
        self._deployments = np.array(
            [NOISE if name is None else number[name] for name in info.deployments], dtype=np.int64
        )
        self._bursts, self._events = info.bursts, info.events
        self._infrared = info.infrared

    def knows(self, name: str, ids: IdArray) -> NDArray[np.bool_]:
        """For each image whether its "taken_at" or one of its "deployments" is known."""
        rows = self._rows(ids)
        if name == "taken_at":
            return np.asarray(self._times[rows] != b"")
        return np.asarray(self._deployments[rows] != NOISE)

    def deployments(self, ids: IdArray) -> set[str]:
        """The deployments of some images."""
        found = np.unique(self._deployments[self._rows(ids)])
        return {self._names[number] for number in found.tolist() if number != NOISE}

    def events(self, ids: IdArray) -> dict[int, tuple[str, str]]:
        """When each event of some images began and ended."""
        rows = self._rows(ids)
        rows = rows[self._events[rows] != NOISE]
        if not len(rows):
            return {}
        by_event = rows[np.lexsort((self._times[rows], self._events[rows]))]
        numbers, firsts = np.unique(self._events[by_event], return_index=True)
        lasts = np.append(firsts[1:], len(by_event)) - 1
        times = self._times[by_event]
        return {
            number: (times[first].decode(), times[last].decode())
            for number, first, last in zip(numbers.tolist(), firsts, lasts, strict=True)
        }

    def of(self, ids: IdArray, facts: Sequence[ImageFacts]) -> dict[str, tuple[Any, ...]]:
        """The columns of images, given the facts of each."""
        rows = self._rows(ids)
        taken_at = tuple(time.decode() or None for time in self._times[rows].tolist())
        return {
            "taken_at": taken_at,
            "clock_times": tuple(
                None if fact.taken_at == corrected else fact.taken_at
                for fact, corrected in zip(facts, taken_at, strict=True)
            ),
            "deployments": tuple(
                None if number is None else self._names[number]
                for number in _known(self._deployments, rows)
            ),
            "bursts": _known(self._bursts, rows),
            "events": _known(self._events, rows),
            "infrared": tuple(
                None if value is None else bool(value) for value in _known(self._infrared, rows)
            ),
        }

    def _rows(self, ids: IdArray) -> NDArray[np.int64]:
        return self._order[np.searchsorted(self._ids, ids)]


def fact_columns(facts: Sequence[ImageFacts]) -> dict[str, tuple[Any, ...]]:
    """The columns about the files' EXIF data and the images' pixels."""
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


def _known(column: Labels, rows: NDArray[np.int64]) -> tuple[int | None, ...]:
    return tuple(None if value == NOISE else value for value in column[rows].tolist())
