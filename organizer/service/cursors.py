"""Cursors: where a page of a list ended, as an opaque text."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from http import HTTPStatus

from organizer.library.images.listing import ListOrder, SortKey
from organizer.service.problems import ProblemError

_SHAPE = (int, str, float, str, str)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last image of a page.

    Attributes:
        clustering_id: The clustering that was listed, without the decisions since it was made; 0
            where there was none.
        order: What the list is ordered by.
        key: What the image is ordered by.
    """

    clustering_id: int
    order: ListOrder
    key: SortKey

    def to_text(self) -> str:
        """The cursor as a client keeps it."""
        text = json.dumps([self.clustering_id, self.order, *self.key])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str, *, clustering_id: int, order: ListOrder) -> Cursor:
        """Read a cursor of a list.

        Raises:
            ProblemError: It is none, it is of a list in another order, or its clustering is gone.
        """
        try:
            padded = text.encode() + b"=" * (-len(text) % 4)
            values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            shape = tuple(type(value) for value in values)
        except (ValueError, TypeError, RecursionError) as error:
            raise _invalid() from error
        if shape != _SHAPE or values[1] != order:
            raise _invalid()
        if values[0] != clustering_id:
            raise ProblemError(
                HTTPStatus.GONE,
                "gone",
                "the clusters were made again since this list was begun",
                "begin the list again, without a cursor",
            )
        return cls(clustering_id, order, (values[2], values[3], values[4]))


def _invalid() -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid",
        "this is no cursor of this list",
        "take the one that the last page gave as next",
    )
