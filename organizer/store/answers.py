"""What a person said of images that were shown with their clusters: append-only rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from organizer.store.database import Database, now
from organizer.store.schemas import ANSWERS


class Drawn(StrEnum):
    """How an image came to be shown: only a random draw says something of the others."""

    RANDOM = "random"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether an image belongs to the cluster that it was shown with.

    Attributes:
        image_id: The image.
        cluster_id: The cluster that it was shown with, wherever the image is now.
        belongs: What the person said.
        drawn: How it came to be shown.
    """

    image_id: str
    cluster_id: int
    belongs: bool
    drawn: Drawn


class Answers:
    """The answers of one library, in the order in which they were given."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Answer]:
        """Every answer, also those that were changed later."""
        rows = self._database.read("answers").to_pylist()
        rows.sort(key=lambda row: str(row["at"]))  # stable: those of one moment stay in order
        return [
            Answer(row["image_id"], row["cluster_id"], row["belongs"], Drawn(row["drawn"]))
            for row in rows
        ]

    def count(self) -> int:
        """Number of answers."""
        return self._database.count("answers")

    def append(self, answers: Sequence[Answer]) -> None:
        """Write answers down, in one commit."""
        at = now()
        rows = [
            {
                "at": at,
                "image_id": answer.image_id,
                "cluster_id": answer.cluster_id,
                "belongs": answer.belongs,
                "drawn": answer.drawn.value,
            }
            for answer in answers
        ]
        self._database.append("answers", pa.Table.from_pylist(rows, schema=ANSWERS))
