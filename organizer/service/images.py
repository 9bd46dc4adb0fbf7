"""Images: filtered and listed by page or by column, and one of them with all that is known."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from organizer.library.images.details import ImageDetails
from organizer.library.images.filters import ImageFilter, Light
from organizer.library.images.listing import ImageList, ListOrder
from organizer.library.images.overview import ImageOverview
from organizer.service.context import RevisionOf, Service, ServiceOf
from organizer.service.cursors import Cursor
from organizer.service.problems import ProblemError
from organizer.service.schemas import ImageIdText, ImageItem, box_shares
from organizer.store.ids import pack_ids
from organizer.types import NOISE, AssignmentState, Labels

router = APIRouter(tags=["images"])

_LAST = "last"
_UNASSIGNED = "unassigned"
_STATES = {"auto": "a", "unsure": "u", "decided": "d"}

_USUAL = ("ratio", "state", "event", "burst")

Number = Annotated[int | None, Query(ge=0, le=2**53)]


def filter_of(
    service: ServiceOf,
    cluster: Annotated[
        str | None,
        Query(pattern=rf"^(\d{{1,15}}|{_UNASSIGNED})$", description="Or unassigned."),
    ] = None,
    near: Annotated[
        int | None, Query(ge=1, le=2**53, description="The nearest cluster of an unassigned image.")
    ] = None,
    state: AssignmentState | None = None,
    camera: Annotated[str | None, Query(min_length=1)] = None,
    deployment: Annotated[str | None, Query(min_length=1)] = None,
    after: Annotated[
        str | None, Query(min_length=1, description="Camera-local time, or its beginning: 2024-05.")
    ] = None,
    before: Annotated[str | None, Query(min_length=1, description="Inclusive; see after.")] = None,
    text: Annotated[str | None, Query(min_length=1, description="A part of the path.")] = None,
    label: Annotated[str | None, Query(min_length=1, description="The known class.")] = None,
    labels: Literal["folders", "camera", "format", "light"] = "folders",
    ingest: Annotated[
        str | None, Query(pattern=rf"^(\d{{1,15}}|{_LAST})$", description="A number, or last.")
    ] = None,
    event: Number = None,
    burst: Number = None,
    light: Light | None = None,
) -> ImageFilter:
    """The filter that a request asks for."""
    return ImageFilter(
        cluster=int(cluster) if cluster is not None and cluster != _UNASSIGNED else None,
        unassigned=True if cluster == _UNASSIGNED else None,
        near=near,
        state=state,
        camera=camera,
        deployment=deployment,
        after=after,
        before=before,
        text=text,
        labels=labels,
        label=label,
        ingest=_ingest(service, ingest),
        event=event,
        burst=burst,
        light=light,
    )


FilterOf = Annotated[ImageFilter, Depends(filter_of)]


class ImagePage(BaseModel):
    """A page of a list of images.

    Attributes:
        revision: The revision that it shows.
        total: Number of images of the whole list.
        hidden: Number of images that are left out, as people or vehicles are in the photo.
        items: The images of the page.
        next: The cursor of the next page; null at the end.
    """

    revision: int
    total: int
    hidden: int
    items: list[ImageItem]
    next: str | None


class CodedTexts(BaseModel):
    """Texts that come often: each once, and for every image the place of its own."""

    names: list[str]
    of: list[int | None]


class ImageColumns(BaseModel):
    """A whole list of images, column by column; columns that were not asked for are absent.

    Attributes:
        revision: The revision that it shows.
        total: Number of images.
        hidden: Number of images that are left out, as people or vehicles are in the photo.
        ids: The ids, 16 bytes each, one after the other, in base64.
        ratio: Width over height in hundredths.
        time: Camera-local times.
        state: A letter each: a (by its distance), u (unassigned), d (decided), - (not clustered).
        cluster: The clusters.
        event: The numbers of the events.
        burst: The numbers of the bursts.
        camera: The deployments, or else cameras.
        distance: Cosine distances to the centroid of their cluster, or of the nearest one.
        missing: The places in the list of images of which no file was there when last looked for.
    """

    revision: int
    total: int
    hidden: int
    ids: str
    ratio: list[int | None] | None = None
    time: list[str | None] | None = None
    state: str | None = None
    cluster: list[int | None] | None = None
    event: list[int | None] | None = None
    burst: list[int | None] | None = None
    camera: CodedTexts | None = None
    distance: list[float | None] | None = None
    missing: list[int] | None = None


class ImageFile(BaseModel):
    """A file that holds an image."""

    path: str
    present: bool


class CropItem(BaseModel):
    """A crop of a photo: what a detector saw, and the cluster that it is in."""

    id: str
    box: tuple[float, float, float, float]
    category: str
    confidence: float
    cluster: int | None
    cluster_name: str | None
    decided: bool


class DetectionItem(BaseModel):
    """What a detector saw in a photo."""

    box: tuple[float, float, float, float]
    category: str
    confidence: float


class ImageDecisionItem(BaseModel):
    """What a person decided about an image, and who; empty where that is unknown."""

    at: str
    what: str
    user: str
    step: int


class ImageDetail(ImageItem):
    """All that is known of an image.

    Attributes:
        revision: The revision that it shows.
        paths: Its files, those that were present when last looked for first.
        frame: Of a crop: the photo that it is cut out of.
        crops: Of a photo: its crops that are clustered, the surest first.
        boxes: What else a detector saw in the photo for certain.
        group: What the photo shows, by its detections: animals, empty, people, vehicles.
        facts: Size, format, place and what else the metadata say.
        decisions: What was decided about it and holds, in order of time.
    """

    revision: int
    paths: list[ImageFile]
    frame: str | None
    crops: list[CropItem]
    boxes: list[DetectionItem]
    group: str
    facts: dict[str, Any]
    decisions: list[ImageDecisionItem]


@router.get("/images")
def get_images(
    service: ServiceOf,
    revision: RevisionOf,
    wanted: FilterOf,
    order: ListOrder = "typical",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: Annotated[str | None, Query(max_length=8_000)] = None,
) -> ImagePage:
    """Images that a filter lets through, a page at a time."""
    found = service.library.images.find(wanted, order=order)
    clustering = found.overview.clustering
    # A decision makes a clustering of its own on the same base, in which the list goes on.
    number = clustering.base_id if clustering is not None else 0
    first = 0
    if cursor is not None:
        first = found.place_after(Cursor.parse(cursor, clustering_id=number, order=order).key)
    names = service.library.clusters.names()
    end = first + limit
    return ImagePage(
        revision=revision,
        total=len(found),
        hidden=found.hidden,
        items=[ImageItem.of(image, names) for image in found.images(first, limit)],
        next=Cursor(number, order, found.key(end - 1)).to_text() if end < len(found) else None,
    )


@router.get("/images/columns", response_model_exclude_unset=True)
def list_columns(
    service: ServiceOf,
    revision: RevisionOf,
    wanted: FilterOf,
    order: ListOrder = "typical",
    columns: Annotated[
        str, Query(pattern=r"^[a-z,]*$", description="Names with commas between them.")
    ] = ",".join(_USUAL),
) -> ImageColumns:
    """A whole list of images in one small answer: what a grid needs before it shows pictures."""
    found = service.library.images.find(wanted, order=order)
    asked = {name for name in columns.split(",") if name}
    unknown = sorted(asked - _COLUMNS.keys())
    if unknown:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            f"there is no column {unknown[0]}",
            f"there are: {', '.join(_COLUMNS)}",
        )
    ids = pack_ids(found.image_ids.tolist())
    return ImageColumns(
        revision=revision,
        total=len(found),
        hidden=found.hidden,
        ids=base64.b64encode(ids.tobytes()).decode(),
        **{name: _column(found, name) for name in asked},
    )


@router.get("/images/{image_id}")
def get_image(
    image_id: Annotated[ImageIdText, Path()], service: ServiceOf, revision: RevisionOf
) -> ImageDetail:
    """All that is known of an image."""
    found = require_image(service, image_id)
    names = service.library.clusters.names()
    listed = ImageItem.of(found.listed, names) if found.listed is not None else None
    file = found.paths[0][0] if found.paths else None
    shown = listed.model_dump() if listed is not None else {
        "id": found.image_id, "path": str(file or ""), "name": file.name if file else "",
        "missing": not any(is_there for _, is_there in found.paths),
    }  # fmt: skip
    return ImageDetail(
        **{**shown, "box": box_shares(found.box) if found.box is not None else None},
        revision=revision,
        paths=[ImageFile(path=str(path), present=is_there) for path, is_there in found.paths],
        frame=found.frame_id,
        crops=[
            CropItem(
                id=crop.crop_id,
                box=box_shares(crop.box),
                category=crop.category,
                confidence=crop.confidence,
                cluster=None if crop.cluster_id in {None, NOISE} else crop.cluster_id,
                cluster_name=names.get(crop.cluster_id or 0),
                decided=crop.decided,
            )
            for crop in found.crops
        ],
        boxes=[
            DetectionItem(
                box=box_shares(seen.box), category=seen.category, confidence=seen.confidence
            )
            for seen in found.boxes
        ],
        group=found.group.value,
        facts=dict(found.facts),
        decisions=[
            ImageDecisionItem(at=d.at, what=d.what, user=d.user, step=d.step_id)
            for d in found.decisions
        ],
    )


def require_image(service: Service, image_id: str) -> ImageDetails:
    """All that is known of an image.

    Raises:
        ProblemError: There is no such image.
    """
    found = service.library.images.details(image_id)
    if found is None:
        raise no_image(image_id)
    return found


def no_image(image_id: str) -> ProblemError:
    """The problem of an image that is not in the library."""
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "not-found",
        f"there is no image {image_id}",
        "GET /api/v1/images lists the images",
    )


def _ingest(service: Service, text: str | None) -> int | Sequence[int] | None:
    if text is None:
        return None
    return service.library.store.clusterings.last_ingests() if text == _LAST else int(text)


def _column(found: ImageList, name: str) -> Any:
    return _COLUMNS[name](found.overview, found.rows)


def _times(overview: ImageOverview, rows: Labels) -> list[str | None]:
    times = overview.photos.capture.taken_at
    return [times[row] for row in rows.tolist()]


def _states(overview: ImageOverview, rows: Labels) -> str:
    return "".join(_STATES.get(state, "-") for state in overview.states[rows].tolist())


def _cameras(overview: ImageOverview, rows: Labels) -> CodedTexts:
    cameras = overview.photos.capture.cameras
    texts = [cameras[row] for row in rows.tolist()]
    names = sorted({text for text in texts if text is not None})
    place = {name: at for at, name in enumerate(names)}
    return CodedTexts(names=names, of=[None if t is None else place[t] for t in texts])


def _distances(overview: ImageOverview, rows: Labels) -> list[float | None]:
    rounded = np.round(overview.distances[rows].astype(np.float64), 3).tolist()
    return [None if math.isnan(distance) else distance for distance in rounded]


def _numbers(values: Labels) -> list[int | None]:
    return [None if value == NOISE else value for value in values.tolist()]


_COLUMNS: Mapping[str, Callable[[ImageOverview, Labels], Any]] = {
    "ratio": lambda overview, rows: _numbers(overview.photos.ratios[rows]),
    "time": _times,
    "state": _states,
    "cluster": lambda overview, rows: _numbers(overview.cluster_ids[rows]),
    "event": lambda overview, rows: _numbers(overview.photos.capture.events[rows]),
    "burst": lambda overview, rows: _numbers(overview.photos.capture.bursts[rows]),
    "camera": _cameras,
    "distance": _distances,
    "missing": lambda overview, rows: np.flatnonzero(overview.photos.is_missing[rows]).tolist(),
}
"""What each column holds of some rows."""
