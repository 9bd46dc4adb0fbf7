"""What ``duplicates`` prints."""

from __future__ import annotations

from organizer.fields.shapes.base import Shape


class DuplicateFileJson(Shape):
    """A file of a group; what is not known, or was not needed, is null."""

    path: str
    image_id: str
    keep: bool
    width: int
    height: int
    bytes: int
    taken_at: str | None
    likeness: float | None
    sharpness: float | None


class DuplicateGroupJson(Shape):
    """Files of one picture, copies of one, or photos of a burst."""

    kind: str
    why: str
    files: list[DuplicateFileJson]


class DuplicatesJson(Shape):
    """The groups, and what is left out of them."""

    groups: list[DuplicateGroupJson]
    compared: int
    others: int
    bytes: int
    missing: int
    unread: int
    videos: int
    hidden: int
    aside: int
    csv: str | None
    sheet: str | None


class WantedJson(Shape):
    """A decision that photos are all wanted."""

    kind: str
    image_ids: list[str]
    decision_id: int
    at: str
