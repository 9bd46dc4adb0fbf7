"""The timeline that the service reads once and sends often."""

from __future__ import annotations

from threading import Lock

from organizer.library import Library
from organizer.library.images.timeline import Timeline


class TimelineCache:
    """The timeline that was asked for last, until something changes in the library."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: tuple[object, Timeline] | None = None

    def get(self, library: Library, *, deployment: str | None, camera: str | None) -> Timeline:
        """The timeline; of 100,000 photos it is read in a second or two."""
        with self._lock:
            state = library.store.revision(), deployment, camera
            if self._kept is None or self._kept[0] != state:
                found = library.images.timeline(deployment=deployment, camera=camera)
                self._kept = state, found
            return self._kept[1]
