"""Where, when and in which light the images of a library were taken, row by row."""

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
    """How images were taken, as far as the library knows; one entry an image.

    Attributes:
        image_ids: The images.
        deployments: The deployment of each; None where there is none.
        cameras: What stands for the camera: the deployment, or else what the file tells; None where
            unknown.
        taken_at: Camera-local times, with the clock of the deployment put right; None where
            unknown.
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
    """How some images were taken, or all of the library.

    Bursts and events are numbered over all images of the library, so that a selection of them has
    the numbers that the whole has. Of an image with files in several deployments, see
    `organizer.library.images.placement.Placement`.

    Args:
        store: The library's folder.
        image_ids: The images; all where None.
        settings: How far apart the photos of a burst and of an event may be.
    """
    found = store.photos.columns("image_id", "taken_at", "camera", "brightness", "chroma")
    ids = found["image_id"].tolist()
    where = read_placement(store)
    deployments = [where.deployment_of.get(image_id) for image_id in ids]
    shifts = {name: told.shift for name, told in where.deployments.items() if told.shift}
    taken_at = correct_times(
        found["taken_at"].tolist(), [shifts.get(d or "", 0) for d in deployments]
    )
    cameras = [d or camera for d, camera in zip(deployments, found["camera"], strict=True)]
    chroma = found["chroma"].astype(np.float64)
    whole = CaptureInfo(
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
        return whole
    taken = _taken(whole, frames_of(store, image_ids))
    return replace(taken, image_ids=tuple(image_ids))


def correct_times(taken_at: Sequence[str | None], shifts: Sequence[int]) -> list[str | None]:
    """Times that cameras wrote, each moved by the seconds that its clock was wrong.

    A time that would leave the years 1 to 9999 is none.
    """
    times = list(taken_at)
    rows = [row for row, seconds in enumerate(shifts) if seconds and times[row]]
    if not rows:
        return times
    moved = np.array([times[row] for row in rows], dtype="datetime64[s]")
    moved += np.array([shifts[row] for row in rows], dtype="timedelta64[s]")
    sound = (moved >= _FIRST) & (moved <= _LAST)
    for row, text, fits in zip(rows, np.datetime_as_string(moved), sound, strict=True):
        times[row] = str(text) if fits else None
    return times


def _taken(whole: CaptureInfo, image_ids: Sequence[str]) -> CaptureInfo:
    """Some images, in their order; of one that is not there nothing is known."""
    row_of = {image_id: row for row, image_id in enumerate(whole.image_ids)}
    rows = np.array([row_of.get(image_id, NOISE) for image_id in image_ids], dtype=np.int64)

    def words(column: tuple[str | None, ...]) -> tuple[str | None, ...]:
        return tuple(None if row == NOISE else column[row] for row in rows.tolist())

    def numbers(column: Labels) -> Labels:
        if not len(column):
            return np.full(len(rows), NOISE, dtype=np.int64)
        return np.where(rows == NOISE, NOISE, column[rows])

    brightness = np.append(whole.brightness, np.nan)[rows]
    return CaptureInfo(
        image_ids=tuple(image_ids),
        deployments=words(whole.deployments),
        cameras=words(whole.cameras),
        taken_at=words(whole.taken_at),
        infrared=numbers(whole.infrared),
        brightness=brightness,
        bursts=numbers(whole.bursts),
        events=numbers(whole.events),
    )
