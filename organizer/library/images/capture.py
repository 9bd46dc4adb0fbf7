"""Capture info: by which deployment, when and in which light images were taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from organizer.events import group_in_time
from organizer.library.images.crops import frames_of
from organizer.library.images.placement import read_placement
from organizer.light import is_infrared
from organizer.settings import Settings
from organizer.store import Store
from organizer.types import NOISE, Labels

_FIRST, _LAST = np.datetime64("0001-01-01T00:00:00"), np.datetime64("9999-12-31T23:59:59")


@dataclass(frozen=True, slots=True)
class CaptureInfo:
    """How images were taken, as far as the library knows; one entry for each image.

    Attributes:
        image_ids: The images.
        deployments: The deployment of each; None where there is none.
        cameras: The deployment, or else the camera of the EXIF data; None where unknown.
        taken_at: Camera-local times, corrected by the deployment's shift; None where unknown.
        infrared: ``(n,)`` int64, 1 for infrared, 0 for colour, NOISE where unknown.
        brightness: ``(n,)`` float64, 0 to 1; NaN where unknown.
        bursts: ``(n,)`` int64, the number of the burst; NOISE for a photo without a time.
        events: ``(n,)`` int64, the number of the event; NOISE likewise.
    """

    image_ids: tuple[str, ...]
    deployments: tuple[str | None, ...]
    cameras: tuple[str | None, ...]
    taken_at: tuple[str | None, ...]
    infrared: Labels
    brightness: NDArray[np.float64]
    bursts: Labels
    events: Labels


def read_capture_info(
    store: Store, image_ids: Sequence[str] | None = None, *, settings: Settings
) -> CaptureInfo:
    """Read how images were taken.

    Bursts and events are numbered over all images of the library, whichever are read. For an image
    with files in several deployments see `organizer.library.images.placement.Placement`.

    Args:
        store: The library.
        image_ids: The images; all where None.
        settings: The gaps of a burst and of an event.
    """
    found = store.photos.columns("image_id", "taken_at", "camera", "brightness", "chroma")
    ids = found["image_id"].tolist()
    placement = read_placement(store)
    deployments = [placement.deployment_of.get(image_id) for image_id in ids]
    shifts = {name: found.shift for name, found in placement.deployments.items() if found.shift}
    taken_at = correct_times(
        found["taken_at"].tolist(), [shifts.get(d or "", 0) for d in deployments]
    )
    cameras = [d or camera for d, camera in zip(deployments, found["camera"], strict=True)]
    chroma = found["chroma"].astype(np.float64)
    info = CaptureInfo(
        image_ids=tuple(ids),
        deployments=tuple(deployments),
        cameras=tuple(cameras),
        taken_at=tuple(taken_at),
        infrared=np.where(np.isnan(chroma), NOISE, is_infrared(chroma)),
        brightness=found["brightness"].astype(np.float64),
        bursts=group_in_time(taken_at, cameras, gap=settings.burst_gap),
        events=group_in_time(taken_at, cameras, gap=settings.event_gap),
    )
    if image_ids is None:
        return info
    return replace(_take(info, frames_of(store, image_ids)), image_ids=tuple(image_ids))


def correct_times(taken_at: Sequence[str | None], shifts: Sequence[int]) -> list[str | None]:
    """Times that cameras wrote, each shifted by so many seconds.

    A time that would leave the years 1 to 9999 becomes None.
    """
    times = list(taken_at)
    rows = [row for row, seconds in enumerate(shifts) if seconds and times[row]]
    if not rows:
        return times
    shifted = np.array([times[row] for row in rows], dtype="datetime64[s]")
    shifted += np.array([shifts[row] for row in rows], dtype="timedelta64[s]")
    valid = (shifted >= _FIRST) & (shifted <= _LAST)
    for row, text, fits in zip(rows, np.datetime_as_string(shifted), valid, strict=True):
        times[row] = str(text) if fits else None
    return times


def _take(info: CaptureInfo, image_ids: Sequence[str]) -> CaptureInfo:
    """The info of some images, in their order; nothing is known of one that is not in it."""
    row_of = {image_id: row for row, image_id in enumerate(info.image_ids)}
    rows = np.array([row_of.get(image_id, NOISE) for image_id in image_ids], dtype=np.int64)

    def texts(column: tuple[str | None, ...]) -> tuple[str | None, ...]:
        return tuple(None if row == NOISE else column[row] for row in rows.tolist())

    def numbers(column: Labels) -> Labels:
        if not len(column):
            return np.full(len(rows), NOISE, dtype=np.int64)
        return np.where(rows == NOISE, NOISE, column[rows])

    brightness = np.append(info.brightness, np.nan)[rows]
    return CaptureInfo(
        image_ids=tuple(image_ids),
        deployments=texts(info.deployments),
        cameras=texts(info.cameras),
        taken_at=texts(info.taken_at),
        infrared=numbers(info.infrared),
        brightness=brightness,
        bursts=numbers(info.bursts),
        events=numbers(info.events),
    )
