"""The miniatures of images, by which copies are recognised: appended once, never changed."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from organizer.store.database import Database
from organizer.store.ids import IdArray, IdSet, contains_ids, pack_ids
from organizer.store.schemas import MINIATURES
from organizer.types import MINIATURE_SIDE, Miniatures

_TABLE = "miniatures"
_ROWS_AT_ONCE = 16_384
_IN_MEMORY = 1 << 28


class MiniatureTable:
    """The miniatures of one library."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ids(self) -> IdSet:
        """The images that have one."""
        ids = self._database.read(_TABLE, ["image_id"])["image_id"]
        return IdSet(pack_ids(ids.to_pylist()))

    def append(self, image_ids: Sequence[str], miniatures: Miniatures) -> None:
        """Add those of images that have none.

        Args:
            image_ids: The images.
            miniatures: ``(n, 1024)``.
        """
        if not len(image_ids):
            return
        values = pa.FixedSizeListArray.from_arrays(pa.array(miniatures.ravel()), MINIATURE_SIDE**2)
        rows = pa.table([pa.array(image_ids, pa.string()), values], schema=MINIATURES)
        self._database.append(_TABLE, rows)

    def read(self, wanted: IdArray, *, most: int = _IN_MEMORY) -> tuple[list[str], Miniatures]:
        """The miniatures of some images, in the order in which they were added, each once.

        Args:
            wanted: Packed ids, ascending.
            most: Bytes up to which they are in memory; more lie in a temporary file.
        """
        side = MINIATURE_SIDE**2
        ids: list[str] = []
        seen = IdSet()
        found = _room(len(wanted), side, most)
        for batch in self._database.batches(_TABLE, MINIATURES.names, rows=_ROWS_AT_ONCE):
            some = batch.column("image_id").to_pylist()
            keep = contains_ids(wanted, pack_ids(some))
            keep &= np.array([image_id not in seen for image_id in some], dtype=np.bool_)
            rows = batch.column("miniature").flatten().to_numpy().reshape(-1, side)[keep]
            kept = [some[row] for row in np.flatnonzero(keep)]
            found[len(ids) : len(ids) + len(rows)] = rows
            seen.add(kept)
            ids += kept
        return ids, found[: len(ids)]


def _room(count: int, width: int, most: int) -> Miniatures:
    if count * width <= most:
        return np.empty((count, width), dtype=np.uint8)
    with tempfile.TemporaryFile(prefix="organizer-") as file:
        return np.memmap(file, dtype=np.uint8, mode="w+", shape=(count, width))
