"""A library that is open: what every part of `Library` stands on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Self

from organizer.errors import OrganizerError
from organizer.library import undoing
from organizer.library.arrangement.home import follow_home, has_moved
from organizer.library.arrangement.rows import recover as recover_files
from organizer.library.joining import recover
from organizer.library.place import library_path
from organizer.settings import Settings, load_settings
from organizer.store import Store


class Opened:
    """An open library, to be read, and held for writing one at a time.

    Attributes:
        store: The library's folder.
        settings: What the user chose.
    """

    def __init__(self, store: Store, settings: Settings | None = None) -> None:
        self.store = store
        self.settings = settings or load_settings()
        store.photos.with_people = self.settings.with_people
        self._open = ExitStack()
        self._open.enter_context(store.reading())
        if has_moved(store):
            with suppress(OrganizerError, OSError), self._writing():  # the next writer tries again
                pass

    @classmethod
    def open(cls, path: Path, settings: Settings | None = None) -> Self:
        """Open a library by its folder, or by the folder that holds it.

        Raises:
            StoreError: There is none, it is damaged, or it is newer than this program.
        """
        return cls(Store.open(library_path(path)), settings)

    @classmethod
    def open_or_create(cls, path: Path, settings: Settings | None = None) -> Self:
        """Open a library, or make an empty one."""
        folder = library_path(path)
        store = Store.open(folder) if Store.is_library(folder) else Store.create(folder)
        return cls(store, settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Tell writers that nothing is read any more."""
        self._open.close()

    @contextmanager
    def _writing(self) -> Iterator[bool]:
        """Hold the library for writing; first put right what a writer that was cut short left."""
        with self.store.writing() as was_cut_short:
            follow_home(self.store)
            if was_cut_short:
                recover_files(self.store)
                undoing.take_back_unfinished(self.store)
                undoing.finish_undo(self.store)
                current = self.store.clusterings.current()
                recover(self.store, current, seed=self.settings.seed)
            yield was_cut_short

    def _tidy(self) -> None:
        """Upkeep that readers of this process do not need to be waited for."""
        self._open.close()
        try:
            self.store.tidy()
        finally:
            self._open = ExitStack()
            self._open.enter_context(self.store.reading())
