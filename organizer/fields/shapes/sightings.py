"""What ``events`` and ``counts`` print."""

from __future__ import annotations

from organizer.fields.shapes.base import Shape


class SpeciesCountJson(Shape):
    """Photos of a species; without a name those in no cluster."""

    name: str | None
    images: int


class SightingEventJson(Shape):
    """Photos of one camera that soon follow each other."""

    number: int
    start: str
    end: str
    site: str | None
    deployment: str | None
    camera: str | None
    images: int
    species: list[SpeciesCountJson]


class EventsJson(Shape):
    """The events, and what is of none."""

    events: list[SightingEventJson]
    gap_seconds: float
    without_time: int
    with_people: int


class BurstsJson(Shape):
    """The bursts, and what is of none."""

    bursts: list[SightingEventJson]
    gap_seconds: float
    without_time: int
    with_people: int


class CountsJson(Shape):
    """How often something was seen; a row has a field for each that it is counted by."""

    by: list[str]
    counts: list[dict[str, str | int | None]]
    images: int
    events: int
    event_gap_seconds: float
    without_time: int
    with_people: int
