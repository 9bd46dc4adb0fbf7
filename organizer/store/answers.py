"""A person's answers about images that were shown with their clusters: append-only rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from organizer.store.author import Author
from organizer.store.database import Database, now


class SampleKind(StrEnum):
    """How an image came to be shown: only a random draw is evidence about the others."""

    RANDOM = "random"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether an image belongs to the cluster that it was shown with.

    Attributes:
        image_id: The image.
        cluster_id: The cluster that it was shown with, wherever the image is now.
        belongs: The answer.
        drawn: How it came to be shown.
        clustering_id: The clustering that it was shown in; 0 for the one that is current when the
            answer is written.
        answer_id: Its number, in the order in which answers were given; 0 before it is written.
        user: Who gave it; empty where that is not known, and before it is written.
    """

    image_id: str
    cluster_id: int
    belongs: bool
    drawn: SampleKind
    clustering_id: int = 0
    answer_id: int = 0
    user: str = ""


class AnswerTable:
    """The answers of one library, in the order in which they were given."""

    def __init__(self, database: Database, *, author: Author) -> None:
        self._database, self._author = database, author

    def all(self) -> list[Answer]:
        """Every answer, also those that were changed later."""
        rows = self._database.journal.rows("SELECT * FROM answers ORDER BY answer_id")
        return [
            Answer(
                image_id=row["image_id"],
                cluster_id=row["cluster_id"],
                belongs=bool(row["belongs"]),
                drawn=SampleKind(row["drawn"]),
                clustering_id=row["clustering_id"],
                answer_id=row["answer_id"],
                user=row["user"],
            )
            for row in rows
        ]

    def times(self) -> dict[int, str]:
        """When each answer was given, by its number."""
        rows = self._database.journal.rows("SELECT answer_id, at FROM answers")
        return {row["answer_id"]: row["at"] for row in rows}

    def count(self) -> int:
        """Number of answers."""
        return int(self._database.journal.value("SELECT count(*) FROM answers"))

    def last(self) -> int:
        """The number of the last answer; 0 if there is none."""
        return int(self._database.journal.value("SELECT max(answer_id) FROM answers") or 0)

    def append(self, answers: Sequence[Answer]) -> None:
        """Write answers in the name of whoever acts now; they are numbered in this order."""
        at, user = now(), self._author.name
        first = self.last() + 1
        rows = [
            {
                "answer_id": first + place,
                "at": at,
                "image_id": answer.image_id,
                "cluster_id": answer.cluster_id,
                "clustering_id": answer.clustering_id,
                "belongs": answer.belongs,
                "drawn": answer.drawn.value,
                "user": user,
            }
            for place, answer in enumerate(answers)
        ]
        with self._database.transaction():
            self._database.journal.insert("answers", rows)
