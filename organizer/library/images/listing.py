"""Lists of images: filtered, ordered, and read a page at a time or column by column."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from organizer.library.images.overview import ImageOverview
from organizer.types import NOISE, AssignmentState, Labels

ListOrder = Literal["typical", "border", "time", "path", "newest"]

SortKey = tuple[float, str, str]
"""What an image is ordered by: a number, a text, and its id."""


@dataclass(frozen=True, slots=True)
class ListedImage:
    """An image in a list.

    Attributes:
        image_id: The image, or the crop where crops are clustered.
        path: A file of it.
        cluster_id: Its cluster; None for an unassigned image and one that is not clustered.
        candidate: The nearest cluster of an unassigned image.
        state: How it came to its cluster; None where it is not clustered.
        distance: Cosine distance to the centroid of its cluster, or of the nearest one.
        taken_at: Camera-local time, corrected by the deployment's shift.
        camera: Its deployment, or else its camera.
        deployment: Its deployment.
        ratio: Width over height.
        event: The number of its event.
        burst: The number of its burst.
        is_infrared: Whether it is infrared; None where unknown.
        missing: Whether no file of it was there when last looked for.
    """

    image_id: str
    path: Path
    cluster_id: int | None
    candidate: int | None
    state: AssignmentState | None
    distance: float | None
    taken_at: str | None
    camera: str | None
    deployment: str | None
    ratio: float | None
    event: int | None
    burst: int | None
    is_infrared: bool | None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class ImageList:
    """The images that a filter let through, in order.

    Attributes:
        overview: All images, row by row.
        rows: ``(m,)`` the rows of those that are listed, in order.
        order: What they are ordered by.
        hidden: Number of images that are left out, as people or vehicles are in the photo.
    """

    overview: ImageOverview
    rows: Labels
    order: ListOrder
    hidden: int

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[ListedImage]:
        """The images, in order."""
        return map(self._image, self.rows.tolist())

    @property
    def image_ids(self) -> NDArray[np.object_]:
        """``(m,)`` the images, in order."""
        found: NDArray[np.object_] = self.overview.photos.image_ids[self.rows]
        return found

    def images(self, first: int, count: int) -> list[ListedImage]:
        """Some images, from a place on."""
        return [self._image(row) for row in self.rows[first : first + count].tolist()]

    def key(self, place: int) -> SortKey:
        """What the image at a place is ordered by."""
        return _sort_key(self.overview, self.order, int(self.rows[place]))

    def place_after(self, key: SortKey) -> int:
        """The place of the first image that comes after a key, whatever was listed before."""
        return bisect_right(range(len(self)), key, key=self.key)

    def _image(self, row: int) -> ListedImage:
        overview, photos = self.overview, self.overview.photos
        capture = photos.capture
        state = overview.states[row]
        is_open = overview.cluster_ids[row] == NOISE
        return ListedImage(
            image_id=photos.image_ids[row],
            path=Path(photos.paths[row]),
            cluster_id=_known(overview.cluster_ids[row]),
            candidate=_known(overview.candidates[row]) if is_open else None,
            state=None if state is None else AssignmentState(state),
            distance=None if state is None else float(overview.distances[row]),
            taken_at=capture.taken_at[row],
            camera=capture.cameras[row],
            deployment=capture.deployments[row],
            ratio=None if photos.ratios[row] == NOISE else float(photos.ratios[row]) / 100,
            event=_known(capture.events[row]),
            burst=_known(capture.bursts[row]),
            is_infrared=None if capture.infrared[row] == NOISE else bool(capture.infrared[row]),
            missing=bool(photos.is_missing[row]),
        )


def list_images(
    overview: ImageOverview, keep: NDArray[np.bool_], order: ListOrder, *, with_people: bool
) -> ImageList:
    """Order the images of a mask.

    Args:
        overview: All images.
        keep: ``(n,)`` which are listed.
        order: "typical": those nearest to the centroid of their cluster first; "border": those
            that are least certain to be in their cluster first; "time", "path"; "newest": those
            that came last first.
        with_people: Whether images with people or vehicles are listed too.
    """
    shown = keep if with_people else keep & ~overview.photos.is_hidden
    rows = np.flatnonzero(shown)
    hidden = int(np.count_nonzero(keep)) - len(rows)
    keys = (overview.photos.id_ranks[rows], *_column(overview, order, rows))
    return ImageList(overview, rows[np.lexsort(keys)], order, hidden)


def _column(overview: ImageOverview, order: ListOrder, rows: Labels) -> tuple[NDArray, ...]:  # type: ignore[type-arg]
    if order == "typical":
        return (_unknown_last(overview.distances[rows]),)
    if order == "border":
        return (_unknown_last(overview.margins[rows]),)
    if order == "time":
        return (overview.photos.time_ranks[rows],)
    if order == "path":
        return (overview.photos.path_ranks[rows],)
    return (-rows, -overview.since[rows])


def _sort_key(overview: ImageOverview, order: ListOrder, row: int) -> SortKey:
    photos = overview.photos
    image_id = str(photos.image_ids[row])
    if order == "typical":
        return float(_unknown_last(overview.distances[row])), "", image_id
    if order == "border":
        return float(_unknown_last(overview.margins[row])), "", image_id
    if order == "time":
        return 0.0, photos.capture.time_keys[row], image_id
    if order == "path":
        return 0.0, str(photos.paths[row]), image_id
    return float(-overview.since[row]), f"{10**12 - row:013d}", image_id


def _unknown_last(values: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.where(np.isnan(values), np.inf, values).astype(np.float64)


def _known(number: np.int64) -> int | None:
    return None if number == NOISE else int(number)
