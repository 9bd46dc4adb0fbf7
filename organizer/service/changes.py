"""Notice what changes in the library, here or by another process, and tell the pages."""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import suppress

from organizer.errors import StoreError
from organizer.library import Library
from organizer.library.corrections.history import HistoryEvent
from organizer.service.event_bus import EventBus

_LOOK_SECONDS = 0.4


class ChangeWatcher:
    """Publishes the steps of the history, and images that were committed.

    Args:
        library: The library.
        events: Where to publish.
    """

    def __init__(self, library: Library, events: EventBus) -> None:
        self._library, self._events = library, events
        self._lock = threading.Lock()
        self._seen = self._step = self._images = -1
        self._photos: tuple[int, ...] = ()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look every now and then, on a thread of its own."""
        self.look()
        self._thread = threading.Thread(target=self._watch, name="changes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> None:
        """Publish what has changed since the last look; costs one read where nothing has."""
        # A disk that was disconnected may come back.
        with self._lock, suppress(StoreError):
            seen = self._library.store.revision()
            if seen == self._seen:
                return
            is_first = self._seen < 0
            self._look_at_steps(is_first=is_first)
            self._look_at_images(is_first=is_first)
            self._seen = seen

    def _look_at_steps(self, *, is_first: bool) -> None:
        former, self._step = self._step, self._library.revision
        if is_first or self._step == former:
            return
        steps: dict[int, list[HistoryEvent]] = defaultdict(list)
        for event in self._library.corrections.history(since=former):
            steps[event.step_id].append(event)
        for number, events in sorted(steps.items()):
            self._publish_step(number, events)

    def _publish_step(self, number: int, events: list[HistoryEvent]) -> None:
        current = self._library.store.clusterings.current()
        self._events.publish(
            "state",
            {
                "revision": number,
                "clustering": current.clustering_id if current is not None else None,
                "user": events[0].user,
                "what": [event.what for event in events],
                "clusters": sorted({i for event in events for i in event.cluster_ids}),
            },
        )

    def _look_at_images(self, *, is_first: bool) -> None:
        photos = self._library.store.photo_versions()
        if photos == self._photos:
            return
        self._photos = photos
        self._library.images.overview()  # read here, so that no page waits for it
        former, self._images = self._images, self._library.store.photos.count_images()
        if not is_first and self._images != former:
            self._events.publish("images", {"added": self._images - former, "images": self._images})

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            self.look()
