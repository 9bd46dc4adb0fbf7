"""Which species was seen where and when: events, and counts of images and events."""

from organizer.library.sightings.counts import DIMENSIONS, CountRow, CountsReport
from organizer.library.sightings.events import EventsReport, SightingEvent

__all__ = ["DIMENSIONS", "CountRow", "CountsReport", "EventsReport", "SightingEvent"]
