"""A library that is open: what every object of `Library` works on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from organizer.errors import OrganizerError
from organizer.settings import Settings
from organizer.store import Store

Repair = Callable[[Store, Settings, bool], None]
"""Puts right what is not as the last writer should have left it: called with the store, the
settings, and whether that writer was interrupted."""


@dataclass(slots=True)
class OpenLibrary:
    """An open store, read by many, and held for writing by one at a time.

    Attributes:
        store: The library's folder.
        settings: What the user chose.
        repair: Called before every write; see `organizer.library.recovery`.
    """

    store: Store
    settings: Settings
    repair: Repair
    _reading: ExitStack = field(default_factory=ExitStack)

    def start(self, *, has_moved: bool) -> None:
        """Tell writers that the library is read; repair a library that was moved or copied.

        Args:
            has_moved: Whether the library lies elsewhere than when it was last written.
        """
        self.store.photos.with_people = self.settings.with_people
        self._reading.enter_context(self.store.reading())
        if has_moved:
            with suppress(OrganizerError, OSError), self.writing():  # the next writer tries again
                pass

    def close(self) -> None:
        """Tell writers that nothing is read any more."""
        self._reading.close()

    @contextmanager
    def writing(self) -> Iterator[bool]:
        """Hold the library for writing; what an interrupted writer left is put right first.

        Yields:
            Whether there was such a writer.
        """
        with self.store.writing() as was_interrupted:
            self.repair(self.store, self.settings, was_interrupted)
            yield was_interrupted

    def tidy(self) -> None:
        """Upkeep that readers of this process do not need to be waited for."""
        self._reading.close()
        try:
            self.store.tidy()
        finally:
            self._reading = ExitStack()
            self._reading.enter_context(self.store.reading())
