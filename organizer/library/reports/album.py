"""The pictures of a report, and the paths and links of the images."""

from __future__ import annotations

import io
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from organizer.library.images.thumbnails import make_thumbnails
from organizer.library.progress import Progress
from organizer.paths import mark_missing
from organizer.report.contents import ReportPicture
from organizer.store import Store
from organizer.thumbnail import Thumbnail, thumbnail
from organizer.types import Crop, Labels

PICTURE_SIDE, PICTURE_QUALITY = 240, 60
"""Pixels and JPEG quality of a picture on a sheet: twice the pixels that it is shown with, so that
it is sharp on a dense screen, where a low quality is not seen. Some 8 kB each."""

POINT_SIDE = 96
"""Pixels of a picture on the map, which is shown smaller: some 2 kB each."""


@dataclass(frozen=True, slots=True)
class Album:
    """The pictures that could be read, and the files of the images.

    Attributes:
        image_ids: ``(n,)`` the images of the report.
        files: A file of each image that is named.
        gone: Those images of which no file is there.
        thumbnails: By image id.
        crops: Those images that are crops.
        wanted: Number of pictures that were to be read.
        below: The folder that paths are shown relative to.
        page: The folder of the page; None where no page is written.
    """

    image_ids: NDArray[np.object_]
    files: Mapping[str, Path]
    gone: Collection[str]
    thumbnails: Mapping[str, Thumbnail]
    crops: Mapping[str, Crop]
    wanted: int
    below: Path
    page: Path | None

    def path(self, row: int) -> str:
        """The path of the image of a row, for a person."""
        image_id = self.image_ids[row]
        shown = relative_to(self.files[image_id], self.below)
        return mark_missing(shown, missing=image_id in self.gone)

    def link(self, row: int) -> str:
        """The URL of the file of a row, for the page."""
        return "" if self.page is None else link_to(self.files[self.image_ids[row]], self.page)

    def picture(self, row: int, note: str = "") -> ReportPicture:
        """The picture of a row; without pixels where the file could not be read."""
        return self._picture(row, self.thumbnails.get(self.image_ids[row]), note)

    def point(self, row: int) -> ReportPicture:
        """The picture of a row for the map."""
        found = self.thumbnails.get(self.image_ids[row])
        return self._picture(row, found and _smaller(found), "")

    def _picture(self, row: int, found: Thumbnail | None, note: str) -> ReportPicture:
        crop = self.crops.get(self.image_ids[row])
        return ReportPicture(
            path=self.path(row),
            jpeg=found.jpeg if found else b"",
            width=found.width if found else PICTURE_SIDE,
            height=found.height if found else PICTURE_SIDE,
            note=note,
            link=self.link(row),
            box=crop.box if crop else None,
        )

    @property
    def missing(self) -> int:
        """Number of pictures that could not be read."""
        return self.wanted - len(self.thumbnails)


def make_album(
    store: Store,
    image_ids: NDArray[np.object_],
    *,
    pictured: Labels,
    named: Labels,
    below: Path,
    page: Path | None,
    threads: int,
    progress: Progress,
) -> Album:
    """Read the pictures of some images and look up the files of others.

    Args:
        store: The library.
        image_ids: ``(n,)`` the images of the report.
        pictured: Rows of those with a picture, in any order.
        named: Rows of those with a path.
        below: The folder that paths are shown relative to.
        page: The folder of the page; None where no page is written.
        threads: Threads that read; 0 takes one for each core.
        progress: Receives each picture.
    """
    wanted = image_ids[np.unique(pictured)].tolist()
    files = store.photos.files_of(image_ids[np.unique(named)].tolist())
    return Album(
        image_ids=image_ids,
        files={image_id: rows[0].file for image_id, rows in files.items()},
        gone={image_id for image_id, rows in files.items() if rows[0].is_missing},
        thumbnails=make_thumbnails(
            store,
            wanted,
            side=PICTURE_SIDE,
            quality=PICTURE_QUALITY,
            threads=threads,
            progress=progress,
        ),
        crops=store.detections.crops(wanted),
        wanted=len(wanted),
        below=below,
        page=page,
    )


def relative_to(file: Path, below: Path) -> str:
    """A path as short as it can be written from a folder."""
    return str(file.relative_to(below)) if file.is_relative_to(below) else str(file)


def link_to(file: Path, folder: Path) -> str:
    """The URL of a file for a page in a folder.

    It is relative where both lie in one folder that is not the root, so that the link still holds
    after that folder was moved or copied; otherwise it is a file: URL.

    Args:
        file: An absolute path.
        folder: The absolute path of the page's folder.
    """
    try:
        shared = Path(os.path.commonpath([file, folder]))
    except ValueError:  # two drives
        return file.as_uri()
    if shared == Path(shared.anchor):
        return file.as_uri()
    return quote(os.fsencode(Path(os.path.relpath(file, folder)).as_posix()))


def _smaller(picture: Thumbnail) -> Thumbnail:
    """The same picture for the map."""
    from PIL import Image

    with Image.open(io.BytesIO(picture.jpeg)) as image:
        return thumbnail(np.asarray(image.convert("RGB")), side=POINT_SIDE)
