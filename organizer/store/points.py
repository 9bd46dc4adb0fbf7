"""The points of images in the space of a base, kept once they are computed.

They are only kept where a point depends on the image alone: not where bursts are one observation or
vectors are centred by groups, and not in the embedder's own space, where they are the vectors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from organizer.store.database import Database
from organizer.store.schemas import vectors_schema
from organizer.store.vectors import VectorRows, half_rows
from organizer.types import Vectors


class PointTables:
    """The points of one library, a table for each base: half precision."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, base_id: int, image_ids: Sequence[str], points: Vectors) -> None:
        """Add the points of images that have none; the first make the table.

        Args:
            base_id: The base.
            image_ids: The images.
            points: ``(n, d)`` of theirs.
        """
        if not len(points):
            return
        half = np.ascontiguousarray(points, dtype=np.float16)
        with self._database.transaction():
            self._database.create_table(_table(base_id), vectors_schema(half.shape[1]))
            self._database.append(_table(base_id), half_rows(image_ids, half))

    def forget(self, base_id: int, image_ids: Sequence[str]) -> None:
        """Remove the points of images whose vectors have changed."""
        if self.are_kept(base_id):
            self._database.delete_by_id(_table(base_id), "image_id", image_ids)

    def are_kept(self, base_id: int) -> bool:
        """Whether there are points of a base."""
        return self._database.has(_table(base_id))

    def rows(self, base_id: int) -> VectorRows | None:
        """The points of all images of a base, to be looked up; None where none are kept."""
        if not self.are_kept(base_id):
            return None
        dataset = self._database.dataset(_table(base_id))
        ids = self._database.read(_table(base_id), ["image_id"], dataset=dataset)
        return VectorRows(dataset, ids)


def _table(base_id: int) -> str:
    return f"points_{base_id:d}"
