"""Where, when and in which light the images of a library were taken, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.events import BURST_GAP, EVENT_GAP, grouped
from organizer.light import is_infrared
from organizer.store import Store
from organizer.types import NOISE, Labels


@dataclass(frozen=True, slots=True)
class Contexts:
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


def contexts(store: Store, image_ids: Sequence[str] | None = None) -> Contexts:
    """How some images were taken, or all of the library.

    Bursts and events are numbered over all images of the library, so that a selection of them has
    the numbers that the whole has.
    """
    found = store.photos.columns("image_id", "taken_at", "camera", "brightness", "chroma")
    ids = found["image_id"].tolist()
    taken_at, cameras = found["taken_at"].tolist(), found["camera"].tolist()
    chroma = found["chroma"].astype(np.float64)
    whole = Contexts(
        image_ids=tuple(ids),
        deployments=(None,) * len(ids),
        cameras=tuple(cameras),
        taken_at=tuple(taken_at),
        infrared=np.where(np.isnan(chroma), NOISE, is_infrared(chroma)),
        brightness=found["brightness"].astype(np.float64),
        bursts=grouped(taken_at, cameras, gap=BURST_GAP),
        events=grouped(taken_at, cameras, gap=EVENT_GAP),
    )
    return whole if image_ids is None else _taken(whole, image_ids)


def _taken(whole: Contexts, image_ids: Sequence[str]) -> Contexts:
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
    return Contexts(
        image_ids=tuple(image_ids),
        deployments=words(whole.deployments),
        cameras=words(whole.cameras),
        taken_at=words(whole.taken_at),
        infrared=numbers(whole.infrared),
        brightness=brightness,
        bursts=numbers(whole.bursts),
        events=numbers(whole.events),
    )
