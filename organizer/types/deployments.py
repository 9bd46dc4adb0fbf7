"""One camera at one place for one period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Deployment:
    """One camera at one place for one period.

    Nothing of it is guessed: what is not known is None.

    Attributes:
        deployment_id: Its name, unique in the library.
        location: The name of the place.
        camera: The name of the camera, as the person calls it.
        latitude: Degrees, north is positive.
        longitude: Degrees, east is positive.
        start: When it began, camera-local, ISO 8601 without an offset.
        end: When it ended, likewise.
        shift: Seconds that are added to every time that its camera wrote: its clock was wrong.
    """

    deployment_id: str
    location: str | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    start: str | None = None
    end: str | None = None
    shift: int = 0

    def corrected(self, taken_at: str | None) -> str | None:
        """A time that the camera wrote, as it was."""
        return shifted(taken_at, self.shift)


def shifted(taken_at: str | None, seconds: int) -> str | None:
    """A camera-local ISO 8601 time, moved; None where there is none."""
    if taken_at is None or not seconds:
        return taken_at
    return (datetime.fromisoformat(taken_at) + timedelta(seconds=seconds)).isoformat()
