"""The maps that the service reads once and sends often."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

from organizer.library import Library
from organizer.library.reports.image_map import ImageMap
from organizer.reduce.projection import Method
from organizer.store.ids import pack_ids


@dataclass(frozen=True)
class ServedMap:
    """A map as the API sends it.

    Attributes:
        map: The map.
    """

    map: ImageMap

    @cached_property
    def ids(self) -> bytes:
        """The ids of the images, 16 bytes each."""
        return pack_ids(self.map.image_ids.tolist()).tobytes()

    @cached_property
    def points(self) -> bytes:
        """X and y of each image, float32, little-endian."""
        return self.map.xy.astype("<f4").tobytes()

    @cached_property
    def version(self) -> str:
        """Names the images, their order and their places."""
        digest = hashlib.blake2b(self.ids, digest_size=8)
        digest.update(self.points)
        return digest.hexdigest()


class MapCache:
    """The maps that were asked for last, in memory until something changes in the library."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[Method, tuple[object, ServedMap | None]] = {}

    def get(self, library: Library, method: Method) -> ServedMap | None:
        """The map as it is drawn, with the images that came since; None where it is not drawn."""
        with self._lock:
            state = library.store.clusterings.fingerprint()
            if method not in self._kept or self._kept[method][0] != state:
                found = library.reports.kept_map(method=method)
                self._kept[method] = state, None if found is None else ServedMap(found)
            return self._kept[method][1]

    def forget(self) -> None:
        """Read the maps again: one was drawn."""
        with self._lock:
            self._kept.clear()
