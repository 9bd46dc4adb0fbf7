"""Images that the library found, with what lists show of each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from organizer.library import Library
from organizer.library.images.listing import ImageList
from organizer.service.schemas import ImageItem


class ListedImages:
    """Looks up what lists show of images: cluster, time, camera.

    Args:
        library: The library.
        image_ids: The images that will be asked for.
    """

    def __init__(self, library: Library, image_ids: Iterable[str]) -> None:
        self._library = library
        overview = library.images.overview()
        ids = list(image_ids)
        rows = overview.photos.rows.of(ids)
        known = ImageList(overview, rows[rows >= 0], "path", 0)
        self._listed = {image.image_id: image for image in known}
        self._names = library.clusters.names()

    def item(self, image_id: str, path: Path) -> ImageItem:
        """An image as the API shows it.

        Args:
            image_id: The image.
            path: A file of it, where it came since the images were looked up.
        """
        listed = self._listed.get(image_id)
        if listed is None:
            return ImageItem(id=image_id, path=str(path), name=path.name)
        return ImageItem.of(listed, self._names)

    def find(self, image_id: str) -> ImageItem | None:
        """An image as the API shows it, also where it came since; None where it is not real."""
        if image_id in self._listed:
            return ImageItem.of(self._listed[image_id], self._names)
        files = self._library.store.photos.files_of([image_id]).get(image_id)
        return self.item(image_id, files[0].file) if files else None

    def path(self, image_id: str) -> Path:
        """A file of an image; an empty path for one that is not known."""
        listed = self._listed.get(image_id)
        return Path() if listed is None else listed.path
