"""Images by the paths that a person types."""

from __future__ import annotations

from collections.abc import Iterable
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


def images_at(store: Store, paths: Iterable[str | Path]) -> dict[str | Path, str]:
    """The images that files of the library hold, by the paths as they are typed.

    Raises:
        SettingsError: See `typed_path`.
    """
    files = {path: typed_path(path).absolute() for path in paths}
    found = store.photos.images_at(files.values())
    left = {path: (file, file.resolve()) for path, file in files.items() if file not in found}
    others = {path: resolved for path, (file, resolved) in left.items() if resolved != file}
    resolved = store.photos.images_at(others.values()) if others else {}
    held = {path: found[file] for path, file in files.items() if file in found}
    return held | {path: resolved[file] for path, file in others.items() if file in resolved}


def image_at(store: Store, path: str | Path) -> str | None:
    """The image that a file of the library holds, by the path as it is or as links lead to it.

    Raises:
        SettingsError: See `typed_path`.
    """
    return images_at(store, [path]).get(path)
