"""Which image a file holds, by the hash of its picture: asked for every file that is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from organizer.store.ids import IdRows, IdSet
from organizer.types import Identity, KnownImage


class KnownPictures:
    """The images of a library by their pictures, at about 80 bytes an image.

    An image of format 6 whose picture is not known yet is known by its file, the hash of which is
    its id.

    Args:
        rows: The columns image_id, picture_hash, file_hash and view of all images.
        embedded: The images that have a vector. Whoever embeds more adds them.

    Attributes:
        reads_again: Whether the metadata of a known file are to be read though it did not change.
    """

    def __init__(self, rows: pa.Table, embedded: IdSet) -> None:
        self._rows = rows.combine_chunks()
        self._embedded = embedded
        is_known = np.asarray(pc.not_equal(rows["picture_hash"], "").to_numpy(), dtype=bool)
        self._pictured, self._unpictured = np.flatnonzero(is_known), np.flatnonzero(~is_known)
        self._by_picture = IdRows(rows["picture_hash"].take(pa.array(self._pictured)).to_pylist())
        self._by_file = IdRows(rows["image_id"].take(pa.array(self._unpictured)).to_pylist())
        self._learned: dict[str, str] = {}
        self.reads_again = False

    @property
    def unpictured(self) -> int:
        """The number of images whose picture was not known when this was made."""
        return len(self._unpictured)

    def find(self, identity: Identity) -> KnownImage | None:
        """The image that a file holds; None for one that is new. Many threads may ask at once.

        The file of an image of format 6 is that image, though its picture be known by another one:
        the two are one picture, which whoever stores this finds out.
        """
        number = int(self._by_file.of([identity.file])[0])
        if number >= 0 and identity.picture not in self._learned:
            image_id = self._value("image_id", self._unpictured[number])
            return KnownImage(image_id, is_embedded=image_id in self._embedded)
        image_id = self._learned.get(identity.picture, "")
        if image_id:
            return KnownImage(image_id, is_embedded=image_id in self._embedded)
        number = int(self._by_picture.of([identity.picture])[0])
        if number >= 0:
            return self._known(self._pictured[number])
        if identity.picture in self._embedded:  # it came in this run
            return KnownImage(identity.picture)
        return None

    def owner(self, picture_hash: str) -> str | None:
        """The image that has a picture; None where none has."""
        if picture_hash in self._learned:
            return self._learned[picture_hash]
        number = int(self._by_picture.of([picture_hash])[0])
        return self._value("image_id", self._pictured[number]) if number >= 0 else None

    def is_unpictured(self, image_id: str) -> bool:
        """Whether an image is one whose picture was not known when this was made."""
        return int(self._by_file.of([image_id])[0]) >= 0

    def learn(self, picture_hash: str, image_id: str) -> None:
        """Note which image a picture is."""
        self._learned[picture_hash] = image_id

    def _known(self, row: np.int64) -> KnownImage:
        image_id = self._value("image_id", row)
        file_hash = "" if self.reads_again else self._value("file_hash", row)
        is_embedded = image_id in self._embedded
        return KnownImage(image_id, is_embedded, file_hash, self._value("view", row))

    def _value(self, name: str, row: np.int64) -> Any:
        return self._rows[name][int(row)].as_py()
