"""The events or bursts of a library: when, where, and what was seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from organizer.library.progress import Progress
from organizer.library.sightings.images import Sighting, Sightings
from organizer.settings import Settings
from organizer.store import Store


@dataclass(frozen=True, slots=True)
class SightingEvent:
    """Photos of one camera that soon follow each other.

    Attributes:
        number: The number of the event, or of the burst, as the exports have it.
        start: When its first photo was taken: camera-local, ISO 8601.
        end: When its last one was.
        site: The place of its deployment; None where there is none.
        deployment: The id of its deployment.
        camera: The camera of its first photo; None where unknown.
        images: Number of its photos.
        species: Number of photos of each species, the most frequent first; None stands for images
            in no cluster.
    """

    number: int
    start: str
    end: str
    site: str | None
    deployment: str | None
    camera: str | None
    images: int
    species: Mapping[str | None, int]


@dataclass(frozen=True, slots=True)
class EventsReport:
    """The events of a library, or its bursts.

    Attributes:
        events: By deployment, camera and time.
        bursts: Whether they are bursts.
        gap: Seconds up to which photos of a camera that follow each other are of one.
        without_time: Number of images without a time: they are of none.
        people: Number of images that are left out because they show a person or a vehicle.
    """

    events: tuple[SightingEvent, ...]
    bursts: bool
    gap: float
    without_time: int
    people: int


@dataclass(slots=True)
class _Gathered:
    first: Sighting
    start: str
    end: str
    images: int = 0
    species: Counter[str | None] = field(default_factory=Counter)


def find_events(
    store: Store, *, bursts: bool, settings: Settings, progress: Progress
) -> EventsReport:
    """List the events of a library.

    Args:
        store: The library.
        bursts: Whether to list bursts.
        settings: The gaps of a burst and of an event; whether photos with people count.
        progress: Receives the progress.
    """
    found = Sightings(store, settings=settings, progress=progress)
    gathered: dict[int, _Gathered] = {}
    without_time = 0
    for image in found:
        number = image.burst if bursts else image.event
        if number is None or image.taken_at is None:
            without_time += 1
            continue
        time = image.taken_at.isoformat()
        event = gathered.setdefault(number, _Gathered(image, time, time))
        if time < event.start:
            event.first, event.start = image, time
        event.end = max(event.end, time)
        event.images += 1
        event.species.update(image.species)
    events = [_event(number, event) for number, event in gathered.items()]
    events.sort(key=_order)
    return EventsReport(
        events=tuple(events),
        bursts=bursts,
        gap=settings.burst_gap if bursts else settings.event_gap,
        without_time=without_time,
        people=found.people,
    )


def _event(number: int, gathered: _Gathered) -> SightingEvent:
    first = gathered.first
    return SightingEvent(
        number=number,
        start=gathered.start,
        end=gathered.end,
        site=first.site,
        deployment=first.deployment,
        camera=first.camera,
        images=gathered.images,
        species=dict(gathered.species.most_common()),
    )


def _order(event: SightingEvent) -> tuple[bool, str, str, str, int]:
    return (
        event.deployment is None,
        event.deployment or "",
        event.camera or "" if event.deployment is None else "",
        event.start,
        event.number,
    )
