"""Images by the paths that a person types."""

from __future__ import annotations

from pathlib import Path

from organizer.arguments import require_path
from organizer.errors import SettingsError
from organizer.store import Store


def typed_path(path: str | Path) -> Path:
    """A path as it was typed, with ``~`` as the home folder.

    Raises:
        SettingsError: It is empty, or begins with the home of a user who does not exist.
    """
    try:
        return require_path("a path", path).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"there is no folder {path}", "check the path") from error


def image_at(store: Store, path: str | Path) -> str | None:
    """The image that a file of the library holds, by the path as it is or as links lead to it.

    Raises:
        SettingsError: See `typed_path`.
    """
    file = typed_path(path)
    return store.photos.image_at(file.absolute()) or store.photos.image_at(file.resolve())
