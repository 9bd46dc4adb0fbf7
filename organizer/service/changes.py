"""Notice what changes in the library, here or by another process, and tell the pages."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict

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
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look every now and then, on a thread of its own."""
        self.look_at_all()
        self._thread = threading.Thread(target=self._watch, name="changes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> None:
        """Publish the steps since the last look: what somebody who decides waits for."""
        with self._lock:
            self._look_at_steps()

    def look_at_all(self) -> None:
        """Publish what has changed since the last look; costs one read where nothing has."""
        seen = self._library.store.revision()
        if seen == self._seen:
            return
        self.look()
        if self._look_at_images():
            self._seen = seen

    def _look_at_steps(self) -> None:
        former, revision = self._step, self._library.revision
        if former < 0:
            self._step = revision
        if revision == self._step:
            return
        steps: dict[int, list[HistoryEvent]] = defaultdict(list)
        for event in self._library.corrections.history(since=former):
            steps[event.step_id].append(event)
        for number, events in sorted(steps.items()):
            self._publish_step(number, events)
            self._step = number
        self._step = revision

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

    def _look_at_images(self) -> bool:
        """Read new images, so that no page waits for it; False where that is left for later."""
        if not self._library.images.refresh(at_once=False):
            return False
        former, images = self._images, self._library.store.photos.count_images()
        if former >= 0 and images != former:
            self._events.publish("images", {"added": images - former, "images": images})
        self._images = images
        return True

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            try:
                self.look_at_all()
            except StoreError:  # a disk that was disconnected may come back
                continue
            except Exception:
                logging.getLogger(__name__).exception("cannot look for changes")
