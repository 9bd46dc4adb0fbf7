"""The photos of each camera -> what to look at: its clock, its flash, its view, whether it ran."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from organizer.library import Library
from organizer.library.images.capture import CaptureInfo, read_capture_info
from organizer.library.images.placement import read_placement
from organizer.types import Deployment, Labels
from organizer_camera_trap.camera_views import CameraViews, ViewChange
from organizer_camera_trap.clock_checks import ClockFindings, check_clock

_BLACK = 0.03
"""Mean luma below which nothing is to be seen in a photo: an infrared flash gives .1 and more."""
_NIGHT_BEGINS, _NIGHT_ENDS = 22, 4
"""Hours of the camera's clock; for the nights of all latitudes but the summers of the farthest."""
_LEAST_NIGHTS, _MOSTLY = 5, 0.9
_STOPPED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class CardPhotos:
    """The photos of one camera.

    Attributes:
        paths: A file of each.
        times: When each was taken, ISO 8601 by the camera's clock; None where unknown.
        brightness: ``(n,)`` float64, 0 to 1; NaN where unknown.
    """

    paths: tuple[str, ...]
    times: tuple[str | None, ...]
    brightness: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CameraHealth:
    """What there is to look at about a camera.

    Attributes:
        camera: Its deployment, or else its make, model and serial number; None where unknown.
        example: The path of one of its photos.
        images: Number of its photos.
        without_time: Number of those without a time.
        clock: What is doubtful about its clock.
        black_nights: Whether nearly all of its photos at night are black: the flash failed.
        silent_days: Days without a photo before the end of the deployment, where they are more
            than a week and than any time between two photos; None else.
        view: When its view changed and stayed so; None where it did not, or nothing tells.
    """

    camera: str | None
    example: str
    images: int
    without_time: int
    clock: ClockFindings
    black_nights: bool
    silent_days: int | None
    view: ViewChange | None = None

    @property
    def is_doubtful(self) -> bool:
        """Whether there is anything to look at."""
        found = (self.silent_days, self.view)
        return self.clock.is_doubtful or self.black_nights or any(one is not None for one in found)


def check_cameras(
    library: Library, *, where: tzinfo | None = None, now: datetime | None = None
) -> tuple[CameraHealth, ...]:
    """Check the photos of every camera; see `organizer.library.images.cameras` for which it is.

    Args:
        library: The library.
        where: The zone of the cameras' clocks; None where unknown: the hours in which summer time
            begins and ends are not looked at.
        now: The present, with an offset; that of this machine where None.
    """
    with library.store.snapshot():
        info = read_capture_info(library.store, settings=library.settings)
        deployments = read_placement(library.store).deployments
        views = CameraViews.open(library, info)
        now = now or datetime.now(UTC)
        checked = []
        for rows in _by_camera(info):
            deployment = deployments.get(info.deployments[int(rows[0])] or "")
            name = info.cameras[int(rows[0])]
            health = check_card(
                _photos(info, rows), camera=name, deployment=deployment, now=now, where=where
            )
            change = views.change_of(rows) if views is not None else None
            checked.append(replace(health, view=change))
    return tuple(checked)


def _by_camera(info: CaptureInfo) -> Iterator[Labels]:
    """The rows of each camera, by its name."""
    rows_of: dict[str, list[int]] = {}
    for row, camera in enumerate(info.camera_ids):
        rows_of.setdefault(camera, []).append(row)
    for camera in sorted(rows_of):
        yield np.array(rows_of[camera], dtype=np.int64)


def _photos(info: CaptureInfo, rows: Labels) -> CardPhotos:
    listed = rows.tolist()
    return CardPhotos(
        paths=tuple(info.paths[row] for row in listed),
        times=tuple(info.taken_at[row] for row in listed),
        brightness=info.brightness[rows],
    )


def check_card(
    photos: CardPhotos,
    *,
    camera: str | None,
    deployment: Deployment | None,
    now: datetime,
    where: tzinfo | None = None,
) -> CameraHealth:
    """Check the times and the light of the photos of one camera.

    Args:
        photos: The photos.
        camera: The name of the camera; None where unknown.
        deployment: Its deployment; None where it has none.
        now: The present, with an offset.
        where: The zone of the camera's clock; None where unknown.
    """
    pairs = zip(photos.paths, photos.times, strict=True)
    timed = [(path, time) for path, time in pairs if time is not None]
    start = deployment.start if deployment is not None else None
    end = deployment.end if deployment is not None else None
    return CameraHealth(
        camera=camera,
        example=min(photos.paths),
        images=len(photos.paths),
        without_time=len(photos.paths) - len(timed),
        clock=check_clock(timed, start=start, end=end, now=now, where=where),
        black_nights=_has_black_nights(photos),
        silent_days=_silent_days(sorted(time for _, time in timed), end),
    )


def _has_black_nights(photos: CardPhotos) -> bool:
    at_night = [row for row, time in enumerate(photos.times) if _is_night(time)]
    brightness = photos.brightness[at_night]
    brightness = brightness[~np.isnan(brightness)]
    return len(brightness) >= _LEAST_NIGHTS and float(np.mean(brightness < _BLACK)) >= _MOSTLY


def _is_night(time: str | None) -> bool:
    if time is None:
        return False
    hour = int(time[11:13])
    return hour >= _NIGHT_BEGINS or hour < _NIGHT_ENDS


def _silent_days(times: list[str], end: str | None) -> int | None:
    """Days from the last photo to the end, where the camera never was silent for so long."""
    if end is None or not times:
        return None
    moments = [datetime.fromisoformat(time) for time in times]
    silent = datetime.fromisoformat(end) - moments[-1]
    pauses = [after - before for before, after in pairwise(moments)]
    is_long = silent > _STOPPED and silent > max(pauses, default=timedelta())
    return silent.days if is_long else None
