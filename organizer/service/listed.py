"""Images that the library found, with what lists show of each."""

from __future__ import annotations

from pathlib import Path

from organizer.library import Library
from organizer.library.images.listing import ImageList
from organizer.service.schemas import ImageItem


class ListedImages:
    """Looks up what lists show of images: cluster, time, camera.

    Args:
        library: The library.
    """

    def __init__(self, library: Library) -> None:
        self._overview = library.images.overview()
        self._names = library.clusters.names()

    def item(self, image_id: str, path: Path) -> ImageItem:
        """An image as the API shows it.

        Args:
            image_id: The image.
            path: A file of it, where it came since the images were looked up.
        """
        row = int(self._overview.photos.rows.of([image_id])[0])
        if row < 0:
            return ImageItem(id=image_id, path=str(path), name=path.name)
        rows = self._overview.photos.rows.of([image_id])
        listed = next(iter(ImageList(self._overview, rows, "path", 0)))
        return ImageItem.of(listed, self._names)

    def path(self, image_id: str) -> Path:
        """A file of an image; an empty path for one that is not known."""
        row = int(self._overview.photos.rows.of([image_id])[0])
        return Path(self._overview.photos.paths[row]) if row >= 0 else Path()
