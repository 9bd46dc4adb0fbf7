"""The pictures of the images of a library, prepared for a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.library.images.ask_workers import ask_workers
from organizer.library.images.wanted_pictures import wanted_pictures
from organizer.library.opening import OpenLibrary
from organizer.training import Prepare


@dataclass(frozen=True, slots=True)
class StoredPictures:
    """Reads the pictures of images from their files; of crops what lies in their boxes.

    It is an `organizer.training.PictureReader`.

    Attributes:
        opened: The library.
        image_ids: The images, in the order of the rows.
    """

    opened: OpenLibrary
    image_ids: Sequence[str]

    def read(
        self, prepare: Prepare, *, min_side: int
    ) -> Iterator[tuple[int, NDArray[np.uint8] | None]]:
        """See `organizer.training.PictureReader`."""
        # Photos with people in them are clustered too, and nothing of them is shown here.
        wanted = wanted_pictures(self.opened.store, self.image_ids, with_people=True)
        most = self.opened.settings.max_file_bytes
        made = ask_workers(self.opened.workers, "pixels", wanted, min_side, most, then=prepare)
        for row, (_, picture) in enumerate(made):
            yield row, picture
