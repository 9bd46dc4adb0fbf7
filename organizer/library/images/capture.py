"""Capture info: by which deployment, when and in which light images were taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from organizer.events import find_time_lapse, group_in_time
from organizer.library.images.cameras import read_extras, tell_cameras
from organizer.library.images.crops import frames_of
from organizer.library.images.placement import read_placement
from organizer.library.images.time_order import time_keys
from organizer.light import is_infrared
from organizer.metadata import SERIAL_NUMBER, SUBSECOND
from organizer.settings import Settings
from organizer.store import Store
from organizer.types import NOISE, Labels

_TRIGGER, _TIME_LAPSE = "trigger", "time lapse"
"""What readers of metadata call what made a camera take a photo, and one of the answers."""

_FIRST, _LAST = np.datetime64("0001-01-01T00:00:00"), np.datetime64("9999-12-31T23:59:59")


@dataclass(frozen=True)
class CaptureInfo:
    """How images were taken, as far as the library knows; one entry for each image.

    Attributes:
        image_ids: The images.
        deployments: The deployment of each; None where there is none.
        cameras: The deployment, or else the camera of the EXIF data; None where unknown.
        camera_ids: Texts that are alike for photos of one camera, as far as that can be told; see
            `organizer.library.images.cameras`.
        by_folder: ``(n,)`` whether only its folder tells the camera from others of its model.
        paths: A file of each: a present one before a missing one, then by path; with forward
            slashes.
        is_missing: ``(n,)`` whether no file of it was there when last looked for.
        taken_at: Camera-local times, corrected by the deployment's shift; None where unknown.
        subseconds: ``(n,)`` float64, how much of its second had passed; NaN where unknown.
        infrared: ``(n,)`` int64, 1 for infrared, 0 for colour, NOISE where unknown.
        brightness: ``(n,)`` float64, 0 to 1; NaN where unknown.
        time_lapse: ``(n,)`` whether it was taken by the clock; each of these is a burst of its own.
        bursts: ``(n,)`` int64, the number of the burst; NOISE for a photo without a time.
        events: ``(n,)`` int64, the number of the event; NOISE likewise.
    """

    image_ids: tuple[str, ...]
    deployments: tuple[str | None, ...]
    cameras: tuple[str | None, ...]
    camera_ids: tuple[str, ...]
    by_folder: NDArray[np.bool_]
    paths: tuple[str, ...]
    is_missing: NDArray[np.bool_]
    taken_at: tuple[str | None, ...]
    subseconds: NDArray[np.float64]
    infrared: Labels
    brightness: NDArray[np.float64]
    time_lapse: NDArray[np.bool_]
    bursts: Labels
    events: Labels

    @cached_property
    def time_keys(self) -> list[str]:
        """A text for each image that sorts it in time; see `time_order`."""
        return time_keys(self.taken_at, self.camera_ids, self.subseconds, self.paths)

    @cached_property
    def ranks(self) -> Labels:
        """``(n,)`` the place of each image in the order of time, those without a time last."""
        if not self.image_ids:
            return np.empty(0, dtype=np.int64)
        place = {key: rank for rank, key in enumerate(sorted(set(self.time_keys)))}
        return np.array([place[key] for key in self.time_keys], dtype=np.int64)


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
    found = store.photos.columns("image_id", "taken_at", "camera", "brightness", "chroma", "extra")
    ids = found["image_id"].tolist()
    placement = read_placement(store)
    deployments = [placement.deployment_of.get(image_id) for image_id in ids]
    shifts = {name: found.shift for name, found in placement.deployments.items() if found.shift}
    clocks = found["taken_at"].tolist()
    taken_at = correct_times(clocks, [shifts.get(d or "", 0) for d in deployments])
    cameras = [d or camera for d, camera in zip(deployments, found["camera"], strict=True)]
    extras = read_extras(found["extra"].tolist(), SERIAL_NUMBER, SUBSECOND, _TRIGGER)
    told = tell_cameras(
        store, ids, deployments=deployments, cameras=cameras, extras=extras, times=clocks
    )
    lapses = np.array([extra.get(_TRIGGER) == _TIME_LAPSE for extra in extras], dtype=np.bool_)
    lapses |= find_time_lapse(taken_at, told.ids, gap=settings.burst_gap)
    chroma = found["chroma"].astype(np.float64)
    info = CaptureInfo(
        image_ids=tuple(ids),
        deployments=tuple(deployments),
        cameras=tuple(cameras),
        camera_ids=told.ids,
        by_folder=told.by_folder,
        paths=told.paths,
        is_missing=told.is_missing,
        taken_at=tuple(taken_at),
        subseconds=np.array([extra.get(SUBSECOND, np.nan) for extra in extras], dtype=np.float64),
        infrared=np.where(np.isnan(chroma), NOISE, is_infrared(chroma)),
        brightness=found["brightness"].astype(np.float64),
        time_lapse=lapses,
        bursts=group_in_time(taken_at, told.ids, gap=settings.burst_gap, alone=lapses),
        events=group_in_time(taken_at, told.ids, gap=settings.event_gap),
    )
    if image_ids is None:
        return info
    return info_of(info, frames_of(store, image_ids), image_ids)


def info_of(info: CaptureInfo, frames: Sequence[str], image_ids: Sequence[str]) -> CaptureInfo:
    """The info of photos, for the images that were cut out of them.

    Args:
        info: Of all photos.
        frames: The photos; nothing is known of one that is not in it.
        image_ids: The images, one of each photo.
    """
    return replace(_take(info, frames), image_ids=tuple(image_ids))


def undecided_bursts(info: CaptureInfo, *, gap: float) -> frozenset[int]:
    """The bursts that may go on in another folder, with photos of the same model.

    Nothing tells whether these are of one camera or of two.

    Args:
        info: How all images were taken.
        gap: Seconds between two photos of a burst.
    """
    models = [
        (camera or "") if unsure else camera_id
        for camera, camera_id, unsure in zip(
            info.cameras, info.camera_ids, info.by_folder.tolist(), strict=True
        )
    ]
    wide = group_in_time(info.taken_at, models, gap=gap, alone=info.time_lapse)
    bursts: dict[int, set[int]] = {}
    for row in np.flatnonzero(info.by_folder & (wide != NOISE)).tolist():
        bursts.setdefault(int(wide[row]), set()).add(int(info.bursts[row]))
    return frozenset(burst for held in bursts.values() if len(held) > 1 for burst in held)


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

    def texts(column: Sequence[str | None]) -> tuple[str | None, ...]:
        return tuple(None if row == NOISE else column[row] for row in rows.tolist())

    def numbers(column: Labels) -> Labels:
        if not len(column):
            return np.full(len(rows), NOISE, dtype=np.int64)
        return np.where(rows == NOISE, NOISE, column[rows])

    return CaptureInfo(
        image_ids=tuple(image_ids),
        deployments=texts(info.deployments),
        cameras=texts(info.cameras),
        camera_ids=tuple(text or "" for text in texts(info.camera_ids)),
        by_folder=np.append(info.by_folder, True)[rows],
        paths=tuple(text or "" for text in texts(info.paths)),
        is_missing=np.append(info.is_missing, True)[rows],
        taken_at=texts(info.taken_at),
        subseconds=np.append(info.subseconds, np.nan)[rows],
        infrared=numbers(info.infrared),
        brightness=np.append(info.brightness, np.nan)[rows],
        time_lapse=np.append(info.time_lapse, False)[rows],
        bursts=numbers(info.bursts),
        events=numbers(info.events),
    )
