"""The images of a library as objects; read only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import hexdigits
from typing import TYPE_CHECKING

from organizer.errors import SettingsError
from organizer.library.opening import OpenLibrary
from organizer.types import FileState, ImageFacts

if TYPE_CHECKING:
    from organizer.store import ArrowTable

_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a library: a picture by its content, and the files that hold it.

    Attributes:
        id: Its id, the hash of the file's content.
        paths: Its files; those that were present when last looked for come first.
        is_missing: Whether none of them was present.
        facts: Size, time, camera and what else is known of it.
    """

    id: str
    paths: tuple[Path, ...]
    is_missing: bool
    facts: ImageFacts

    @property
    def path(self) -> Path | None:
        """The first of its files; None where the library knows none."""
        return self.paths[0] if self.paths else None


class Images:
    """The images of a library, read only; photos with people are among them.

    Examples:
        >>> len(library.images)  # doctest: +SKIP
        24
        >>> library.images["photos/fox.jpg"].facts.taken_at  # doctest: +SKIP
        '2024-05-01T06:54:00'
    """

    def __init__(self, opened: OpenLibrary) -> None:
        self._store = opened.store

    def __len__(self) -> int:
        return self._store.photos.count_images()

    def __iter__(self) -> Iterator[Image]:
        """All images in the order of their ingest; some thousands are read at a time."""
        ids = self._store.photos.columns("image_id")["image_id"].tolist()
        for start in range(0, len(ids), _AT_ONCE):
            yield from self._read(ids[start : start + _AT_ONCE])

    def __getitem__(self, key: str | Path) -> Image:
        """An image by its id, or by a path that holds it.

        Raises:
            SettingsError: There is no such image.
        """
        file = Path(key).expanduser()
        at = self._store.photos.image_at(file.absolute()) or str(key).lower()
        if not set(at) - set(hexdigits):
            for image in self._read([at]):
                return image
        raise SettingsError(
            f"there is no image {key} in the library", "a path that was ingested, or an image id"
        )

    def table(self) -> ArrowTable:
        """All images as a pyarrow Table with the columns of `ImageFacts`."""
        return self._store.photos.table()

    def __repr__(self) -> str:
        return f"<Images: {len(self):,}>"

    def _read(self, image_ids: list[str]) -> Iterator[Image]:
        facts = self._store.photos.facts_of(image_ids)
        files = self._store.photos.files_of(image_ids, with_people=True)
        for image_id in image_ids:
            if image_id in facts:
                rows = files.get(image_id, [])
                yield Image(
                    id=image_id,
                    paths=tuple(row.file for row in rows),
                    is_missing=all(row.state is not FileState.PRESENT for row in rows),
                    facts=facts[image_id],
                )
