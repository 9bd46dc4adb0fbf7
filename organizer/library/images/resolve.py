"""Resolve images as a person names them: by a path, a file's name, or the beginning of an id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from organizer.errors import SettingsError
from organizer.library.images.named import image_called, names_near
from organizer.library.images.paths import images_at, typed_path
from organizer.near_words import did_you_mean
from organizer.store import Store
from organizer.typed import as_typed

_SHORTEST, _WHOLE = 6, 32
"""Digits of an image id: of the shortest beginning that is understood, and of a whole one."""


class ImageResolver:
    """Finds images as a person names them: call it with some of them.

    A folder stands for all images in and below it.

    Args:
        store: The library.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[str | Path, str] = {}

    def look_up(self, images: Iterable[str | Path]) -> None:
        """Look many images up at once: their paths, and whole ids."""
        new = [image for image in dict.fromkeys(images) if image not in self._found]
        if not new:
            return
        self._found |= images_at(self._store, new)
        whole = {
            image: str(image).lower()
            for image in new
            if image not in self._found and _is_id(str(image).lower(), least=_WHOLE)
        }
        if whole:
            merged = self._store.merged_images.now()
            whole = {image: merged.get(image_id, image_id) for image, image_id in whole.items()}
        known = self._store.photos.known_ids(whole.values()) if whole else set()
        self._found |= {image: image_id for image, image_id in whole.items() if image_id in known}

    def __call__(self, images: Sequence[str | Path]) -> list[str]:
        """The ids of images, each once, in the order in which they were named.

        Raises:
            SettingsError: No image has that path or id, or several do.
        """
        if not images:
            raise SettingsError("no image was named", "name paths or image ids")
        self.look_up(images)
        found: list[str] = []
        for image in images:
            found += [self._found[image]] if image in self._found else _resolved(self._store, image)
        return list(dict.fromkeys(found))


def _resolved(store: Store, image: str | Path) -> list[str]:
    """The images that a folder or the beginning of an id stands for."""
    file = typed_path(image)
    if file.is_dir():
        inside = store.photos.images_below(file.resolve())
        if inside:
            return inside
    text = str(image).lower()
    called = image_called(store, image)
    if called is not None:
        return [called]
    if _is_id(text, least=_SHORTEST):
        merged = store.merged_images.now().items()
        former = {now for image_id, now in merged if image_id.startswith(text)}
        matches = sorted({*store.photos.ids_beginning(text), *former})
        if len(matches) == 1:
            return matches
        if matches:
            raise SettingsError(
                f"{len(matches)} images have an id that begins with {text}", "type more of it"
            )
    raise SettingsError(
        f"there is no image {image} in the library",
        did_you_mean(
            list(map(as_typed, names_near(store, image))),
            "name a file that was ingested; organizer clusters show CLUSTER lists them",
        ),
    )


def _is_id(text: str, *, least: int) -> bool:
    """Whether a text is so many digits of an image id at least."""
    return len(text) >= least and not set(text) - set("0123456789abcdef")
