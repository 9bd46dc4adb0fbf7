"""Images as a person names them: by a path, or by the beginning of an image id."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from organizer.errors import SettingsError
from organizer.store import Store

_SHORTEST = 6


def resolve(store: Store, images: Sequence[str | Path]) -> list[str]:
    """The ids of images, each once, in the order in which they were named.

    A folder stands for all images in and below it.

    Raises:
        SettingsError: No image has that path or id, or several do.
    """
    if not images:
        raise SettingsError("no image was named", "name paths or image ids")
    found: list[str] = []
    for image in images:
        found += _resolved(store, image)
    return list(dict.fromkeys(found))


def _resolved(store: Store, image: str | Path) -> list[str]:
    file = Path(image).expanduser()
    at = store.photos.image_at(file.absolute()) or store.photos.image_at(file.resolve())
    if at is not None:
        return [at]
    if file.is_dir():
        inside = store.photos.images_below(file.resolve())
        if inside:
            return inside
    text = str(image).lower()
    if len(text) >= _SHORTEST and not set(text) - set("0123456789abcdef"):
        matches = store.photos.ids_beginning(text)
        if len(matches) == 1:
            return matches
        if matches:
            raise SettingsError(
                f"{len(matches)} images have an id that begins with {text}", "type more of it"
            )
    raise SettingsError(
        f"there is no image {image} in the library",
        "a path that was ingested, or an image id as organizer clusters show ID --json prints it",
    )
