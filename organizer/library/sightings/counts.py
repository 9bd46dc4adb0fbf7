"""Counts of images and independent events by species, place and time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from organizer.errors import SettingsError
from organizer.export.species import Tally
from organizer.library.progress import Progress
from organizer.library.sightings.images import Sighting, Sightings
from organizer.settings import Settings
from organizer.store import Store

_HALF_A_DAY = timedelta(hours=12)


def _timed(pattern: str, back: timedelta = timedelta()) -> Callable[[Sighting], str | None]:
    def text(image: Sighting) -> str | None:
        return None if image.taken_at is None else _text(image.taken_at, back, pattern)

    return text


def _text(time: datetime, back: timedelta, pattern: str) -> str:
    try:
        return (time - back).strftime(pattern)
    except OverflowError:  # a clock that was never set
        return time.strftime(pattern)


_VALUES: Mapping[str, Callable[[Sighting], str | None]] = MappingProxyType(
    {
        "site": lambda image: image.site,
        "deployment": lambda image: image.deployment,
        "camera": lambda image: image.camera,
        "day": _timed("%Y-%m-%d"),
        "night": _timed("%Y-%m-%d", _HALF_A_DAY),
        "month": _timed("%Y-%m"),
        "year": _timed("%Y"),
    }
)

DIMENSIONS = ("species", *_VALUES)
"""What images can be counted by. A night is from noon to noon, and has the date of its evening."""


@dataclass(frozen=True, slots=True)
class CountRow:
    """How often something was seen.

    Attributes:
        values: What it is counted by, in the order that was asked for; None where it is not known,
            and for the species of images in no cluster.
        images: Number of images.
        events: Number of independent events; images without a time are of none.
    """

    values: tuple[str | None, ...]
    images: int
    events: int


@dataclass(frozen=True, slots=True)
class CountsReport:
    """Counts of images and events.

    Attributes:
        by: What they are counted by.
        rows: In the order of their values, those that are not known last.
        images: Number of all images, each counted once, also one that shows several species.
        events: Number of all events, likewise.
        without_time: Number of images without a time.
        people: Number of images that are left out because they show a person or a vehicle.
        event_gap: Seconds up to which photos of a camera that follow each other are one event.
    """

    by: tuple[str, ...]
    rows: tuple[CountRow, ...]
    images: int
    events: int
    without_time: int
    people: int
    event_gap: float


def count_sightings(
    store: Store, by: Sequence[str], *, settings: Settings, progress: Progress
) -> CountsReport:
    """Count the images and events of a library.

    Args:
        store: The library.
        by: Some of `DIMENSIONS`.
        settings: The gap of an event; whether photos with people count.
        progress: Receives the progress.

    Raises:
        SettingsError: It cannot be counted by that.
    """
    dimensions = _required(by)
    found = Sightings(store, settings=settings, progress=progress)
    tally: Tally[tuple[str | None, ...]] = Tally()
    images = without_time = 0
    for image in found:
        images += 1
        without_time += image.taken_at is None
        values = [
            image.species if name == "species" else (_VALUES[name](image),) for name in dimensions
        ]
        for group in itertools.product(*values):
            tally.add(group, image.event)
    groups = sorted(tally.images, key=_order)
    return CountsReport(
        by=dimensions,
        rows=tuple(CountRow(group, tally.images[group], tally.events[group]) for group in groups),
        images=images,
        events=tally.all_events,
        without_time=without_time,
        people=found.people,
        event_gap=settings.event_gap,
    )


def _required(by: Sequence[str]) -> tuple[str, ...]:
    for name in by:
        if name not in DIMENSIONS:
            raise SettingsError(
                f"images cannot be counted by {name!r}", f"--by takes {', '.join(DIMENSIONS)}"
            )
    if not by:
        raise SettingsError("nothing is given to count by", f"--by {','.join(DIMENSIONS[:2])}")
    return tuple(dict.fromkeys(by))


def _order(group: tuple[str | None, ...]) -> tuple[tuple[bool, str, str], ...]:
    return tuple((value is None, (value or "").casefold(), value or "") for value in group)
